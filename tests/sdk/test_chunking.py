"""However frames are handed to `send`, the server gets the same frames, in chunks of the chosen duration."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from itertools import pairwise
from types import ModuleType
from typing import Any

import kineseg
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kineseg.v1 import segmentation_pb2 as pb

FRAMES = np.random.default_rng(3).normal(size=(200, 3)).astype(np.float32)


@pytest.fixture
def recorder(scripted: Any, script: ModuleType) -> Any:
    """`recorder.chunks` of the last stream, in the order of their arrival."""

    def record(requests: Any, context: Any) -> Iterator[pb.SegmentResponse]:
        scripted.chunks = []
        next(requests)
        yield script.opened(max_chunk_frames=20)
        for request in requests:
            scripted.chunks.append(request.chunk)
            yield script.ack(request.chunk)
        yield script.summary(1)

    scripted.segment = record
    return scripted


def rows(chunk: pb.FrameChunk) -> np.ndarray[Any, Any]:
    return np.frombuffer(chunk.data, dtype="<f4").reshape(-1, 3)


@settings(max_examples=40)
@given(
    cuts=st.lists(st.integers(0, 200), max_size=12),
    chunk_s=st.floats(0.001, 1),
    rate=st.sampled_from([1, 24, 30, 120, 1000]),
    flushed=st.booleans(),
    timed=st.booleans(),
)
def test_any_cutting_sends_the_same_frames(
    recorder: Any, connect: Any, cuts: list[int], chunk_s: float, rate: int, flushed: bool, timed: bool
) -> None:
    times_ns = 10**18 + np.arange(200) * (10**9 // rate)
    edges = [0, *sorted(cuts), 200]
    with connect(recorder.address).stream(rate=rate, chunk_s=chunk_s) as stream:
        for start, stop in pairwise(edges):
            stream.send(FRAMES[start:stop], timestamps_ns=times_ns[start:stop] if timed else None)
            if flushed:
                stream.flush()
    chunks = recorder.chunks
    np.testing.assert_array_equal(np.concatenate([rows(chunk) for chunk in chunks]), FRAMES)
    sizes = [len(rows(chunk)) for chunk in chunks]
    assert [chunk.first_frame for chunk in chunks] == [sum(sizes[:i]) for i in range(len(sizes))]
    sent_times = [time for chunk in chunks for time in chunk.capture_times_ns]
    assert sent_times == (times_ns.tolist() if timed else [])
    full = min(20, max(1, round(chunk_s * rate)))
    assert all(size <= full for size in sizes)
    if not flushed:
        assert all(size == full for size in sizes[:-1])


def test_by_default_a_chunk_holds_50_ms(recorder: Any, connect: Any) -> None:
    with connect(recorder.address).stream(rate=120) as stream:
        stream.send(FRAMES)
    assert {len(rows(chunk)) for chunk in recorder.chunks[:-1]} == {6}


def test_a_frame_is_sent_on_its_own_only_when_flushed(recorder: Any, connect: Any) -> None:
    with connect(recorder.address).stream(rate=120) as stream:
        stream.send(FRAMES[0])
        stream.send(FRAMES[1].tolist())
        assert recorder.chunks == []
        stream.flush()
        assert [len(rows(chunk)) for chunk in recorder.chunks] == [2]
        assert stream.frames_sent == 2


@pytest.mark.parametrize("dtype", [np.float64, np.float16, ">f4", np.int32, np.uint8])
def test_any_real_numbers_are_packed_as_float32(dtype: Any, recorder: Any, connect: Any) -> None:
    frames = np.arange(60).reshape(20, 3).astype(dtype)
    with connect(recorder.address).stream(rate=30) as stream:
        stream.send(np.asfortranarray(frames))
        stream.send(frames[::-2])
    np.testing.assert_array_equal(
        np.concatenate([rows(chunk) for chunk in recorder.chunks]), np.concatenate([frames, frames[::-2]])
    )


@settings(max_examples=25)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 25)), min_size=1, max_size=10))
def test_lost_frames_leave_a_hole_in_the_numbering(recorder: Any, connect: Any, pieces: list[tuple[int, int]]) -> None:
    expected: list[int] = []
    with connect(recorder.address).stream(rate=120) as stream:
        for lost, count in pieces:
            first = stream.frames_sent + lost
            stream.send(FRAMES[:count], first_frame=first)
            expected += range(first, first + count)
    got = [chunk.first_frame + i for chunk in recorder.chunks for i in range(len(rows(chunk)))]
    assert got == expected


def test_frame_numbers_do_not_go_back(recorder: Any, connect: Any) -> None:
    with connect(recorder.address).stream(rate=30) as stream:
        stream.send(FRAMES[:5])
        with pytest.raises(kineseg.InvalidRequest, match="frame 5 comes next") as caught:
            stream.send(FRAMES[:5], first_frame=4)
        assert caught.value.field == "first_frame"
        with pytest.raises(kineseg.InvalidRequest, match="no stream can reach"):
            stream.send(FRAMES[:5], first_frame=2**63)
        stream.send(FRAMES[5:10], first_frame=5)
    np.testing.assert_array_equal(np.concatenate([rows(chunk) for chunk in recorder.chunks]), FRAMES[:10])


@pytest.mark.parametrize(
    ("seconds", "nanoseconds"),
    [
        ([0.0, 0.1, 0.25], [0, 100_000_000, 250_000_000]),
        ([1.7e9, 1.7e9 + 0.5, 1.7e9 + 1], [17 * 10**17, 17 * 10**17 + 500_000_000, 17 * 10**17 + 10**9]),
        ([-1.5, -0.25, 0.0], [-1_500_000_000, -250_000_000, 0]),
    ],
)  # fmt: skip
def test_floating_timestamps_are_seconds(
    seconds: list[float], nanoseconds: list[int], recorder: Any, connect: Any
) -> None:
    with connect(recorder.address).stream(rate=30, chunk_s=1) as stream:
        stream.send(FRAMES[:3], seconds)
    assert list(recorder.chunks[0].capture_times_ns) == nanoseconds


def test_one_frame_takes_one_timestamp(recorder: Any, connect: Any) -> None:
    with connect(recorder.address).stream(rate=30, chunk_s=1) as stream:
        stream.send(FRAMES[0], 0.5)
        stream.send(FRAMES[1], timestamps_ns=600_000_000)
        stream.send(FRAMES[2], 1)
    assert list(recorder.chunks[0].capture_times_ns) == [500_000_000, 600_000_000, 1_000_000_000]


@pytest.mark.parametrize("dtype", [np.int64, np.int32, np.uint16, np.float32, np.float64, object])
def test_timestamps_are_seconds_whatever_their_type(dtype: Any, recorder: Any, connect: Any) -> None:
    with connect(recorder.address).stream(rate=30, chunk_s=1) as stream:
        if dtype is object:
            stream.send(FRAMES[:3], [0, 1, 2.0])
        else:
            stream.send(FRAMES[:3], np.arange(3, dtype=dtype))
    assert list(recorder.chunks[0].capture_times_ns) == [0, 10**9, 2 * 10**9]


@pytest.mark.parametrize("unit", ["ns", "us", "ms", "s"])
@pytest.mark.parametrize("kind", ["datetime64", "timedelta64"])
@pytest.mark.parametrize("field", ["timestamps", "timestamps_ns"])
def test_dates_bring_their_own_unit(unit: str, kind: str, field: str, recorder: Any, connect: Any) -> None:
    times = (np.arange(3) * 2_000_000_000).astype("timedelta64[ns]")
    if kind == "datetime64":
        times = np.datetime64("2026-11-26T12:00", "ns") + times
    with connect(recorder.address).stream(rate=30, chunk_s=1) as stream:
        stream.send(FRAMES[:3], **{field: times.astype(f"{kind}[{unit}]")})
    sent = np.array(recorder.chunks[0].capture_times_ns)
    assert (np.diff(sent) == 2_000_000_000).all()


@pytest.mark.parametrize(
    ("field", "times", "complaint"),
    [
        ("timestamps_ns", [0.5, 1.5, 2.5], "whole nanoseconds; seconds go into timestamps="),
        ("timestamps_ns", [0.0, np.nan, 2.0], "whole nanoseconds"),
        ("timestamps_ns", ["a", "b", "c"], "whole nanoseconds"),
        ("timestamps_ns", [5, 4, 6], "frame 1 of those sent"),
        ("timestamps_ns", np.array([2**63, 2**63 + 9, 2**63 + 99], np.uint64), "below 2\\^63"),
        ("timestamps", [17 * 10**17, 17 * 10**17 + 1, 17 * 10**17 + 2], "nanoseconds go into timestamps_ns="),
        ("timestamps", np.array(["2026", "NaT", "2027"], "datetime64[s]"), "NaT"),
    ],
)
def test_times_that_cannot_be(field: str, times: Any, complaint: str, recorder: Any, connect: Any) -> None:
    with connect(recorder.address).stream(rate=30) as stream:
        with pytest.raises(kineseg.InvalidRequest, match=complaint) as caught:
            stream.send(FRAMES[:3], **{field: times})
        assert caught.value.field == field
        with pytest.raises(kineseg.InvalidRequest, match="not both"):
            stream.send(FRAMES[:3], [0, 1, 2], timestamps_ns=[0, 1, 2])
        stream.send(FRAMES[:3])


@pytest.mark.parametrize("first", [1.5, "0", None, [0]])
def test_a_frame_number_is_a_whole_number(first: Any, recorder: Any, connect: Any) -> None:
    with connect(recorder.address).stream(rate=30) as stream:
        if first is not None:
            with pytest.raises(kineseg.InvalidRequest, match="whole number") as caught:
                stream.send(FRAMES[:3], first_frame=first)
            assert caught.value.field == "first_frame"
        stream.send(FRAMES[:3], first_frame=np.int64(0))


BAD: list[tuple[str, Any, Any]] = [
    ("as many timestamps", FRAMES[:2], [0.5]),
    ("increase", FRAMES[:2], [0.5, 0.5]),
    ("increase, but that of frame 0", FRAMES[:1], [0.0]),
    ("finite", FRAMES[:1], [np.nan]),
    ("finite", FRAMES[:1], [np.inf]),
    ("seconds", FRAMES[:1], [1e300]),
    ("seconds", FRAMES[:1], ["now"]),
    ("with timestamps", FRAMES[:1], None),
    ("shape", FRAMES[None], [1.0]),
    ("channels", FRAMES[:1, :2], [1.0]),
    ("channels", FRAMES[0, :2], [1.0]),
    (r"frames\.T", np.zeros((3, 5)), None),
    ("na_value=np.nan", np.array([[1, None, 3]]), [1.0]),
    ("datetime64", FRAMES[:1], [datetime.datetime(2026, 1, 1)]),
    ("array of numbers", [[1, 2, 3], [4]], [1.0, 2.0]),
    ("real numbers", FRAMES[:1].astype(complex), [1.0]),
    ("real numbers", [["a", "b", "c"]], [1.0]),
    ("frame 1 of those sent: channel 'c2' is inf", [[1, 2, np.nan], [1, 2, np.inf]], [1.0, 2.0]),
    ("channel 'c0' is -inf", [[-np.inf, 2, 3]], [1.0]),
    ("channel 'c1' is 1e\\+39", [[1, 1e39, 3]], [1.0]),
    ("must lie within 1e\\+09; send NaN", [[-1.1e9, 2, 3]], [1.0]),
]


@pytest.mark.parametrize(("complaint", "frames", "timestamps"), BAD)
def test_what_cannot_be_sent_is_refused_and_the_stream_goes_on(
    complaint: str, frames: Any, timestamps: Any, recorder: Any, connect: Any
) -> None:
    with connect(recorder.address).stream(rate=30, chunk_s=1) as stream:
        stream.send(FRAMES[0], 0.0)
        with pytest.raises((kineseg.InvalidRequest, kineseg.WrongChannels), match=complaint) as caught:
            stream.send(frames, timestamps)
        assert caught.value.field in ("frames", "timestamps")
        stream.send(FRAMES[1], 0.1)
    (chunk,) = recorder.chunks
    np.testing.assert_array_equal(rows(chunk), FRAMES[:2])
    assert list(chunk.capture_times_ns) == [0, 100_000_000]


def test_what_is_missing_and_what_is_large_is_sent_as_it_is(recorder: Any, connect: Any) -> None:
    frames = np.array([[1, np.nan, 3], [np.nan] * 3, [1e9, -1e9, 0]], np.float64)
    with connect(recorder.address).stream(rate=30, chunk_s=1) as stream:
        stream.send(frames)
    np.testing.assert_array_equal(rows(recorder.chunks[0]), frames)


def test_what_is_masked_is_missing(recorder: Any, connect: Any) -> None:
    masked = np.ma.MaskedArray(np.arange(6).reshape(2, 3), mask=[[0, 1, 0], [0, 0, 0]])
    with connect(recorder.address).stream(rate=30) as stream:
        stream.send(masked)
    np.testing.assert_array_equal(rows(recorder.chunks[0]), [[0, np.nan, 2], [3, 4, 5]])


def test_a_tensor_that_is_still_computed_with_is_refused_with_the_remedy(recorder: Any, connect: Any) -> None:
    class Tensor:
        def __array__(self, *args: Any, **options: Any) -> Any:
            raise RuntimeError("use tensor.detach().numpy() instead")

    with (
        connect(recorder.address).stream(rate=30) as stream,
        pytest.raises(kineseg.InvalidRequest, match="detach") as caught,
    ):
        stream.send(Tensor())
    assert caught.value.field == "frames"


def test_timestamps_cannot_begin_later(recorder: Any, connect: Any) -> None:
    with connect(recorder.address).stream(rate=30) as stream:
        stream.send(FRAMES[0])
        with pytest.raises(kineseg.InvalidRequest, match="without timestamps"):
            stream.send(FRAMES[1], 0.1)


def test_a_column_is_not_taken_for_a_frame(connect: Any, scripted: Any, script: ModuleType) -> None:
    def one_channel(requests: Any, context: Any) -> Iterator[pb.SegmentResponse]:
        next(requests)
        yield script.opened(channels=("height",))
        yield from (script.ack(request.chunk, 1) for request in requests)
        yield script.summary(1)

    scripted.segment = one_channel
    with connect(scripted.address).stream(rate=30) as stream:
        with pytest.raises(kineseg.WrongChannels, match=r"reshape\(-1, 1\)"):
            stream.send(np.arange(5.0))
        stream.send(np.arange(5.0).reshape(-1, 1))
        assert stream.frames_sent == 5


def test_chunks_of_very_wide_frames_stay_small(connect: Any, scripted: Any, script: ModuleType) -> None:
    names = tuple(f"sensor{i}" for i in range(5000))
    sizes = []

    def wide(requests: Any, context: Any) -> Iterator[pb.SegmentResponse]:
        next(requests)
        yield script.opened(channels=names)
        for request in requests:
            sizes.append(len(request.chunk.data))
            yield script.ack(request.chunk, len(names))
        yield script.summary(1)

    scripted.segment = wide
    frames = np.zeros((300, len(names)), np.float32)
    with connect(scripted.address).stream(rate=300, chunk_s=1) as stream:
        stream.send(frames)
    assert sum(sizes) == frames.nbytes
    assert max(sizes) < 2**20
