"""Formats of this field that are not read here: recognised, with a word on how to get from them to one that is."""

from __future__ import annotations

from dataclasses import dataclass

_NPZ = "np.savez('take.npz', positions=positions, joints=names, rate=rate) with positions of shape (frames, joints, 3)"
_FRAMES = "np.savez('take.npz', frames=values, channels=names, rate=rate) with values of shape (frames, channels)"
_TABLE = "a .csv with a header and a column 'time'"


@dataclass(frozen=True)
class Format:
    """A format that is not read.

    Attributes:
        name: What people call it.
        remedy: How to get to a format that is read.
    """

    name: str
    remedy: str


_FBX = Format(
    "an FBX scene", "export BVH, from Blender for one: File, Import, FBX; then File, Export, Motion Capture (.bvh)"
)
_GLTF = Format(
    "a glTF scene", "export BVH, from Blender for one: File, Import, glTF 2.0; then File, Export, Motion Capture (.bvh)"
)
_VSK = Format("a Vicon skeleton or its motion", "export CSV, C3D or TRC from Nexus or Shogun")
_XDF = Format(
    "an XDF recording of Lab Streaming Layer",
    "in Python with the package pyxdf: streams, _ = pyxdf.load_xdf('take.xdf'); then "
    "np.savez('take.npz', frames=streams[0]['time_series'], timestamps=streams[0]['time_stamps'])",
)
_MVN = Format("an Xsens MVN recording", "export MVNX or BVH from MVN Animate or Analyze")
_JSON = Format("a JSON file", f"in Python: {_NPZ}; or {_TABLE}")
_JSONL = Format(
    "a file of JSON lines",
    f"in Python: rows = [json.loads(line) for line in open('take.jsonl')], and then {_FRAMES}; or {_TABLE}",
)
_PARQUET = Format("a Parquet table", "in Python: pandas.read_parquet('take.parquet').to_csv('take.csv', index=False)")
_FEATHER = Format("a Feather table", "in Python: pandas.read_feather('take.feather').to_csv('take.csv', index=False)")
_HDF = Format("an HDF5 file", f"in Python with the package h5py: f = h5py.File('take.h5'); then {_FRAMES}")
_EXCEL = Format(
    "a spreadsheet", "save it as CSV there, or in Python: pandas.read_excel('take.xlsx').to_csv('take.csv')"
)
_PICKLE = Format("a Python pickle, which can run code when it is loaded", f"in Python, if you trust it: {_NPZ}")
_TORCH = Format("a PyTorch file", f"in Python: data = torch.load('take.pt', weights_only=True); then {_NPZ}")
_VIDEO = Format(
    "a video",
    "kineseg reads joints, not pictures: run a pose estimator, such as MediaPipe Pose, and save its 3-D landmarks",
)
_IMAGE = Format("a picture", "kineseg reads motion over time: a table, BVH or NumPy file")
_ROS = Format("a ROS bag", f"in Python with the package rosbags, topic by topic: {_FRAMES}")
_EDF = Format("an EDF or BDF recording", f"in Python with the package mne: {_FRAMES}")
_AUDIO = Format("a sound file", f"in Python: scipy.io.wavfile.read, and then {_FRAMES}")
_QTM = Format("a Qualisys QTM measurement", "export TSV, C3D or BVH from QTM")
_TAK = Format("an OptiTrack Motive take", "export CSV, BVH or C3D from Motive")
_USD = Format("a USD scene", "export BVH, from Blender for one")
_BLEND = Format("a Blender scene", "export BVH in Blender: File, Export, Motion Capture (.bvh)")
_ARCHIVE = Format("an archive", "unpack it and give one file")
_XML = Format("an XML file", f"export BVH or CSV from the capture software, or in Python: {_NPZ}")
_VMD = Format("an MMD motion", "export BVH, from Blender with the MMD add-on for one")
_MATLAB73 = Format(
    "a MATLAB 7.3 file, which is HDF5", "save it in MATLAB with save('take.mat', 'expmapchannels', '-v7'), or as CSV"
)
_PDF = Format("a PDF document", "give a table, a BVH or a NumPy file")

