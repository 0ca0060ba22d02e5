"""Exact rules: each finds its fault within 0.3 s, names it and its units, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from kineseg_core.anomalies import AnomalyKind, Cleared, Raised, WatchedSource

from tests.core.anomalies.bodies import F64, RATE_HZ, body, raised, watched

_FROM, _TO = 900, 945  # 30.0 s to 31.5 s


def _stall(frames: F64) -> None:
    frames[_FROM:_TO] = frames[_FROM - 1]


def _freeze(frames: F64) -> None:
    frames[_FROM:_TO, 7] = frames[_FROM - 1, 7]


def _occlude(frames: F64) -> None:
    frames[_FROM:_TO, 7] = np.nan


def _loop(frames: F64) -> None:
    frames[_FROM:_TO] = frames[_FROM - 300 : _TO - 300]


@pytest.mark.parametrize(
    ("kind", "fault", "one_joint"),
    [
        (AnomalyKind.STALLED, _stall, False),
        (AnomalyKind.FROZEN, _freeze, True),
        (AnomalyKind.OCCLUDED, _occlude, True),
        (AnomalyKind.LOOPED, _loop, False),
    ],
)
def test_a_rule_finds_its_fault(kind, fault, one_joint):
    source, frames = body()
    fault(frames)
    events = watched(source, frames)
    (begun,) = raised(events)
    assert begun.kind in (kind, AnomalyKind.UNUSUAL) or begun.since_s < 30.3
    (over,) = (event for event in events if isinstance(event, Cleared))
    assert over.kind is kind
    assert over.units == (("left_wrist",) if one_joint else source.names)
    assert 29.9 < over.since_s < 30.1
    assert 31.4 < over.end_s < 31.6
    assert over.severity_h > 1000


def test_a_gap_is_found_with_the_first_frame_after_it():
    source, frames = body()
    times_s = np.arange(len(frames)) / RATE_HZ
    times_s[_FROM:] += 0.4
    begun, over = watched(source, frames, times_s)
    assert isinstance(begun, Raised)
    assert begun.kind is AnomalyKind.GAP
    assert begun.since_s == pytest.approx(times_s[_FROM - 1])
    assert begun.text.startswith("no frames for 0.4 s")
    assert isinstance(over, Cleared)


def test_of_equal_frames_for_minutes_one_stall_is_raised():
    source, frames = body()
    frames = np.concatenate([frames, np.repeat(frames[-1:], 9000, axis=0)])
    (begun,) = raised(watched(source, frames))
    assert begun.kind is AnomalyKind.STALLED


def test_a_sensor_that_idles_at_its_resolution_is_not_stalled_again_and_again():
    rng = np.random.default_rng(0)
    frames = np.round(0.4 * rng.standard_normal((18000, 3)))
    source = WatchedSource.of_channels(("x", "y", "z"), 50.0)
    kinds = [event.kind for event in raised(watched(source, frames))]
    assert sum(kind in (AnomalyKind.STALLED, AnomalyKind.FROZEN, AnomalyKind.LOOPED) for kind in kinds) <= 1


def test_a_joint_that_was_never_seen_is_not_missed():
    source, frames = body()
    frames[:, 7] = np.nan
    assert watched(source, frames) == []


def test_a_joint_that_freezes_is_never_called_late():
    source, frames = body()
    _freeze(frames)
    kinds = [event.kind for event in watched(source, frames)]
    assert AnomalyKind.LATE not in kinds
    assert kinds[-1] is AnomalyKind.FROZEN


def channels(seed: int = 0) -> tuple[WatchedSource, F64]:
    """Three channels of noise that swells and abates, one of them of few levels; 50 a second."""
    rng = np.random.default_rng(seed)
    frames = rng.standard_normal((6000, 3)) * (1.5 + np.sin(np.arange(6000) / 400.0))[:, None]
    frames[:, 1] = np.round(frames[:, 1] / 0.2) * 0.2
    return WatchedSource.of_channels("abc", 50.0), frames


def test_a_coarse_channel_may_come_to_rest_and_is_frozen_when_it_stays_so():
    source, frames = channels()
    frames[3000:3030, 1] = frames[3000, 1]  # 0.6 s
    assert raised(watched(source, frames)) == []
    frames[3000:3150, 1] = frames[3000, 1]
    (begun,) = raised(watched(source, frames))
    assert (begun.kind, begun.units) == (AnomalyKind.FROZEN, ("b",))


def test_a_fine_channel_is_frozen_at_once():
    source, frames = channels()
    frames[3000:3030, 0] = frames[3000, 0]
    (begun,) = raised(watched(source, frames))
    assert (begun.kind, begun.units) == (AnomalyKind.FROZEN, ("a",))


def test_what_flickers_or_never_moves_is_no_fault():
    flickering = 0.1 * (np.random.default_rng(4).random((9000, 1)) < 0.3)
    source = WatchedSource.of_channels("a", 30.0)
    assert watched(source, flickering) == []
    assert watched(source, np.full((3000, 1), 7.0)) == []
