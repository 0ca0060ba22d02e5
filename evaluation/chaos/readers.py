"""Everything that reads files or bytes that others may have made, each with something that it reads well."""

from __future__ import annotations

import io
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from kineseg.motion import MotionError, read
from kineseg_core.errors import BadBundle, BadFile, BadSnapshot, CoreError
from kineseg_core.in_process import InProcessStream
from kineseg_core.inference.bundle import load_bundle, packaged_bundle
from kineseg_core.naming import Example, NameBank
from kineseg_core.opening import Opener, StreamRequest
from kineseg_core.profile_json import profile_from_json
from kineseg_core.rules.file import load_rules
from kineseg_core.snapshot import Snapshot
from kineseg_service.access.caller import Role
from kineseg_service.access.token_file import Tokens, new_token
from kineseg_service.streams.record import Record, read_record
from kineseg_service.streams.resumable import Seen

_BVH = b"""HIERARCHY
ROOT Hips
{
  OFFSET 0 0 0
  CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
  JOINT Spine
  {
    OFFSET 0 10 0
    CHANNELS 3 Zrotation Xrotation Yrotation
    End Site
    {
      OFFSET 0 10 0
    }
  }
}
MOTION
Frames: 2
Frame Time: 0.0333333
0 90 0 1 2 3 4 5 6
0 91 0 1 2 3 4 5 6
"""
_TRC = b"""PathFileType\t4\t(X/Y/Z)\ttake.trc
DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\tOrigDataRate\tOrigDataStartFrame\tOrigNumFrames
100\t100\t2\t1\tmm\t100\t1\t2
Frame#\tTime\tC7\t\t
\t\tX1\tY1\tZ1

1\t0.00\t1.0\t2.0\t3.0
2\t0.01\t1.1\t2.1\t3.1
"""
_STO = b"motion\nversion=1\nnRows=2\nnColumns=3\ninDegrees=yes\nendheader\ntime\ta\tb\n0.0\t1\t2\n0.1\t2\t3\n"
_CSV = b"time,hip.x,hip.y,hip.z\n0.00,1,2,3\n0.01,1.1,2.1,3.1\n0.02,1.2,2.2,3.2\n"
_ASF = b"""# a comment
:version 1.10
:name lab
:units
  mass 1.0
  length 0.45
  angle deg
:root
  order TX TY TZ RX RY RZ
  axis XYZ
  position 0 0 0
  orientation 0 0 0
:bonedata
  begin
    id 1
    name lowerback
    direction 0.34 -0.93 0
    length 7
    axis 0 0 20 XYZ
    dof rx ry rz
    limits (-160.0 20.0)
           (-70.0 70.0)
           (-60.0 70.0)
  end
:hierarchy
  begin
    root lowerback
  end
"""
_AMC = b"#!OML:ASF\n:FULLY-SPECIFIED\n:DEGREES\n1\nroot 0 1 2 3 4 5\nlowerback 1 2 3\n"
_MVNX = (
    b'<?xml version="1.0"?><mvnx version="4"><subject frameRate="60"><segments><segment id="1" label="Pelvis"/>'
    b'</segments><frames><frame time="0" index="0" type="normal"><position>1 2 3</position></frame></frames></subject>'
    b"</mvnx>"
)
_RULES = b'[[name]]\nname = "fall"\nafter_s = 1.0\n\n[[absence]]\nname = "pick"\nfor_s = 60.0\n'


@dataclass(frozen=True)
class Reader:
    """Something that reads.

    Attributes:
        suffix: Of the file; empty: it reads bytes.
        read: Does it.
        seeds: What it may read well, to begin with.
        refuses: What it may raise.
        beside: Files of the same name that it looks for, by suffix.
    """

    suffix: str
    read: Callable[[Path], object]
    seeds: Callable[[], list[bytes]]
    refuses: type[Exception] | tuple[type[Exception], ...]
    beside: Mapping[str, bytes] = field(default_factory=dict)

    def placed(self, data: bytes, folder: Path) -> Path:
        """A file of these bytes, with what it looks for."""
        path = folder / f"file{self.suffix}"
        for suffix, other in self.beside.items():
            path.with_suffix(suffix).write_bytes(other)
        path.write_bytes(data)
        return path

    def try_on(self, data: bytes, folder: Path) -> None:
        """Reads it; raises what the reader should not raise."""
        path = self.placed(data, folder)
        try:
            self.read(path)
        except self.refuses:
            pass
        finally:
            path.unlink(missing_ok=True)


