"""Faults change what they say they change, where they say, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kineseg.motion import Recording, canonical_pose, generate
from kineseg_training.errors import DataError, SettingsError
from kineseg_training.studies.service.faults.corruptions import CORRUPTIONS, corrupted
from kineseg_training.studies.service.faults.trials import planned

TAKE = generate(seed=5, duration_s=20.0, rate=60.0)
NAMES = [corruption.name for corruption in CORRUPTIONS]
IN_PLACE = [name for name in NAMES if name != "gap"]


@pytest.mark.parametrize("kind", IN_PLACE)
@settings(max_examples=8, deadline=None)
@given(start_s=st.floats(0.0, 13.0), seed=st.integers(0, 1000))
def test_only_the_fault_s_frames_and_joints_change(kind: str, start_s: float, seed: int) -> None:
    faulty = corrupted(TAKE, kind, start_s, seed)
    (fault,) = faulty.faults
    assert fault.kind == kind
    assert faulty.synthetic
    assert abs(fault.start / TAKE.rate - start_s) <= 1 / TAKE.rate + 1e-9
    assert faulty.positions is not None
    assert TAKE.positions is not None
    changed = ~np.isclose(faulty.positions, TAKE.positions, equal_nan=True).all(axis=2)
    outside = np.ones(len(changed), dtype=bool)
    outside[fault.start : fault.stop] = False
    assert not changed[outside].any()
    assert changed[~outside].any() or kind in ("frozen", "stalled", "late")  # who stands still cannot freeze
    others = [at for at, joint in enumerate(faulty.joints) if joint not in fault.joints]
    assert not changed[:, others].any()


@pytest.mark.parametrize("kind", NAMES)
def test_equal_seeds_are_equal_and_the_service_s_pose_can_be_made(kind: str) -> None:
    one, two = (corrupted(TAKE, kind, 6.0, seed=4) for _ in range(2))
    assert one.positions is not None
    np.testing.assert_array_equal(one.positions, two.positions)
    pose = np.asarray(canonical_pose(one).frames)
    assert np.isnan(pose).any() == (kind == "occluded")


def test_what_grows_is_worst_at_its_end() -> None:
    for kind in (corruption.name for corruption in CORRUPTIONS if corruption.grows):
        faulty = corrupted(TAKE, kind, 5.0, seed=1)
        assert faulty.positions is not None
        assert TAKE.positions is not None
        away = np.linalg.norm(faulty.positions - TAKE.positions, axis=2).max(axis=1)[300:660]
        assert away[:60].max() < 0.3 * away.max()
        assert away[-60:].max() > 0.9 * away.max()


def test_wrong_use_is_refused() -> None:
    with pytest.raises(SettingsError, match="there is no fault 'flood'; there are gap"):
        corrupted(TAKE, "flood", 1.0, 0)
    with pytest.raises(DataError, match="does not fit"):
        corrupted(TAKE, "drift", 17.0, 0)
    bare = Recording(np.zeros((100, 2)), 50.0, ("a", "b"))
    with pytest.raises(DataError, match="no joint positions"):
        corrupted(bare, "spike", 1.0, 0)
    with pytest.raises(DataError, match="too short to put faults in"):
        planned([generate(seed=1, duration_s=5.0, rate=60.0)], 1, 0)


def test_a_plan_has_every_kind_about_equally_often_and_apart() -> None:
    takes = [generate(seed=seed, duration_s=60.0, rate=30.0) for seed in range(3)]
    trials = planned(takes, 4, seed=0)
    kinds = [fault.kind for trial in trials for fault in trial.faults]
    counts = [kinds.count(name) for name in NAMES]
    assert min(counts) > 0
    assert max(counts) - min(counts) <= 2
    for trial in trials:
        assert len(trial.recording.faults) == len(trial.faults)
        for before, after in zip(trial.faults, trial.faults[1:], strict=False):
            assert after.start_s - before.stop_s >= 2.9
