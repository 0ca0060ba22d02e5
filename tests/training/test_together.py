"""Several processes that train together, as `torchrun` starts them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import torch
from kineseg_training.loop import LAST, load_saved

from tests.training.together import COMMANDS, train_each

ROOT = Path(__file__).parents[2]


def test_two_processes_come_to_what_one_does(recordings: Path, few_clips: Path, tmp_path: Path) -> None:
    train_each(tmp_path / "alone", recordings, few_clips)
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    launcher = ["torch.distributed.run", "--standalone", "--nproc-per-node=2", "-m", "tests.training.together"]
    done = subprocess.run(
        [sys.executable, "-m", *launcher, tmp_path / "together", recordings, few_clips],
        env=os.environ | {"PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("best epoch") == done.stdout.count("best validation loss") == 1  # one speaks for both
    for name in ("line", *COMMANDS):
        alone, together = (load_saved(tmp_path / run / name / LAST) for run in ("alone", "together"))
        assert together.iteration == alone.iteration
        # The recogniser is normalised over a batch, and here over each process's share of it.
        near = 5e-2 if name == "recognition" else 1e-5
        for parameter, value in alone.network.items():
            torch.testing.assert_close(together.network[parameter], value, rtol=1e-4, atol=near)