def _motion(suffix: str, *seeds: bytes | Callable[[], bytes], beside: Mapping[str, bytes] | None = None) -> Reader:
    return Reader(
        suffix,
        _read,
        lambda: [seed if isinstance(seed, bytes) else seed() for seed in seeds],
        MotionError,
        beside or {},
    )


def _read(path: Path) -> object:
    """At the rate that the file says, or at one of ours."""
    try:
        return read(path)
    except MotionError:
        return read(path, rate=30.0)


def _npy() -> bytes:
    file = io.BytesIO()
    np.save(file, np.zeros((4, 3, 3), np.float32))
    return file.getvalue()


def _npz() -> bytes:
    file = io.BytesIO()
    np.savez(file, positions=np.zeros((4, 3, 3), np.float32), rate=np.float64(30.0), joints=np.array(["a", "b", "c"]))
    return file.getvalue()


def _mat() -> bytes:
    from scipy.io import savemat

    file = io.BytesIO()
    savemat(file, {"expmapchannels": np.zeros((4, 117))})
    return file.getvalue()


def _c3d() -> bytes:
    import c3d

    writer, file = c3d.Writer(point_rate=100.0, analog_rate=200.0), io.BytesIO()
    writer.add_frames([(np.full((2, 5), at, np.float32), np.zeros((1, 2))) for at in range(1, 4)])
    writer.set_point_labels(["LKNE", "RKNE"])
    writer.set_analog_labels(["force"])
    writer.write(file)
    return file.getvalue()


def _zip() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("take.bvh", _BVH)
    return file.getvalue()


def _bundle() -> bytes:
    """The manifest of the packaged one, without what it names: that would be larger than all else."""
    packaged = packaged_bundle()
    manifest = b"{}" if packaged is None else (packaged / "manifest.json").read_bytes()
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("manifest.json", manifest)
        for name in ("model.onnx", "golden.npz"):
            archive.writestr(name, b"")
    return file.getvalue()


def _saved(save: Callable[[Path], None]) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        save(path)
        return path.read_bytes()


def _names() -> bytes:
    return _saved(NameBank().teach("walk", "m", "0" * 64, Example.of([0.5, 0.25], "a source")).save)


def _tokens() -> bytes:
    return _saved(Tokens().with_token(new_token("lab", [Role.STREAM], datetime.now(UTC))[1]).save)


def _record() -> bytes:
    return Record(0.0, Seen(3, -1), [], b"").written()


def _snapshot() -> bytes:
    """Of a stream of one channel: what is sealed, since no one who changes that has the key."""
    here = Opener({})
    stream = InProcessStream(here.session(StreamRequest(30.0, model="scratch", channels=("x",))), None, here.network)
    stream.take(0, np.linspace(0.0, 1.0, 60, dtype="<f4").tobytes(), (), [])
    return stream.snapshot(here)


def _resume(path: Path) -> None:
    snapshot = Snapshot.of(path.read_bytes())
    snapshot.resume(snapshot.reopened(Opener({})))


READERS: Mapping[str, Reader] = {
    "bvh": _motion(".bvh", _BVH),
    "csv": _motion(".csv", _CSV),
    "trc": _motion(".trc", _TRC),
    "sto": _motion(".sto", _STO),
    "npy": _motion(".npy", _npy),
    "npz": _motion(".npz", _npz),
    "mat": _motion(".mat", _mat),
    "c3d": _motion(".c3d", _c3d),
    "amc": _motion(".amc", _AMC, beside={".asf": _ASF}),
    "asf": Reader(".asf", lambda path: _read(path.with_suffix(".amc")), lambda: [_ASF], MotionError, {".amc": _AMC}),
    "mvnx": _motion(".mvnx", _MVNX),
    "packed": _motion(".zip", _zip),
    "unknown": _motion(".dat", _CSV, _BVH, _TRC, _MVNX, b"{}"),
    "bundle": Reader(".zip", load_bundle, lambda: [_bundle()], BadBundle),
    "names": Reader(".json", NameBank.load, lambda: [_names()], BadFile),
    "tokens": Reader(".json", Tokens.load, lambda: [_tokens()], BadFile),
    "rules": Reader(".toml", load_rules, lambda: [_RULES], BadFile),
    "profile": Reader(
        ".json",
        lambda path: profile_from_json(path.read_bytes().decode("utf-8", "surrogateescape")),
        lambda: [b'{"schema_version": 1, "rate_hz": 30.0}'],
        CoreError,
    ),
    "snapshot": Reader("", _resume, lambda: [_snapshot()], BadSnapshot),
    "record": Reader("", lambda path: read_record(path.read_bytes()), lambda: [_record()], BadSnapshot),
}
