"""What repeats otherwise than it did in its action is reported, and a mere change of action is not."""

from __future__ import annotations

import numpy as np
import pytest
from kineseg_core.behaviour.cycles.pairs import limb_pairs
from kineseg_core.events import AnomalyCleared
from numpy.typing import NDArray

from tests.core.behaviour.streams import CHANNELS, RATE_HZ, cleared, kinds, movement, raised, reported_of_movement

Part = tuple[int, NDArray[np.float32]]


def usual(count: int, first: int = 0) -> list[Part]:
    """Two actions in turn, of other periods and sizes, one of which uses the right side more."""
    return [
        (at % 2, movement(30.0, seed=at) if at % 2 else movement(24.0, seed=at, period_s=1.6, size=0.5, left=0.4))
        for at in range(first, first + count)
    ]


CHANGES = [
    ("irregular_cycle", {"period_s": 1.4}, "repeats every 1.4"),
    ("irregular_cycle", {"period_s": 0.75}, "repeats every 0.7"),
    ("irregular_cycle", {"size": 2.0}, "times as large as usual"),
    ("irregular_cycle", {"noise": 0.8}, "as usual"),
    ("one_sided_cycle", {"left": 0.6}, "times as fast as right"),
    ("one_sided_cycle", {"left": 1.6}, "times as fast as right"),
]


@pytest.mark.parametrize(("kind", "change", "said"), CHANGES)
def test_a_cycle_that_changes_is_reported(kind: str, change: dict[str, float], said: str) -> None:
    changed = np.concatenate([movement(10.0, seed=90), movement(24.0, seed=91, **change)])
    before = usual(13)
    begun_s = sum(len(frames) for _, frames in before) / RATE_HZ + 10.0
    found = reported_of_movement([*before, (1, changed), *usual(3, first=14)])
    of_kind = [each for each in raised(found, kind) if begun_s - 5.0 < each.time_ns / 1e9 < begun_s + 24.0]
    assert len(of_kind) == 1
    texts = [each.detail.text for each in found if each.detail.anomaly_id == of_kind[0].detail.anomaly_id]
    assert any(said in text for text in texts)
    assert of_kind[0].decided_ns / 1e9 < begun_s + 14.0
    assert len(cleared(found, kind)) == len(raised(found, kind))


def test_one_side_is_said_with_its_channels() -> None:
    changed = np.concatenate([movement(10.0, seed=90), movement(24.0, seed=91, left=0.5)])
    found = reported_of_movement([*usual(13), (1, changed)])
    detail = raised(found, "one_sided_cycle")[-1].detail
    assert not isinstance(detail, AnomalyCleared)
    assert len(detail.channels) == 6
    assert {name.split(".")[0] for name in detail.channels} in (
        {"left_ankle", "right_ankle"},
        {"left_wrist", "right_wrist"},
    )
    assert detail.joints == ()


def test_a_change_of_action_is_none_of_cycle() -> None:
    found = reported_of_movement(usual(40), per_hour=6.0)
    assert kinds(found) == []


def test_what_does_not_repeat_has_no_cycle() -> None:
    random = np.random.default_rng(0)
    parts = [(0, random.standard_normal((600, len(CHANNELS))).cumsum(axis=0).astype(np.float32)) for _ in range(20)]
    assert "irregular_cycle" not in kinds(reported_of_movement(parts))


def test_a_source_that_stands_at_first_is_watched_as_others_are() -> None:
    still = np.repeat(movement(1.0, seed=1)[:1], round(40.0 * RATE_HZ), axis=0)
    found = reported_of_movement([(2, still), *usual(14)])
    assert raised(found, "irregular_cycle") == []


def test_limbs_are_found_by_their_names() -> None:
    assert [pair.said for pair in limb_pairs(CHANNELS)] == [
        ("left ankle", "right ankle"),
        ("left wrist", "right wrist"),
    ]
    feet = [f"{name}.{axis}" for name in ("LeftFoot", "RightFoot", "Hips") for axis in "xyz"]
    (pair,) = limb_pairs(feet, {"LeftFoot": "bip:LeftFoot"})
    assert pair.units == ("bip:LeftFoot", "RightFoot")
    assert (pair.left, pair.right) == ((0, 1, 2), (3, 4, 5))
    assert limb_pairs(["left_ankle.x", "right_ankle.x", "acc"]) == ()
