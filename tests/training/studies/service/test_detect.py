"""Through the real server with the bundle that is shipped, on a take."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from kineseg_training.commands import app
from kineseg_training.default.recipe import shipped_bundle
from typer.testing import CliRunner


def test_evaluate_faults_prints_what_was_found(cmu_folder: Path, tmp_path: Path) -> None:
    take = cmu_folder / "subject_86" / "03.mat"
    (tmp_path / "subject_86").mkdir()
    (tmp_path / "subject_86/03.mat").symlink_to(take)
    command = ["evaluate", "--faults", "--bundle", str(shipped_bundle()), "--data", str(tmp_path), "--passes", "4"]
    done = CliRunner().invoke(app, [*command, "--json"])
    assert done.exit_code == 0, done.output
    result = json.loads(done.stdout)
    kinds = {kind["name"]: kind for kind in result["kinds"]}
    assert result["model"] == "motion"
    assert result["clean_minutes"] > 0.5
    assert sum(kind["trials"] for kind in kinds.values()) >= 8
    assert 0 < np.mean([kind["detected_at_rate"] for kind in kinds.values()]) <= 1
    for name in ("gap", "occluded"):  # what the service reports by other means
        assert kinds[name]["reported_otherwise"] == 1.0


def test_takes_that_are_not_there_are_named(tmp_path: Path) -> None:
    command = ["evaluate", "--faults", "--bundle", str(shipped_bundle()), "--data", str(tmp_path)]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 1
    assert "has no takes" in done.output
