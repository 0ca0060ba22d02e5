"""The intake: what it refuses, how it resamples, and that chunking changes not one bit."""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kineseg_core.errors import InvalidFrame
from kineseg_core.intake.clock import SECOND
from kineseg_core.intake.intake import Intake, IntakeLimits
from kineseg_core.intake.missing import ValuesMissing
from kineseg_core.intake.resampling import ModelFrames
from kineseg_core.intake.taken import ChunkEnd, GapFound, Taken

C = 2


def intake(rate: float = 30.0, model_rate: float = 30.0, order: Sequence[int] | None = None, **limits: Any) -> Intake:
    return Intake(["left", "right"], order, rate, model_rate, IntakeLimits(**limits))


def signal(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((n, C)).astype("<f4")


def feed(
    into: Intake, frames: np.ndarray, sizes: Iterable[int] = (), times: Sequence[int] = (), first: int = 0
) -> list[Taken]:
    taken: list[Taken] = []
    at, sizes = 0, iter(sizes)
    while at < len(frames):
        n = next(sizes, 64)
        taken += into.take(first + at, frames[at : at + n].tobytes(), times[at : at + n])
        at += n
    return taken


def joined(taken: list[Taken]) -> tuple[np.ndarray, list[tuple[int, int, int, int]]]:
    """All model frames (n, C), and for each: decided, decided_ns, start, start_ns."""
    blocks = [item for item in taken if isinstance(item, ModelFrames)]
    places = [place for b in blocks for place in zip(b.decided, b.decided_ns, b.start, b.start_ns, strict=True)]
    frames = np.concatenate([b.frames for b in blocks]) if blocks else np.zeros((0, C), np.float32)
    assert len(frames) == len(places)
    return frames, places


def piecewise_mean(times: np.ndarray, frames: np.ndarray, begin: float, end: float) -> np.ndarray:
    """Mean of the piecewise-linear signal, by the trapezoid rule over its knots."""
    knots = np.unique(np.concatenate(([begin, end], times[(times > begin) & (times < end)])))
    values = np.stack([np.interp(knots, times, channel) for channel in frames.T.astype(float)], axis=1)
    return np.trapezoid(values, knots, axis=0) / (end - begin)


def test_at_the_models_rate_frames_pass_unchanged() -> None:
    frames = signal(100)
    made, places = joined(feed(intake(), frames))
    assert made.tobytes() == frames.tobytes()
    assert [(p[0], p[2]) for p in places] == [(i, i) for i in range(100)]


@pytest.mark.parametrize("rate", [1.0, 7.5, 25.0, 29.97])
def test_a_slower_source_is_interpolated_at_the_ticks(rate: float) -> None:
    frames = signal(50)
    made, places = joined(feed(intake(rate), frames))
    client, ticks = np.arange(50) / rate, np.arange(len(made)) / 30.0
    expected = np.stack([np.interp(ticks, client, channel) for channel in frames.T], axis=1)
    np.testing.assert_allclose(made, expected, atol=1e-5)
    assert ticks[-1] <= client[-1] + 1e-9 < ticks[-1] + 1 / 30
    for tick, (decided, _, start, _) in zip(ticks, places, strict=True):
        assert decided == int(np.searchsorted(client, tick - 1e-7))
        assert abs(start / rate - tick) <= 0.5 / rate + 1e-7


@pytest.mark.parametrize("rate", [30.5, 59.94, 100.0, 120.0, 999.0])
def test_a_faster_source_is_averaged_over_the_ticks(rate: float) -> None:
    frames = signal(400)
    made, places = joined(feed(intake(rate), frames))
    client = np.arange(400) / rate
    for k in (0, 1, len(made) // 2, len(made) - 1):
        expected = piecewise_mean(client, frames, k / 30, (k + 1) / 30)
        np.testing.assert_allclose(made[k], expected, atol=1e-5)
        decided, _, start, _ = places[k]
        assert decided == int(np.searchsorted(client, (k + 1) / 30 - 1e-7))
        assert abs(start / rate - k / 30) <= 0.5 / rate + 1e-7
    assert len(made) == int(client[-1] * 30 + 1e-6)


def test_capture_times_decide_where_frames_lie() -> None:
    random = np.random.default_rng(5)
    times = np.cumsum(random.uniform(0.6, 1.4, 300) * SECOND / 100).astype(np.int64) + 10**18
    frames = signal(300)
    made, _ = joined(feed(intake(100.0), frames, times=times.tolist()))
    client = (times - times[0]) / SECOND
    for k in (0, 10, len(made) - 1):
        np.testing.assert_allclose(made[k], piecewise_mean(client, frames, k / 30, (k + 1) / 30), atol=1e-4)


RATES = st.sampled_from([1.0, 10.0, 24.0, 29.97, 30.0, 31.0, 59.94, 60.0, 100.0, 120.0, 240.0, 1000.0])


@settings(max_examples=80)
@given(
    rate=RATES,
    model_rate=st.sampled_from([1.0, 15.0, 30.0, 50.0]),
    n=st.integers(1, 300),
    sizes=st.lists(st.integers(1, 90), max_size=40),
    timed=st.booleans(),
    lost=st.sets(st.integers(1, 280), max_size=4),
    unseen=st.lists(st.tuples(st.integers(0, 280), st.integers(1, 40), st.integers(0, C - 1)), max_size=3),
)
def test_chunking_changes_not_one_bit(
    rate: float,
    model_rate: float,
    n: int,
    sizes: list[int],
    timed: bool,
    lost: set[int],
    unseen: list[tuple[int, int, int]],
) -> None:
    frames = signal(n)
    for start, length, channel in unseen:
        frames[start : start + length, channel] = np.nan
    random = np.random.default_rng(1)
    times = (np.cumsum(random.uniform(0.5, 1.5, n + 1)) * SECOND / rate).astype(np.int64)
    # Frames that never arrive, and (with capture times) holes that the numbering does not show.
    numbers = np.array([i for i in range(n) if i not in lost or i == 0])
    if timed:
        times[n // 2 :] += int(3.2 * SECOND / rate)

    def run(sizes: list[int]) -> tuple[bytes, object, object, int, int, int]:
        into = intake(rate, model_rate, max_gap_s=60.0)
        taken: list[Taken] = []
        at, left = 0, iter(sizes)
        while at < len(numbers):
            size = next(left, 1)
            end = at + 1
            # A chunk ends where a frame is missing.
            while end < min(at + size, len(numbers)) and numbers[end] == numbers[end - 1] + 1:
                end += 1
            rows = numbers[at:end]
            taken += into.take(int(rows[0]), frames[rows].tobytes(), times[rows].tolist() if timed else ())
            into = pickle.loads(pickle.dumps(into))
            at = end
        taken += into.flush()
        made, places = joined(taken)
        # Where a gap stands among the model's frames counts, too.
        order: list[object] = []
        count = 0
        for item in taken:
            if isinstance(item, ModelFrames):
                count += len(item.decided)
            elif isinstance(item, GapFound | ValuesMissing):
                order.append((count, item))
        assert np.isfinite(made).all()
        return made.tobytes(), places, order, into.frames, into.filled, into.missing_values

    assert run(sizes) == run([1] * n) == run([n] * n)


def test_a_channel_without_values_keeps_its_last_one() -> None:
    frames = signal(40)
    expected = frames.copy()
    frames[10:20, 0] = np.nan
    expected[10:20, 0] = frames[9, 0]
    frames[15:40, 1] = np.nan
    expected[15:40, 1] = frames[14, 1]
    into = intake()
    made, _ = joined(feed(into, frames, [7, 9, 1]))
    np.testing.assert_array_equal(made, expected)
    assert into.missing_values == 10 + 25


def test_a_channel_is_typical_until_its_first_value() -> None:
    frames = signal(10)
    frames[:4, 1] = np.nan
    into = Intake(["left", "right"], [1, 0], 30.0, 30.0, IntakeLimits(), typical=[5.0, 6.0])
    made, _ = joined(feed(into, frames, [2]))
    assert made[:4, 0].tolist() == [5.0] * 4
    np.testing.assert_array_equal(made[4:], frames[4:, [1, 0]])


def test_only_long_outages_are_reported_when_they_have_lasted_and_when_they_are_over() -> None:
    frames = signal(100)
    frames[10:17, 0] = np.nan  # a fifth of a second
    frames[20:50, 0] = np.nan
    frames[20:40, 1] = np.nan
    frames[60:, 1] = np.nan
    reported = [item for item in feed(intake(), frames, [9, 20, 30]) if isinstance(item, ValuesMissing)]
    assert [(t.frame, t.channels, t.returned, t.decided) for t in reported] == [
        (20, ("left", "right"), False, 28),
        (20, ("right",), True, 40),
        (20, ("left",), True, 50),
        (60, ("right",), False, 68),
    ]
    assert all(t.decided_ns - t.time_ns == pytest.approx((t.decided - t.frame) * SECOND / 30, abs=2) for t in reported)


def test_lost_frames_are_filled_and_reported() -> None:
    frames = signal(40)
    into = intake()
    taken = list(into.take(0, frames[:10].tobytes(), ()))
    taken += into.take(13, frames[13:40].tobytes(), ())
    made, places = joined(taken)
    gap = next(item for item in taken if isinstance(item, GapFound))
    assert (gap.frame, gap.missing, gap.decided) == (10, 3, 13)
    assert gap.duration_ns == pytest.approx(4 * SECOND / 30, abs=2)
    assert gap.time_ns == pytest.approx(10 * SECOND / 30, abs=2)
    expected = frames.astype(float)
    expected[10:13] = np.linspace(frames[9], frames[13], 5)[1:-1]
    np.testing.assert_allclose(made, expected, atol=1e-6)
    assert [place[2] for place in places] == list(range(40))
    assert (into.received, into.frames, into.filled) == (40, 40, 3)
    assert taken[-1] == ChunkEnd(40)


def test_a_hole_in_the_capture_times_is_a_gap_that_the_numbering_does_not_show() -> None:
    frames = signal(20)
    times = np.rint(np.arange(20) * SECOND / 30).astype(np.int64)
    times[10:] += 3 * SECOND // 30
    into = intake()
    taken = feed(into, frames, times=times.tolist())
    gap = next(item for item in taken if isinstance(item, GapFound))
    assert (gap.frame, gap.missing, gap.decided) == (10, 3, 10)
    made, places = joined(taken)
    assert len(made) == 23
    assert places[-1][2] == 19
    assert (into.received, into.frames, into.filled) == (20, 23, 3)


@pytest.mark.parametrize("by", ["index", "time", "index against the time"])
@pytest.mark.parametrize(("rate", "model_rate"), [(30.0, 30.0), (100.0, 30.0), (10.0, 30.0)])
def test_a_gap_that_is_too_long_to_be_filled_cuts_the_stream(by: str, rate: float, model_rate: float) -> None:
    frames = signal(80)
    into = intake(rate, model_rate, max_gap_s=0.5)
    period = round(SECOND / rate)
    timed = by != "index"
    regular = [i * period for i in range(40)] if timed else ()
    before = feed(into, frames[:40], times=regular)
    lost = round(rate)
    first, later = {
        "index": (40 + lost, 0),
        "time": (40, (40 + lost) * period),
        "index against the time": (40 + lost, 40 * period),
    }[by]
    after = feed(into, frames[40:], times=[later + i * period for i in range(40)] if timed else (), first=first)
    gap = next(item for item in after if isinstance(item, GapFound))
    assert gap.cuts
    assert (gap.frame, gap.decided) == (40, first)
    assert gap.missing == lost
    assert (into.received, into.frames, into.filled) == (first + 40, 80, 0)
    # What comes after it is resampled as if the stream began there, and nothing before it is lost or drawn out.
    made, places = joined(after)
    fresh, fresh_places = joined(feed(intake(rate, model_rate), frames[40:], times=regular))
    np.testing.assert_allclose(made, fresh, atol=1e-5)
    assert [place[0] - first for place in places] == [place[0] for place in fresh_places]
    np.testing.assert_array_equal(
        joined(before)[0], joined(feed(intake(rate, model_rate), frames[:40], times=regular))[0]
    )


def test_a_stretch_too_short_for_a_frame_of_the_model_gives_one_all_the_same() -> None:
    frames = signal(3)
    into = intake(120.0, max_gap_s=0.5)
    taken = [item for at in range(3) for item in into.take(at * 1000, frames[at : at + 1].tobytes(), ())]
    made, places = joined([*taken, *into.flush()])
    np.testing.assert_array_equal(made, frames)
    assert [place[0] for place in places] == [0, 1000, 2000]


@pytest.mark.parametrize("rate", [1.0, 1.5, 2.0])
@pytest.mark.parametrize("timed", [False, True])
def test_one_lost_frame_of_a_slow_source_is_filled(rate: float, timed: bool) -> None:
    into = intake(rate, max_gap_s=1.0)
    kept = [i for i in range(40) if i % 7 != 5]
    taken = [
        item
        for place, at in enumerate(kept)
        for item in into.take(place if timed else at, signal(1).tobytes(), [round(at * SECOND / rate)] if timed else ())
    ]
    gaps = [item for item in taken if isinstance(item, GapFound)]
    assert not any(gap.cuts for gap in gaps)
    if not timed:
        assert [gap.missing for gap in gaps] == [1] * 5


def test_without_any_filling_every_gap_cuts() -> None:
    into = intake(max_gap_s=0.0)
    list(into.take(0, signal(10).tobytes(), ()))
    gaps = [item for item in into.take(11, signal(10).tobytes(), ()) if isinstance(item, GapFound)]
    assert [gap.cuts for gap in gaps] == [True]


def with_value(row: int, value: float) -> bytes:
    frames = signal(5)
    frames[0, 0] = np.nan  # which is nothing to complain about
    frames[row, 1] = value
    return frames.tobytes()


@pytest.mark.parametrize(
    ("first", "data", "times", "field", "says"),
    [
        (10, b"", (), "data", "at least one frame"),
        (10, b"\0" * 12, (), "data", "12 bytes, not a multiple of 8"),
        (10, with_value(3, np.inf), (), "data", "frame 3 of the chunk has inf in channel 'right'"),
        (10, with_value(0, -np.inf), (), "data", "-inf"),
        (10, with_value(4, 1e30), (), "data", "frame 4 of the chunk has 1e+30 in channel 'right'"),
        (10, signal(65).tobytes(), (), "data", "65 frames, at most 64"),
        (9, signal(5).tobytes(), (), "first_frame", "frames up to 9 have come"),
        (-1, signal(5).tobytes(), (), "first_frame", "frames up to 9 have come"),
        (2**60, signal(5).tobytes(), (), "first_frame", "which no stream can reach"),
        (10, signal(5).tobytes(), (1, 2, 3, 4, 5), "capture_times_ns", "began without capture times"),
    ],
)
def test_a_malformed_chunk_is_refused_and_changes_nothing(
    first: int, data: bytes, times: Sequence[int], field: str, says: str
) -> None:
    into = intake(max_chunk_frames=64)
    list(into.take(0, signal(10).tobytes(), ()))
    before = pickle.dumps(into)
    with pytest.raises(InvalidFrame) as caught:
        into.take(first, data, times)
    assert caught.value.field == field
    assert says in caught.value.message
    assert pickle.dumps(into) == before


@pytest.mark.parametrize(
    ("times", "says"),
    [
        ((), "began with capture times"),
        ((SECOND, SECOND + 1), "2 capture times for 3 frames"),
        ((SECOND, SECOND + 5, SECOND + 5), "frame 2 of the chunk"),
        ((SECOND, SECOND - 5, SECOND + 5), "frame 1 of the chunk"),
        ((0, 1, 2), "is not after the last one"),
        ((2**63 - 3, 2**63 - 2, 2**63 - 1), "decades after"),
    ],
)
def test_capture_times_that_make_no_sense(times: Sequence[int], says: str) -> None:
    into = intake()
    list(into.take(0, signal(3).tobytes(), (SECOND - 99, SECOND - 50, SECOND - 10)))
    with pytest.raises(InvalidFrame, match=says) as caught:
        into.take(3, signal(3).tobytes(), times)
    assert caught.value.field == "capture_times_ns"


def test_a_stream_begins_with_frame_0() -> None:
    with pytest.raises(InvalidFrame, match="nothing to fill from"):
        intake().take(5, signal(5).tobytes(), ())


def test_channels_are_put_into_the_models_order() -> None:
    frames = signal(10)
    made, _ = joined(feed(intake(order=[1, 0]), frames))
    np.testing.assert_array_equal(made, frames[:, [1, 0]])


def test_a_stream_too_short_for_one_model_frame_still_gives_one() -> None:
    into = intake(rate=120.0)
    frames = signal(3)
    assert joined(feed(into, frames))[1] == []
    (rest,) = into.flush()
    assert isinstance(rest, ModelFrames)
    np.testing.assert_array_equal(rest.frames, frames[-1:])
    assert (rest.decided, rest.start) == ([2], [0])
    assert intake().flush() == []


def test_a_slow_source_is_taken_in_slices() -> None:
    frames = signal(600)
    blocks = [item for item in feed(intake(1.0), frames, sizes=[600]) if isinstance(item, ModelFrames)]
    assert sum(len(block.decided) for block in blocks) == 599 * 30 + 1
    assert max(len(block.decided) for block in blocks) < 1000
