"""The same table in every way that tools write it is read the same."""

from __future__ import annotations

import gzip
import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kineseg.motion import CANONICAL_CHANNELS, MotionFileError, Recording, read

MISSING = ("", "NaN", "nan", "NA", "N/A", "n/a", "null", "NULL", "None", "none", "-", "#N/A")


def saved(folder: Path, text: str, name: str = "take.csv", encoding: str = "utf-8") -> Path:
    file = folder / name
    file.write_bytes(text.encode(encoding))
    return file


@given(st.data())
def test_a_round_trip_through_any_dialect(tmp_path: Path, data: st.DataObject) -> None:
    draw = data.draw
    delimiter = draw(st.sampled_from([",", ";", "\t", " "]))
    comma = delimiter != "," and draw(st.booleans())
    quoted = draw(st.booleans())
    n_rows, n_columns = draw(st.integers(3, 12)), draw(st.integers(1, 5))
    number = st.integers(-(10**6), 10**6).map(lambda n: n / 1000)
    values = np.array(
        draw(st.lists(st.lists(number, min_size=n_columns, max_size=n_columns), min_size=n_rows, max_size=n_rows))
    )
    missing = draw(st.sampled_from(MISSING if delimiter != " " else MISSING[1:]))
    lost = np.array(draw(st.lists(st.booleans(), min_size=n_rows * n_columns, max_size=n_rows * n_columns)))
    lost = lost.reshape(values.shape) & (np.arange(n_rows)[:, None] > 0)
    values[lost] = np.nan
    header = draw(st.sampled_from(["plain", "comment", "sep", "index", "units"]))
    ending = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    bom = draw(st.booleans())

    def cell(value: float, decimals: int = 3) -> str:
        text = missing if np.isnan(value) else f"{value:.{decimals}f}"
        text = text.replace(".", ",") if comma and not np.isnan(value) else text
        return f'"{text}"' if quoted else text

    names = ["time", *(f"sensor{i}" for i in range(n_columns))]
    rows = [[cell(0.02 * row), *map(cell, values[row])] for row in range(n_rows)]
    lines = [names, *rows]
    if header == "index":
        lines = [["", *names], *([str(i), *row] for i, row in enumerate(rows))]
        if delimiter == " ":
            lines[0][0] = '""'
    if header == "units":
        lines.insert(1, ["[s]", *["m/s2"] * n_columns])
    text = ending.join(delimiter.join(line) for line in lines) + ending
    if header == "comment":
        text = "# " + text
    if header == "sep" and delimiter != " ":
        text = f"sep={delimiter}{ending}{text}"
    recording = read(saved(tmp_path, text, encoding="utf-8-sig" if bom else "utf-8"))
    assert recording.channels == tuple(names[1:])
    assert recording.rate == pytest.approx(50.0)
    np.testing.assert_allclose(recording.frames, values)
    np.testing.assert_allclose(recording.times(), 0.02 * np.arange(n_rows), atol=1e-9)


def test_a_column_that_is_mostly_empty_is_one_all_the_same(tmp_path: Path) -> None:
    recording = read(saved(tmp_path, "time\tsensor\n0,000\t1,5\n0,020\t\n0,040\t\n"))
    assert recording.channels == ("sensor",)
    np.testing.assert_allclose(recording.frames, [[1.5], [np.nan], [np.nan]])


def test_what_was_taken_and_left_out_is_said(tmp_path: Path) -> None:
    recording = read(saved(tmp_path, ",Time (s),label,a\n0,0.00,walk,1\n1,0.01,walk,2\n2,0.02,run,3\n"))
    assert recording.channels == ("a",)
    notes = " / ".join(recording.notes)
    for words in ("'Time (s)' is taken as the time in seconds", "only count are left out: 'index'", "text", "'label'"):
        assert words in notes


def test_notes_survive_a_slice(tmp_path: Path) -> None:
    recording = read(saved(tmp_path, "time,a\n0.00,1\n0.01,2\n0.02,3\n"))
    assert recording.notes
    assert recording.slice(1).notes == recording.notes


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "latin-1"])
def test_encodings_of_other_tools(tmp_path: Path, encoding: str) -> None:
    recording = read(saved(tmp_path, "time,höhe\n0.00,1\n0.01,2\n", encoding=encoding))
    assert recording.channels == ("höhe",)