BY_SUFFIX: dict[str, Format] = {
    ".fbx": _FBX,
    **dict.fromkeys((".glb", ".gltf", ".vrm", ".vrma"), _GLTF),
    **dict.fromkeys((".v", ".vsk", ".vst", ".x1d", ".x2d", ".mcp"), _VSK),
    **dict.fromkeys((".xdf", ".xdfz"), _XDF),
    ".mvn": _MVN,
    ".json": _JSON,
    **dict.fromkeys((".jsonl", ".ndjson"), _JSONL),
    **dict.fromkeys((".parquet", ".pq"), _PARQUET),
    **dict.fromkeys((".feather", ".arrow"), _FEATHER),
    **dict.fromkeys((".h5", ".hdf5", ".hdf", ".nc"), _HDF),
    **dict.fromkeys((".xlsx", ".xls", ".xlsm", ".ods", ".numbers"), _EXCEL),
    **dict.fromkeys((".pkl", ".pickle", ".p", ".joblib"), _PICKLE),
    **dict.fromkeys((".pt", ".pth", ".safetensors"), _TORCH),
    **dict.fromkeys((".mp4", ".mov", ".avi", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg", ".wmv"), _VIDEO),
    **dict.fromkeys((".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".svg", ".webp"), _IMAGE),
    **dict.fromkeys((".bag", ".mcap", ".db3"), _ROS),
    **dict.fromkeys((".edf", ".bdf", ".gdf"), _EDF),
    **dict.fromkeys((".wav", ".mp3", ".flac", ".ogg"), _AUDIO),
    ".qtm": _QTM,
    ".tak": _TAK,
    **dict.fromkeys((".usd", ".usda", ".usdc", ".usdz"), _USD),
    ".blend": _BLEND,
    **dict.fromkeys((".7z", ".rar", ".tar", ".tgz", ".zst"), _ARCHIVE),
    ".xml": _XML,
    ".vmd": _VMD,
    ".pdf": _PDF,
}

_BY_FIRST_BYTES: tuple[tuple[bytes, Format], ...] = (
    (b"Kaydara FBX Binary", _FBX),
    (b"; FBX", _FBX),
    (b"glTF", _GLTF),
    (b"\x89HDF\r\n\x1a\n", _HDF),
    (b"PAR1", _PARQUET),
    (b"ARROW1", _FEATHER),
    (b"XDF:", _XDF),
    (b"\x1f\x8b", Format("a gzip file", "name it .gz, such as take.csv.gz: then it is unpacked while reading")),
    (b"BZh", Format("a bzip2 file", "name it .bz2, such as take.csv.bz2: then it is unpacked while reading")),
    (b"\xfd7zXZ\x00", Format("an xz file", "name it .xz, such as take.csv.xz: then it is unpacked while reading")),
    (b"\xd0\xcf\x11\xe0", _EXCEL),
    (b"\x89PNG", _IMAGE),
    (b"\xff\xd8\xff", _IMAGE),
    (b"GIF8", _IMAGE),
    (b"%PDF", _PDF),
    (b"#ROSBAG", _ROS),
    (b"\x89MCAP", _ROS),
    (b"\x1aE\xdf\xa3", _VIDEO),
    (b"BLENDER", _BLEND),
    (b"PXR-USDC", _USD),
    (b"#usda", _USD),
    (b"Vocaloid Motion Data", _VMD),
    (b"7z\xbc\xaf", _ARCHIVE),
    (b"Rar!", _ARCHIVE),
)


ASF_STARTS = (b"#!OML:ASF", b":version", b":units", b":name")
"""How Acclaim's skeletons begin."""


def is_c3d(data: bytes) -> bool:
    """Whether bytes begin as a C3D file does.

    The first byte points to the parameters, the second is always 0x50; only there is it followed by counts.
    """
    return len(data) >= 512 and data[1] == 0x50 and 2 <= data[0] <= 64 and b"\0" in data[:64]


def recognised(data: bytes) -> Format | None:
    """The format that bytes are in, by how they begin; None: not one of these."""
    for start, found in _BY_FIRST_BYTES:
        if data.startswith(start):
            return found
    if data[:4] == b"RIFF":
        return _AUDIO if data[8:12] == b"WAVE" else _VIDEO
    if data[4:8] == b"ftyp":
        return _VIDEO
    # "MATLAB 7.3 MAT-file": the header is text, the rest HDF5.
    if data.startswith(b"MATLAB 7.3"):
        return _MATLAB73
    if data[:2] == b"PK":
        if b"xl/" in data[:4096] or b"content.xml" in data[:4096] or b"spreadsheet" in data[:4096]:
            return _EXCEL
        return Format("a zip archive", "name it .zip (.npz, if NumPy has written it)")
    if data[:1] == b"\x80" and data[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        return _PICKLE
    return _recognised_text(data[:2048].lstrip(b"\xef\xbb\xbf \t\r\n"))


def _recognised_text(start: bytes) -> Format | None:
    if start.startswith(b"{"):
        first = start.split(b"\n", 1)
        return _JSONL if len(first) > 1 and first[0].rstrip().endswith(b"}") and first[1][:1] == b"{" else _JSON
    if start.startswith(b"[") and start[1:2] in b'[{ \n\r\t"-0123456789':
        return _JSON
    if start.startswith(b"<"):
        return _XML
    return None
