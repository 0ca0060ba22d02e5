"""StillnessDetector is one segment, and what comes after it is segmented as if it had been short."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from kineseg.motion import Recording, canonical_pose, generate
from kineseg_core.events import SegmentClosed
from numpy.typing import NDArray

from tests.core.in_process import SCRATCH, SHIPPED, anomalies_s, closed, events

MOTION_S = 36.0  # on either side of a stillness
Values = NDArray[np.float64]
STREAMS = pytest.mark.parametrize(
    ("model", "channels", "rate"),
    [(SHIPPED, slice(None), 30.0), (SCRATCH, slice(5, 6), 30.0), (SCRATCH, slice(5, 20), 10.0)],
    ids=["shipped", "scratch 1", "scratch 15"],
)


@cache
def motion(seed: int, rate: float) -> Recording:
    return generate(seed, duration_s=3 * MOTION_S, rate=rate)


def held(
    seed: int, rate: float, still_s: float, noise: float, channels: slice
) -> tuple[Values, list[tuple[float, float]]]:
    """Motion, a pose held, motion, another held, motion; when they are held. Noise is in deviations of motion."""
    recording = motion(seed, rate)
    assert recording.positions is not None
    first, n = round(MOTION_S * rate), round(still_s * rate)
    places = np.arange(recording.n_frames)
    order = np.concatenate(
        [places[:first], np.full(n, first), places[first : 2 * first], np.full(n, 2 * first), places[2 * first :]]
    )
    stands = np.zeros(len(order), np.bool_)
    stands[first : first + n] = stands[2 * first + n : 2 * (first + n)] = True
    whole = replace(recording, frames=recording.frames[order], positions=recording.positions[order], truth=None)
    frames = np.array(canonical_pose(whole).frames)[:, channels]
    deviation = frames[~stands].std(axis=0)
    frames[stands] += noise * deviation * np.random.default_rng(seed).standard_normal((2 * n, frames.shape[1]))
    begins = [MOTION_S, 2 * MOTION_S + still_s]
    return frames, [(begin, begin + still_s) for begin in begins]


def within(segments: list[SegmentClosed], begin_s: float, end_s: float) -> list[SegmentClosed]:
    """Those that lie in a stretch by more than its edges."""
    return [s for s in segments if s.end_time_s > begin_s + 1.0 and s.start_time_s < end_s - 1.0]


@pytest.mark.parametrize("noise", [0.0, 1e-2])
@STREAMS
def test_a_pose_held_for_minutes_is_one_segment(model: str, channels: slice, rate: float, noise: float) -> None:
    frames, stretches = held(1, rate, 90.0, noise, channels)
    emitted = events(frames, rate, model)
    segments = closed(emitted)
    for begin, end in stretches:
        (still,) = within(segments, begin, end)
        # What few channels of a body do in its last second before it stops may be next to nothing.
        assert still.start_time_s == pytest.approx(begin, abs=1.0 if model == SHIPPED else 1.5)
        assert still.end_time_s == pytest.approx(end, abs=1.0)
    assert not [when for when in anomalies_s(emitted) if any(begin + 1.0 < when < end for begin, end in stretches)]


@pytest.mark.parametrize("noise", [0.0, 1e-3])
@STREAMS
def test_motion_afterwards_is_segmented_as_if_the_stillness_had_been_short(
    model: str, channels: slice, rate: float, noise: float
) -> None:
    def cuts(still_s: float) -> list[float]:
        """Boundaries within motion that comes after a stillness, seconds of motion before them."""
        frames, stretches = held(2, rate, still_s, noise, channels)
        starts = [segment.start_time_s for segment in closed(events(frames, rate, model))]
        after = [
            s for s in starts if s > stretches[0][1] + 1.5 and not stretches[1][0] - 1.5 < s < stretches[1][1] + 1.5
        ]
        return [s - still_s * (1 if s < stretches[1][0] else 2) for s in after]

    short, long = cuts(8.0), cuts(120.0)
    assert short
    found = [cut for cut in short if min(abs(cut - other) for other in long) < 0.5]
    assert len(found) >= len(short) - 1
    assert len(long) <= len(short) + 2


@STREAMS
def test_the_same_posture_has_the_same_label_after_minutes_of_stillness(
    model: str, channels: slice, rate: float
) -> None:
    recording = motion(4, rate)
    assert recording.positions is not None
    n, pause = round(MOTION_S * rate), np.full(round(90.0 * rate), round(500 / 30 * rate))
    order = np.concatenate([np.arange(n), pause, np.arange(n, 2 * n), pause, np.arange(2 * n, 3 * n), pause])
    whole = replace(recording, frames=recording.frames[order], positions=recording.positions[order], truth=None)
    segments = closed(events(canonical_pose(whole).frames[:, channels], rate, model))
    begins = [MOTION_S, 2 * MOTION_S + 90.0, 3 * MOTION_S + 180.0]
    stills = [within(segments, begin, begin + 90.0) for begin in begins]
    assert [len(found) for found in stills] == [1, 1, 1]
    assert len({found[0].label for found in stills}) == 1


def idle(kind: str, n: int, deviation: Values) -> Values:
    random = np.random.default_rng(4)
    shape = (n, len(deviation))
    match kind:
        case "constant":
            return np.zeros(shape)
        case "noise":
            return 1e-2 * deviation * random.standard_normal(shape)
        case "flicker":
            return 1e-3 * deviation * (random.random(shape) < 0.3)
        case "drift":
            walk = np.cumsum(random.standard_normal(shape), axis=0) / np.sqrt(n)
            return 1e-3 * deviation * (random.standard_normal(shape) + walk)
    raise ValueError(kind)


@pytest.mark.parametrize("kind", ["constant", "noise", "flicker", "drift"])
@STREAMS
def test_a_stream_that_begins_idle_is_one_segment_until_it_moves(
    model: str, channels: slice, rate: float, kind: str
) -> None:
    frames = canonical_pose(motion(1, rate)).frames[: round(40 * rate), channels]
    n = round(120.0 * rate)
    before = np.repeat(frames[:1], n, axis=0) + idle(kind, n, frames.std(axis=0))
    emitted = events(np.concatenate([before, frames]), rate, model)
    segments = within(closed(emitted), 0.0, 120.0)
    assert len(segments) <= 3
    assert len({segment.label for segment in segments}) <= 2
    # A pattern of few channels shows only when it has repeated.
    patience = 5.0 if frames.shape[1] <= 4 else 1.0
    assert segments[-1].end_time_s == pytest.approx(120.0, abs=patience)
    assert not [when for when in anomalies_s(emitted) if when < 120.0]


@pytest.mark.parametrize("channels", [1, 15])
def test_minutes_of_nothing_but_noise_stay_together(channels: int) -> None:
    noise = np.random.default_rng(channels).standard_normal((3000, channels))
    emitted = events(noise, 10.0, SCRATCH)
    assert len(closed(emitted)) <= 2
    assert len(anomalies_s(emitted)) <= 2


def test_a_glitch_is_no_end_of_a_rest() -> None:
    wave = np.sin(np.arange(400) / 3.0)
    still = np.full(1200, wave[-1])
    still[500:502] += 40.0
    values = np.concatenate([wave, still, wave])[:, None]
    segments = within(closed(events(values, 10.0, SCRATCH)), 40.0, 160.0)
    assert [(s.start_time_s, s.end_time_s) for s in segments] == [pytest.approx((40.0, 160.0), abs=1.0)]
