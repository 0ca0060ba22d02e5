"""The command line as somebody uses it: arguments in, exit status, output and files out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from kineseg.motion import CANONICAL_CHANNELS, Recording, canonical_pose, generate
from kineseg_cli.app import run
from kineseg_core.ahead import compile_ahead

from tests.cli.command import Command, Outcome


@pytest.fixture(scope="session", autouse=True)
def compiled() -> None:
    """On a machine where no server has run before, the first one says on standard error that it compiles kernels."""
    compile_ahead(lambda done, of: None)


@pytest.fixture
def kineseg(capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs a command in this process."""

    def command(*arguments: object) -> Outcome:
        capsys.readouterr()
        status = run([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Outcome(status, captured.out, captured.err)

    return command


@pytest.fixture(scope="session")
def motion() -> Recording:
    """Twenty seconds of four actions."""
    return generate(3, rate=60.0, actions=("walk", "squat", "wave", "jump"), n_segments=4, min_segment_s=4.5)


@pytest.fixture(scope="session")
def motion_file(motion: Recording, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The motion as joint positions."""
    path = tmp_path_factory.mktemp("motion") / "four actions.npz"
    assert motion.skeleton is not None
    assert motion.positions is not None
    np.savez(
        path,
        positions=motion.positions,
        rate=motion.rate,
        joints=np.array(motion.joints),
        parents=np.array(motion.skeleton.parents),
    )
    return path


@pytest.fixture(scope="session")
def gap_file(motion: Recording, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The motion as canonical poses with times, half a second of it missing."""
    path = tmp_path_factory.mktemp("motion") / "gap.csv"
    pose = canonical_pose(motion)
    kept = np.r_[0:600, 630 : pose.n_frames]
    table = np.column_stack([pose.times()[kept], pose.frames[kept]])
    np.savetxt(path, table, delimiter=",", header=",".join(["time", *CANONICAL_CHANNELS]), comments="", fmt="%.6f")
    return path
