"""Times in files: every spelling and unit, counts of frames, contradictions, clocks without a name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kineseg.motion import MotionFileError, read


def table(folder: Path, name: str, times: list[str], more: str = "a") -> Path:
    file = folder / "take.csv"
    rows = [f"{time},{np.sin(i):.4f}" for i, time in enumerate(times)]
    file.write_text("\n".join([f'"{name}",{more}', *rows]) + "\n", encoding="utf-8")
    return file


SECONDS = (
    *("time", "Time", "TIME", "Time (s)", "Time (Seconds)", "Time (sec)", "time[s]", "time_s", "Time [s]", "t", "t_s"),
    *("timestamp", "TimeStamp", "Time Stamp", "timestamps", "elapsed_time", "Elapsed Time (s)", "seconds", "Seconds"),
    *(
        "time.s",
        "time since start [s]",
        "relative_time",
        "video_time_s",
        "recordingTime",
        "timeSec",
        "t(s)",
        "lsl_time",
    ),
)
UNITS = [
    (1e-3, ("time_ms", "Time (ms)", "timestamp_ms", "Timestamp (ms)", "t_ms", "timeMs", "time [msec]", "milliseconds")),
    (1e-6, ("time_us", "t_us", "timestamp_us", "Time (µs)", "timestampUs", "time (microseconds)")),
    (1e-9, ("timestamp_ns", "time_ns", "capture_ns", "Time (ns)", "t_nanoseconds")),
    (60.0, ("Time (min)", "time_minutes")),
]


@pytest.mark.parametrize("name", SECONDS)
def test_a_column_of_seconds_in_any_spelling(tmp_path: Path, name: str) -> None:
    recording = read(table(tmp_path, name, [f"{i / 50:.2f}" for i in range(20)]))
    assert (recording.channels, recording.rate) == (("a",), 50.0)
    assert repr(name) in recording.notes[0]
    assert "seconds" in recording.notes[0]


@pytest.mark.parametrize(("unit", "name"), [(unit, name) for unit, names in UNITS for name in names])
def test_a_column_of_another_unit(tmp_path: Path, unit: float, name: str) -> None:
    recording = read(table(tmp_path, name, [repr(round(i / 50 / unit, 9)) for i in range(20)]))
    assert recording.channels == ("a",)
    assert recording.rate == pytest.approx(50.0, rel=1e-4)


@pytest.mark.parametrize("name", ["temperature", "torque", "tilt", "a_s", "stime", "lifetime_count", "min", "ms"])
def test_what_is_no_time_stays_a_channel(tmp_path: Path, name: str) -> None:
    recording = read(table(tmp_path, name, [f"{np.cos(i):.3f}" for i in range(20)], "b"), rate=50)
    assert recording.channels == (name, "b")


@pytest.mark.parametrize("unit", [1.0, 1e-3, 1e-6, 1e-9])
def test_an_epoch_tells_its_unit_by_its_size(tmp_path: Path, unit: float) -> None:
    ticks = [
        f"{(1_700_000_000 + i / 50) / unit:.3f}"
        if unit == 1
        else str(round(1_700_000_000 / unit) + round(i / 50 / unit))
        for i in range(30)
    ]
    for name in ("timestamp", "x17"):  # the second is a clock that no one called one
        recording = read(table(tmp_path, name, ticks))
        assert recording.channels == ("a",)
        assert recording.rate == pytest.approx(50.0, rel=1e-3)
        assert "since 1970" in recording.notes[0]
        assert np.abs(recording.frames).max() < 1e9


@pytest.mark.parametrize("moments", [
    [f"2024-03-01T12:00:{i / 50:09.6f}" for i in range(20)],
    [f"2024-03-01 12:00:{i / 50:09.6f}+00:00" for i in range(20)],
    [f"2024-03-01T12:00:{i / 50:06.3f}Z" for i in range(20)],
    [f"00:00:{i / 50:06.3f}" for i in range(20)],
    [f"0:{i / 50:05.2f}" for i in range(20)],
    [f"01/03/2024 12:00:{i / 50:06.3f}" for i in range(20)],
    [f"23:59:{59.8 + i / 50:06.3f}" if i < 10 else f"00:00:{(i - 10) / 50:06.3f}" for i in range(20)],
    [f"12:00:{i / 50:06.3f} PM" for i in range(20)],
])  # fmt: skip
@pytest.mark.parametrize("name", ["time", "when"])
def test_dates_and_times_of_day(tmp_path: Path, moments: list[str], name: str) -> None:
    recording = read(table(tmp_path, name, moments))
    assert recording.channels == ("a",)
    assert recording.rate == pytest.approx(50.0)
    assert "times of day or dates" in recording.notes[0]


@pytest.mark.parametrize("name", ["t", "time", "Timestamp"])
@pytest.mark.parametrize("start", [0, 1, 500])
def test_a_count_is_not_taken_as_seconds(tmp_path: Path, name: str, start: int) -> None:
    file = table(tmp_path, name, [str(start + i) for i in range(20)])
    with pytest.raises(
        MotionFileError, match=rf"column '{name}' counts {start}, .*: are these frames\? Give a rate"
    ) as caught:
        read(file)
    assert caught.value.field == "rate"
    assert "time_s" in str(caught.value)
    recording = read(file, rate=50)
    assert (recording.channels, recording.rate, recording.timestamps) == (("a",), 50.0, None)
    assert "number of the frame" in recording.notes[0]


@pytest.mark.parametrize(
    "name",
    [
        "Frame",
        "Frame#",
        "frame_number",
        "Sub Frame",
        "frameIdx",
        "FrameNo",
        "sample",
        "index",
        "idx",
        "#",
        "",
        "PacketCounter",
        "fnum",
    ],
)
def test_what_only_counts_is_left_out_and_said(tmp_path: Path, name: str) -> None:
    recording = read(table(tmp_path, name, [str(i) for i in range(20)]), rate=50)
    assert recording.channels == ("a",)
    assert "only count are left out" in recording.notes[0]


def test_missing_numbers_of_frames_are_lost_frames(tmp_path: Path) -> None:
    recording = read(table(tmp_path, "Frame", [str(i) for i in range(40) if not 10 <= i < 15]), rate=50)
    assert recording.timestamps is not None
    np.testing.assert_allclose(np.diff(recording.timestamps).max(), 6 / 50)
    assert "5 numbers of frames are missing" in " ".join(recording.notes)


def test_a_rate_that_the_times_contradict_is_refused_with_both(tmp_path: Path) -> None:
    file = table(tmp_path, "time", [f"{i / 50:.2f}" for i in range(50)])
    with pytest.raises(
        MotionFileError, match="says 50 frames a second, the rate given is 120; leave the rate out"
    ) as caught:
        read(file, rate=120)
    assert caught.value.field == "rate"
    assert read(file, rate=51).rate == 51.0
    assert "the rate given, 51" not in " ".join(read(file, rate=50).notes)


def test_a_rate_tells_the_unit_of_times(tmp_path: Path) -> None:
    file = table(tmp_path, "time", [str(round(i * 1000 / 30)) for i in range(60)])
    for rate in (None, 30.0):
        recording = read(file, rate=rate)
        assert recording.rate == pytest.approx(30.0)
        assert recording.timestamps is not None
        assert recording.timestamps[-1] == pytest.approx(59 / 30, abs=1e-3)
        assert "milliseconds" in recording.notes[0]
    file = table(tmp_path, "time", [str(2 * i) for i in range(60)])
    with pytest.raises(MotionFileError, match="goes up by 2 a frame, in a unit that its name does not say"):
        read(file)
    assert read(file, rate=500).timestamps is not None


@pytest.mark.parametrize(("times", "message"), [
    (["0.0", "0.2", "0.1"], "must increase, but frame 2 .* sort the rows"),
    (["0.0", "", "0.1"], "missing in frame 1; fill it in"),
    (["0.5", "0.5", "0.5"], "must increase"),
    (["0.5"], "one time .* gives no rate"),
])  # fmt: skip
def test_times_that_cannot_be(tmp_path: Path, times: list[str], message: str) -> None:
    with pytest.raises(MotionFileError, match=message):
        read(table(tmp_path, "time", times))


def test_several_columns_of_times(tmp_path: Path) -> None:
    file = tmp_path / "take.csv"
    rows = [f"{i},{1_700_000_000_000 + 20 * i},{i / 50:.2f},{np.sin(i):.3f}" for i in range(30)]
    file.write_text("\n".join(["Frame,unix_timestamp_ms,time_s,a", *rows]) + "\n")
    recording = read(file)
    assert (recording.channels, recording.rate) == (("a",), 50.0)
    assert "time" in " ".join(recording.notes)
    assert len(recording.notes) == 3


def test_times_without_a_header(tmp_path: Path) -> None:
    file = tmp_path / "take.csv"
    np.savetxt(file, np.c_[np.arange(100) / 50, np.sin(np.arange(100))], delimiter=",")
    recording = read(file)
    assert (recording.n_channels, recording.rate) == (1, 50.0)
    assert "'channel_0' is taken as the time" in recording.notes[0]


@settings(max_examples=60)
@given(
    st.sampled_from([10, 24, 25, 29.97, 30, 50, 59.94, 60, 100, 120, 240]),
    st.integers(2, 6),
    st.sampled_from([("time", 1.0), ("time_ms", 1e-3)]),
    st.integers(400, 900),
)
def test_rates_of_rounded_times(
    tmp_path: Path, rate: float, decimals: int, unit: tuple[str, float], count: int
) -> None:
    name, size = unit
    digits = max(0, decimals + round(np.log10(size)))
    recording = read(table(tmp_path, name, [f"{round(i / rate, decimals) / size:.{digits}f}" for i in range(count)]))
    assert recording.rate == pytest.approx(rate, rel=5e-3)
    np.testing.assert_allclose(recording.times(), np.arange(count) / recording.rate, atol=1.1e-2)


def test_a_pause_stays_a_pause(tmp_path: Path) -> None:
    times = [f"{i / 100 + (3 if i >= 300 else 0):.2f}" for i in range(600)]
    recording = read(table(tmp_path, "time", times))
    assert recording.rate == 100.0
    assert recording.timestamps is not None
    assert np.diff(recording.timestamps)[299] == pytest.approx(3.01)


def test_times_in_numpy_files(tmp_path: Path) -> None:
    frames = np.random.default_rng(0).normal(size=(90, 2))
    for key, unit in (
        ("timestamps", 1.0),
        ("timestamps_ns", 1e-9),
        ("time_ms", 1e-3),
        ("t", 1.0),
        ("timestamps", 1e-3),
    ):
        np.savez(tmp_path / "a.npz", frames=frames, **{key: np.round(np.arange(90) / 30 / unit, 3)})
        recording = read(tmp_path / "a.npz")
        assert recording.rate == pytest.approx(30.0, rel=1e-3)
    np.savez(tmp_path / "a.npz", frames=frames, timestamps=np.arange(90) / 30, rate=100)
    with pytest.raises(MotionFileError, match="key 'timestamps' says 30 frames a second, the rate given is 100"):
        read(tmp_path / "a.npz")
    np.savez(tmp_path / "a.npz", frames=frames, timestamps=(np.arange(90) * 1000 / 30).astype(int), rate=30)
    recording = read(tmp_path / "a.npz")
    assert recording.timestamps is not None
    assert recording.timestamps[-1] == pytest.approx(89 / 30, abs=2e-3)
