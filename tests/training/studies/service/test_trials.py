"""Trials: which fault goes where."""

from __future__ import annotations

import numpy as np
import pytest
from kineseg.motion import Recording, generate
from kineseg_training.data.faults import BODY_FAULTS
from kineseg_training.errors import DataError
from kineseg_training.studies.service.faults.trials import planned


def test_a_plan_has_every_kind_about_equally_often_and_apart() -> None:
    takes = [generate(seed=seed, duration_s=70.0, rate=30.0) for seed in range(3)]
    trials = planned(takes, 6, seed=0)
    kinds = [fault.kind for trial in trials for fault in trial.faults]
    counts = [kinds.count(each.name) for each in BODY_FAULTS]
    assert min(counts) > 0
    assert max(counts) - min(counts) <= 2
    for trial in trials:
        assert len(trial.recording.faults) == len(trial.faults)
        for before, after in zip(trial.faults, trial.faults[1:], strict=False):
            assert after.start_s - before.stop_s >= 2.9


def test_takes_without_joints_or_too_short_ones_are_refused() -> None:
    with pytest.raises(DataError, match="bare: no joint positions"):
        planned([Recording(np.zeros((100, 2)), 50.0, ("a", "b"), name="bare")], 1, 0)
    with pytest.raises(DataError, match="too short to put faults in"):
        planned([generate(seed=1, duration_s=5.0, rate=60.0)], 1, 0)
