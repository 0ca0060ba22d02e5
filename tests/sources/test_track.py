"""What sources have in common: the sender's clock and count, its rate, what is lost, axes and units."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kineseg.motion import Joints
from kineseg.sources import Expectations, Frames, Layout, Sample
from kineseg.sources.rates import measured_rate, usual_rate
from kineseg.sources.recorded import Recorded
from kineseg.sources.track import Track

RATE = 60.0
PERIOD = 1e9 / RATE
DAY_NS = 86_400_000_000_000
CHANNEL = Layout(channels=("a",))
Event = tuple[int | None, float | None, float]  # the sender's number and time, and the arrival, in periods


def tracked(
    events: Iterable[Event], *, layout: Layout = CHANNEL, expected: Expectations | None = None
) -> tuple[Track, list[Frames]]:
    """What a track makes of samples; the value of each is its time, or else its place in the list."""
    track = Track("", expected or Expectations(), {})
    pieces: list[Frames] = []
    for at, (number, time, arrived) in enumerate(events):
        stamp = None if time is None else round(time * PERIOD)
        sample = Sample(layout, np.array([at if time is None else time], np.float32), "", number, stamp)
        pieces += track.add(sample, round(10**12 + arrived * PERIOD))
    return track, pieces + track.finish()


def numbers(pieces: list[Frames]) -> list[int]:
    return [piece.first_frame + at for piece in pieces for at in range(piece.n_frames)]


def times(pieces: list[Frames]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """In periods, since the first."""
    found = np.concatenate([piece.capture_times_ns for piece in pieces])
    assert (np.diff(found) > 0).all()
    return (found - found[0]) / PERIOD


def test_lost_frames_are_holes_in_the_numbers() -> None:
    kept = [at for at in range(300) if at not in range(100, 103) and at % 50 != 7]
    _, pieces = tracked((at, at, at) for at in kept)
    assert numbers(pieces) == kept
    np.testing.assert_allclose(times(pieces), kept, atol=1e-3)
    assert pieces[0].info.rate == RATE


def test_a_sender_that_streams_every_fourth_of_its_frames_loses_none() -> None:
    _, pieces = tracked((4 * at, at, at) for at in range(200) if at != 150)
    assert numbers(pieces) == [at for at in range(200) if at != 150]


def test_frames_that_come_twice_or_late_are_left_out() -> None:
    order = [*range(100), 99, 102, 101, 103, *range(104, 200)]
    track, pieces = tracked((at, at, place) for place, at in enumerate(order))
    assert track.late == 2
    assert numbers(pieces) == [at for at in range(200) if at not in (100, 101)]


def test_a_rate_that_is_given_leaves_the_sender_its_clock_and_its_count() -> None:
    for every, count in ((4, 200), (1, 7)):  # frames that come at twice their speed; the whole of a short stream
        track, pieces = tracked(
            ((every * at, at, at / 2) for at in range(count) if at != 5), expected=Expectations(rate=RATE)
        )
        kept = [at for at in range(count) if at != 5]
        assert numbers(pieces) == kept
        np.testing.assert_allclose(times(pieces), kept, atol=1e-3)
        assert track.info is not None
        assert (track.info.rate, track.info.clock) == (RATE, "sender")


def test_a_counter_that_stands_is_no_counter() -> None:
    _, pieces = tracked((1, at, at) for at in range(100))
    assert numbers(pieces) == list(range(100))


def test_a_loop_goes_on_where_it_was() -> None:
    events = [(at % 150, at % 150, at) for at in range(400)]
    track, pieces = tracked(events)
    assert numbers(pieces) == list(range(400))
    np.testing.assert_allclose(times(pieces), np.arange(400), atol=0.01)
    assert track.jumps == 2


def test_midnight_is_no_jump() -> None:
    day = DAY_NS / PERIOD
    track, pieces = tracked((at, (day - 100 + at) % day, at) for at in range(300))
    np.testing.assert_allclose(times(pieces), np.arange(300), atol=0.01)
    assert track.jumps == 0


def test_a_counter_of_32_bits_begins_again() -> None:
    _, pieces = tracked(((2**32 - 100 + at) % 2**32, None, at) for at in range(300) if at not in (99, 100))
    assert numbers(pieces) == [at for at in range(300) if at not in (99, 100)]


def test_a_clock_that_is_set_forward_is_no_gap_of_an_hour() -> None:
    hour = 3600 * RATE
    track, pieces = tracked((at, at + (hour if at >= 150 else 0), at) for at in range(300))
    np.testing.assert_allclose(times(pieces), np.arange(300), atol=0.01)
    assert track.jumps == 1


def test_a_real_gap_stays_one_with_a_clock_and_without() -> None:
    for timed in (True, False):
        pause = [at + (200 if at >= 150 else 0) for at in range(300)]
        _, pieces = tracked((None, at if timed else None, at) for at in pause)
        found = times(pieces)
        assert found[150] - found[149] == pytest.approx(201, abs=2)
        assert found[-1] == pytest.approx(pause[-1], abs=2)


def test_bursts_are_not_captured_at_once() -> None:
    # Eight frames arrive together, as from a phone; nothing else is known of them.
    _, pieces = tracked((None, None, at // 8 * 8 + 8) for at in range(600))
    steps = np.diff(times(pieces))
    assert steps.min() > 0.2
    assert steps[200:].max() < 2.5
    assert pieces[0].info.clock == "arrival"
    assert pieces[0].info.rate == pytest.approx(RATE, rel=0.1)


def test_jitter_of_arrivals_is_no_jitter_of_times() -> None:
    random = np.random.default_rng(1)
    arrived = np.sort(np.arange(900) + random.uniform(0, 1.2, 900))  # up to 20 ms late
    _, pieces = tracked((at, None, when) for at, when in enumerate(arrived))
    steps = np.diff(times(pieces))[300:]
    assert steps.std() < 0.1 * np.diff(arrived)[300:].std()


def test_what_is_claimed_is_checked() -> None:
    claims = Layout(channels=("a",), rate=240.0)
    _, pieces = tracked(((None, at, at) for at in range(100)), layout=claims)
    info = pieces[0].info
    assert (info.rate, info.claimed_rate) == (RATE, 240.0)
    assert "claims 240 frames a second, but 60" in info.notes[0]
    _, believed = tracked(((None, at, at) for at in range(100)), layout=Layout(channels=("a",), rate=59.94))
    assert (believed[0].info.rate, believed[0].info.notes) == (59.94, ())
    _, given_rate = tracked(((None, None, at) for at in range(100)), expected=Expectations(rate=50.0))
    assert given_rate[0].info.rate == 50.0
    assert given_rate[0].n_frames == 1  # nothing had to be measured


def test_a_sender_that_changes_its_rate_begins_another_stream() -> None:
    slower = [*range(400), *(400 + 2 * at for at in range(500))]
    _, pieces = tracked((None, at, at) for at in slower)
    rates = list(dict.fromkeys((piece.info.part, piece.info.rate) for piece in pieces))
    assert rates == [(0, 60.0), (1, 30.0)]


def test_another_layout_begins_another_stream() -> None:
    track = Track("", Expectations(), {})
    pieces: list[Frames] = []
    for at in range(200):
        layout = Layout(channels=("a",)) if at < 100 else Layout(channels=("a", "b"))
        values = np.zeros(len(layout.channels), np.float32)
        pieces += track.add(Sample(layout, values, "", at, round(at * PERIOD)), round(at * PERIOD))
    assert [info.part for info in dict.fromkeys(piece.info for piece in pieces)] == [0, 1]
    assert pieces[-1].values.shape[1] == 2


@given(
    st.lists(
        st.tuples(
            st.none() | st.integers(-(2**33), 2**33) | st.integers(0, 40),
            st.none() | st.floats(-1e6, 1e6) | st.integers(0, 40),
            st.floats(0, 30),
        ),
        max_size=60,
    )
)
def test_whatever_a_sender_counts_indices_and_times_grow(steps: list[Event]) -> None:
    arrived, events = 0.0, []
    for number, time, waited in steps:
        arrived += waited
        events.append((number, time, arrived))
    _, pieces = tracked(events)
    for part in {piece.info for piece in pieces}:
        own = [piece for piece in pieces if piece.info is part]
        assert (np.diff(numbers(own)) >= 1).all()
        times(own)
        assert 1.0 <= part.rate <= 1000.0


def standing(recorded: Recorded, turn: str, unit: str, *, known: bool, scale: float = 1.0) -> Frames:
    """The first second of a body that somebody has laid out by other axes, or in another unit."""
    axes = {"y": (0, 1, 2), "z": (0, 2, 1), "-y": (0, 1, 2)}[turn]
    signs = {"y": (1, 1, 1), "z": (1, -1, 1), "-y": (1, -1, -1)}[turn]
    assert recorded.info.joints is not None
    joints = Joints(names=recorded.info.joints.names, unit=unit)  # type: ignore[arg-type]
    layout = Layout(joints, up_known=known)
    track = Track("", Expectations(), {})
    for at, values in enumerate(recorded.values):
        laid = values[:, axes] * np.array(signs, np.float32) * np.float32(scale)
        found = track.add(Sample(layout, laid, "", at, round(at * PERIOD)), round(at * PERIOD))
        if found:
            return found[0]
    raise AssertionError("nothing came")


def test_axes_are_found_from_how_the_body_stands(recorded: Recorded) -> None:
    assert recorded.info.joints is not None
    head = list(recorded.info.joints.names).index("head")
    for turn, up in (("y", "y"), ("z", "z"), ("-y", "y")):
        frames = standing(recorded, turn, "m", known=False)
        assert frames.info.joints is not None
        assert frames.info.joints.up == up
        assert frames.values[0, head, "xyz".index(up)] > 1.2
        assert frames.info.notes == ()
    doubted = standing(recorded, "z", "m", known=True)  # the protocol says y
    assert "y is taken as up, but the body stands along z" in doubted.info.notes[0]


def test_a_unit_that_makes_giants_is_doubted(recorded: Recorded) -> None:
    giant = standing(recorded, "y", "m", known=True, scale=100.0)
    assert "if the sender counts in cm, say ?unit=cm" in giant.info.notes[0]


@pytest.mark.parametrize("way", ["jitter", "burst", "stall"])
@given(seed=st.integers(0, 1000))
def test_the_rate_of_a_sender_that_counts_is_found_whatever_the_line_does(way: str, seed: int) -> None:
    random = np.random.default_rng(seed)
    due = np.arange(60) / 60.0
    late = {
        "jitter": due + random.uniform(0.0, 0.02, 60),
        "burst": np.repeat(due[3::4], 4),
        "stall": np.where((due > 0.3) & (due < 0.5), 0.5, due),
    }[way]
    there = np.append(True, random.random(59) > 0.02)
    arrivals = (1e12 + 1e9 * np.maximum.accumulate(late)[there]).astype(np.int64).tolist()
    steps = np.diff(np.flatnonzero(there)).tolist()
    rate = measured_rate(arrivals, steps, bunched=True, counted=True)
    assert rate is not None
    assert usual_rate(rate) == 60.0