@pytest.mark.parametrize("pack", ["gz", "bz2", "xz", "zip"])
def test_packed_files_are_read_as_what_is_in_them(tmp_path: Path, pack: str) -> None:
    import bz2
    import lzma
    import zipfile

    text = b"time,a\n0.00,1\n0.01,2\n"
    file = tmp_path / f"take.csv.{pack}"
    if pack == "zip":
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("inner/take.csv", text)
    else:
        file.write_bytes({"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}[pack](text))
    recording = read(file)
    assert recording.channels == ("a",)
    assert recording.name == "take"
    file.write_bytes(file.read_bytes()[:-12] if pack == "zip" else file.read_bytes()[: len(file.read_bytes()) // 2])
    with pytest.raises(MotionFileError, match="damaged"):
        read(file)


def test_an_archive_of_several_files_lists_them(tmp_path: Path) -> None:
    import zipfile

    with zipfile.ZipFile(tmp_path / "takes.zip", "w") as archive:
        archive.writestr("a.csv", "1\n")
        archive.writestr("b.csv", "1\n")
    with pytest.raises(MotionFileError, match=r"2 files \(a.csv, b.csv\); unpack it"):
        read(tmp_path / "takes.zip")


def test_a_last_line_that_breaks_off_is_left_out_and_said(tmp_path: Path) -> None:
    recording = read(saved(tmp_path, "time,a,b\n0.00,1,2\n0.01,2,3\n0.02,3"))
    assert recording.n_frames == 2
    assert "the last line, 4, breaks off" in " ".join(recording.notes)


def test_columns_without_a_name_get_one_and_it_is_said(tmp_path: Path) -> None:
    recording = read(saved(tmp_path, "time,a,\n0.00,1,5\n0.01,2,6\n"))
    assert recording.channels == ("a", "column_3")
    assert any("column_3" in note for note in recording.notes)
    # A delimiter at the end of each line is no column.
    assert read(saved(tmp_path, "time,a,\n0.00,1,\n0.01,2,\n")).channels == ("a",)
    assert read(saved(tmp_path, "time,a\n0.00,1,\n0.01,2,\n")).channels == ("a",)


def test_pandas_names_of_columns_without_names(tmp_path: Path) -> None:
    recording = read(saved(tmp_path, ",0,1,2\n0,0.5,0.6,0.7\n1,0.4,0.5,0.7\n2,0.1,0.2,0.9\n"), rate=50)
    assert recording.channels == ("channel_0", "channel_1", "channel_2")
    assert recording.n_frames == 3


def test_two_lines_of_names(tmp_path: Path) -> None:
    text = ",hips,,,head,,\ntime,x,y,z,x,y,z\n0.00,1,2,3,4,5,6\n0.01,1,2,3,4,5,6\n"
    recording = read(saved(tmp_path, text))
    assert recording.joints == ("hips", "head")
    assert recording.rate == 100.0


def test_lines_above_the_header_say_the_rate(tmp_path: Path) -> None:
    text = "Device: X7\nSampling rate (Hz): 52\na,b,c\n1,2,3\n2,3,4\n3,4,5\n"
    recording = read(saved(tmp_path, text))
    assert recording.rate == 52.0
    assert "line 2" in recording.notes[0]


MOTIVE = """Format Version,1.23,Take Name,T1,Capture Frame Rate,120.0,Export Frame Rate,120.0,Length Units,Meters

,,Bone,Bone,Bone,Bone,Bone,Bone,Bone,Bone,Bone,Marker,Marker,Marker
,,B:Hip,B:Hip,B:Hip,B:Hip,B:Hip,B:Hip,B:Hip,B:Head,B:Head,U1,U1,U1
,,1,1,1,1,1,1,1,2,2,3,3,3
,,Rotation,Rotation,Rotation,Rotation,Position,Position,Position,Rotation,Rotation,Position,Position,Position
Frame,Time (Seconds),X,Y,Z,W,X,Y,Z,X,Y,X,Y,Z
0,0.000000,0,0,0,1,0.1,0.9,0.2,0,0,1,1,1
1,0.008333,0,0,0,1,0.1,0.9,0.3,0,0,1,1,1
2,0.016667,0,0,0,1,0.1,0.9,0.4,0,0,1,1,1
"""
NEXUS = """Trajectories
200
,,Amy:LFHD,,,Amy:RFHD,,
Frame,Sub Frame,X,Y,Z,X,Y,Z
,,mm,mm,mm,mm,mm,mm
11,0,1,2,3,4,5,6
12,0,1,2,3,,,
13,0,1,2,4,4,5,7

Devices
1000
,,Force
Frame,Sub Frame,Fx
,,N
1,0,5
"""
QUALISYS = """NO_OF_FRAMES\t3
NO_OF_CAMERAS\t8
NO_OF_MARKERS\t2
FREQUENCY\t100
NO_OF_ANALOG\t0
ANALOG_FREQUENCY\t0
DESCRIPTION\t--
TIME_STAMP\t2024-01-01, 12:00:00.000\t1.5
DATA_INCLUDED\t3D
MARKER_NAMES\tHeadL\tHeadR
{header}{rows}"""
DEEPLABCUT = """scorer,DLC_net,DLC_net,DLC_net,DLC_net,DLC_net,DLC_net
bodyparts,snout,snout,snout,tail,tail,tail
coords,x,y,likelihood,x,y,likelihood
0,10.5,20.5,0.99,30.5,40.5,0.98
1,11.5,21.5,0.99,31.5,41.5,0.97
2,12.5,22.5,0.99,32.5,42.5,0.96
"""
TRC = """PathFileType\t4\t(X/Y/Z)\ttake.trc
DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\tOrigDataRate\tOrigDataStartFrame\tOrigNumFrames
60.00\t60.00\t3\t2\tmm\t60.00\t1\t3
Frame#\tTime\tRShoulder\t\t\tLShoulder\t\t
\t\tX1\tY1\tZ1\tX2\tY2\tZ2

1\t0.000\t1\t2\t3\t4\t5\t6
2\t0.017\t1\t2\t3\t\t\t
3\t0.033\t1\t2\t3\t4\t5\t7
"""
MOT = """Coordinates
version=1
nRows=3
nColumns=3
inDegrees=yes

endheader
time\tknee_angle_r\tpelvis_ty
0.00\t1.5\t0.9
0.01\t1.6\t0.9
0.02\t1.7\t0.9
"""


def test_motive(tmp_path: Path) -> None:
    recording = read(saved(tmp_path, MOTIVE))
    assert (recording.rate, recording.joints) == (120.0, ("B:Hip",))
    assert recording.positions is not None
    np.testing.assert_allclose(recording.positions[:, 0], [[0.1, 0.9, 0.2], [0.1, 0.9, 0.3], [0.1, 0.9, 0.4]])
    assert "rotations" in " ".join(recording.notes)


def test_motive_without_positions_says_what_to_export(tmp_path: Path) -> None:
    with pytest.raises(MotionFileError, match="Motive CSV without positions: export it from Motive with positions"):
        read(saved(tmp_path, MOTIVE.replace("Position", "Rotation")))


def test_nexus(tmp_path: Path) -> None:
    recording = read(saved(tmp_path, NEXUS))
    assert (recording.rate, recording.joints) == (200.0, ("Amy:LFHD", "Amy:RFHD"))
    assert recording.n_frames == 3
    assert np.isnan(recording.frames[1, 3:]).all()
    assert "Devices" in " ".join(recording.notes)


@pytest.mark.parametrize("header", ["", "Frame\tTime\tHeadL X\tHeadL Y\tHeadL Z\tHeadR X\tHeadR Y\tHeadR Z\n"])
def test_qualisys(tmp_path: Path, header: str) -> None:
    lead = [f"{i + 1}\t{i / 100:.3f}\t" if header else "" for i in range(3)]
    rows = "".join(f"{start}1.0\t2.0\t3.0\t4.0\t5.0\t{i}.0\n" for i, start in enumerate(lead))
    recording = read(saved(tmp_path, QUALISYS.format(header=header, rows=rows), "take.tsv"))
    assert (recording.rate, recording.joints) == (100.0, ("HeadL", "HeadR"))
    assert recording.frames[:, 5].tolist() == [0, 1, 2]


def test_qualisys_of_rigid_bodies_says_what_to_export(tmp_path: Path) -> None:
    text = QUALISYS.format(header="", rows="1\t2\t3\n").replace("MARKER_NAMES", "BODY_NAMES")
    with pytest.raises(MotionFileError, match="Qualisys TSV of body rotations; export 3D"):
        read(saved(tmp_path, text, "take.tsv"))


def test_deeplabcut(tmp_path: Path) -> None:
    recording = read(saved(tmp_path, DEEPLABCUT), rate=30)
    assert recording.channels == ("snout.x", "snout.y", "tail.x", "tail.y")
    assert recording.positions is None
    assert "snout.likelihood" in " ".join(recording.notes)


def test_trc(tmp_path: Path) -> None:
    recording = read(saved(tmp_path, TRC, "take.trc"))
    assert (recording.rate, recording.joints) == (60.0, ("RShoulder", "LShoulder"))
    assert np.isnan(recording.frames[1, 3:]).all()


@pytest.mark.parametrize("suffix", ["mot", "sto"])
def test_opensim_tables(tmp_path: Path, suffix: str) -> None:
    recording = read(saved(tmp_path, MOT, f"take.{suffix}"))
    assert (recording.rate, recording.channels) == (100.0, ("knee_angle_r", "pelvis_ty"))


def styles() -> list[tuple[str, list[str]]]:
    joints = ("nose", "left_wrist")
    forms = [
        "{j}.{a}",
        "{j}_{a}",
        "{j}.{A}",
        "{j}:{a}",
        "{j} {a}",
        "{j} [{a}]",
        "{j}({a})",
        "{j}{A}",
        "{a}_{j}",
        "{j}-{a}",
    ]
    forms += ["{j}_{a} (m)", "{j}_pos_{a}", "{j}{a}", "{j}_{A} [mm]", "{j}.position.{a}"]
    return [
        (form, [form.format(j=joint, a=axis, A=axis.upper()) for joint in joints for axis in "xyz"]) for form in forms
    ]


@pytest.mark.parametrize(("form", "names"), styles(), ids=[form for form, _ in styles()])
def test_any_spelling_of_x_y_z(tmp_path: Path, form: str, names: list[str]) -> None:
    rows = [[i + 0.5 * j for j in range(6)] for i in range(3)]
    text = "\n".join(",".join(map(str, row)) for row in ([*names], *rows)) + "\n"
    recording = read(saved(tmp_path, text), rate=30)
    assert recording.joints == ("nose", "left_wrist")
    assert recording.positions is not None
    np.testing.assert_allclose(recording.positions.reshape(3, 6), rows)
    assert recording.channels == tuple(names)


def test_how_well_a_joint_was_seen_is_no_channel(tmp_path: Path) -> None:
    names = [f"{joint}_{part}" for joint in ("nose", "left_wrist") for part in ("x", "y", "z", "visibility")]
    text = ",".join(["frame", *names]) + "\n" + "0,1,2,3,.9,4,5,6,.8\n1,1,2,3,.9,4,5,6,.8\n"
    recording = read(saved(tmp_path, text), rate=30)
    assert recording.joints == ("nose", "left_wrist")
    assert recording.n_channels == 6
    assert "left_wrist_visibility" in " ".join(recording.notes)


def test_other_columns_stay_channels_beside_joints(tmp_path: Path) -> None:
    recording = read(saved(tmp_path, "nose_x,nose_y,nose_z,emg\n1,2,3,4\n1,2,3,5\n"), rate=30)
    assert recording.joints == ("nose",)
    assert recording.channels == ("nose_x", "nose_y", "nose_z", "emg")
    assert "channels only: emg" in " ".join(recording.notes)


def test_a_saved_canonical_pose_is_no_table_of_positions(tmp_path: Path) -> None:
    text = ",".join(CANONICAL_CHANNELS) + "\n" + "\n".join(",".join(["0.5"] * 59) for _ in range(3)) + "\n"
    recording = read(saved(tmp_path, text), rate=30)
    assert recording.channels == CANONICAL_CHANNELS
    assert recording.positions is None
    assert recording.notes == ()


def test_three_axes_of_a_sensor_are_no_place(tmp_path: Path) -> None:
    names = [f"{what}_{axis}" for what in ("acc", "gyro", "LinearAcceleration") for axis in "xyz"]
    text = ",".join(names) + "\n" + "\n".join(",".join(["1"] * 9) for _ in range(3)) + "\n"
    assert read(saved(tmp_path, text), rate=30).positions is None


LANDMARKS = np.random.default_rng(0).normal(size=(20, 117)) * 0.5


@pytest.mark.parametrize(("width", "name"), [(99, "Human3.6M"), (117, "CMU")])
def test_a_layout_is_not_guessed_from_the_number_of_columns_alone(tmp_path: Path, width: int, name: str) -> None:
    np.savetxt(tmp_path / "a.csv", LANDMARKS[:, :width], delimiter=",", fmt="%.4f")
    with pytest.raises(MotionFileError, match=f"not the exponential maps of {name}.*--layout positions") as caught:
        read(tmp_path / "a.csv")
    assert caught.value.field == "rate"
    plain = read(tmp_path / "a.csv", rate=30)
    assert plain.channels[0] == "channel_0"
    assert "--layout positions" in plain.notes[0]
    points = read(tmp_path / "a.csv", rate=30, layout="positions")
    assert len(points.joints) == width // 3
    named = read(tmp_path / "a.csv", layout="cmu" if width == 117 else "h36m")
    assert named.skeleton is not None
    assert "as given" in named.notes[0]


def test_an_assumed_layout_is_said(tmp_path: Path) -> None:
    np.savetxt(tmp_path / "a.txt", np.zeros((4, 117)), delimiter=",")
    assert "exponential maps of CMU, by the number and the values" in read(tmp_path / "a.txt").notes[0]
    assert read(tmp_path / "a.txt", rate=30, layout="table").positions is None
    with pytest.raises(MotionFileError, match=r"117 columns; exponential maps of Human3.6M have 99"):
        read(tmp_path / "a.txt", layout="h36m")


def test_points_without_names_can_be_mapped(tmp_path: Path) -> None:
    np.savetxt(tmp_path / "a.csv", LANDMARKS[:, :99], delimiter=",", fmt="%.4f")
    mapping = {"left_shoulder": "joint_11", "right_shoulder": "joint_12"}
    recording = read(tmp_path / "a.csv", rate=30, layout="positions", mapping=mapping)
    assert dict(recording.mapping) == mapping


def test_a_large_table_is_read_fast_enough_to_wait_for(tmp_path: Path) -> None:
    """Missing values do not send it through Python cell by cell: the same numbers come out of both ways."""
    values = np.round(np.random.default_rng(0).normal(size=(300, 8)), 3)
    head = "time," + ",".join("abcdefgh")
    rows = [f"{i / 100:.2f}," + ",".join(map(str, row)) for i, row in enumerate(values)]
    plain = read(saved(tmp_path, "\n".join([head, *rows]) + "\n"))
    quoted = ["0.00," + ",".join(f'"{value}"' for value in values[0]), *rows[1:]]
    careful = read(saved(tmp_path, "\n".join([head + ",who", *(f"{row},me" for row in quoted)]) + "\n"))
    np.testing.assert_array_equal(plain.frames, careful.frames)


@settings(max_examples=150)
@given(st.data())
def test_a_damaged_table_is_read_or_refused(tmp_path: Path, data: st.DataObject) -> None:
    text = data.draw(
        st.sampled_from([MOTIVE, NEXUS, DEEPLABCUT, TRC, MOT, QUALISYS.format(header="", rows="1\t2\t3\t4\t5\t6\n")])
    )
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text)))
        stop = min(len(text), start + data.draw(st.integers(0, 30)))
        text = (
            text[:start]
            + data.draw(st.text(max_size=8) | st.sampled_from([",,", "\n", "\t", "nan", "1e999", '"']))
            + text[stop:]
        )
    file = tmp_path / data.draw(st.sampled_from(["a.csv", "a.tsv", "a.txt", "a.trc", "a.dat"]))
    file.write_bytes(text.encode("utf-8", "replace"))
    refused = None
    try:
        assert isinstance(read(file, rate=data.draw(st.none() | st.just(30.0))), Recording)
    except MotionFileError as error:
        refused = str(error)
    assert refused is None or str(file) in refused


def test_every_marker_of_a_missing_value(tmp_path: Path) -> None:
    for marker, delimiter in itertools.product(MISSING, (",", ";", "\t")):
        text = f"time{delimiter}a\n0.00{delimiter}1\n0.01{delimiter}{marker}\n0.02{delimiter}3\n"
        np.testing.assert_array_equal(read(saved(tmp_path, text)).frames, [[1], [np.nan], [3]])
