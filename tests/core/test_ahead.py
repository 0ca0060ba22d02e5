"""Kernels are compiled ahead, in processes of their own, and found from there."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from kineseg_core.ahead import compile_ahead
from kineseg_core.kernels import KERNELS
from kineseg_core.kernels.kept import kept_in


def run_with(kept: Path, *arguments: str) -> str:
    """What Python prints that keeps kernels there."""
    return subprocess.run(
        [sys.executable, *arguments],
        env=os.environ | {"NUMBA_CACHE_DIR": str(kept), "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=600,
        check=True,
    ).stdout


def test_what_is_compiled_is_not_compiled_again() -> None:
    compile_ahead(lambda done, of: None)
    said: list[tuple[int, int]] = []
    folder = compile_ahead(lambda done, of: said.append((done, of)))
    assert folder == Path(kept_in())
    assert not said


NARROW = """
import json
from pathlib import Path
from kineseg_core.ahead import compile_ahead
from kineseg_core.warm_up import ALL, Streams
done = []
for streams in (Streams(channels=False, scratch=False), ALL):
    said = []
    folder = compile_ahead(lambda *counts: said.append(counts), streams)
    parts = sorted(path.name.split("-")[-1] for path in Path(folder).glob("complete-*-*"))
    done.append([parts, said[0]])
print(json.dumps(done))
"""


def test_streams_of_joints_wait_for_their_kernels_alone(tmp_path: Path) -> None:
    """Where none is kept as complete; those that this machine has are there, so that nothing is compiled."""
    kept = Path(compile_ahead(lambda done, of: None) or "")
    shutil.copytree(kept, tmp_path / "kernels" / kept.name, ignore=shutil.ignore_patterns("complete-*"))
    joints, rest = json.loads(run_with(tmp_path, "-c", NARROW))
    assert joints[0] == ["bodies", "intake", "steps"]
    assert rest[0] == ["bodies", "channels", "intake", "patterns", "steps"]
    assert (joints[1][0], rest[1][0]) == (0, 0)
    assert joints[1][1] < len(KERNELS)


def test_a_part_names_its_kernels_as_they_are_done(tmp_path: Path) -> None:
    names = run_with(tmp_path, "-m", "kineseg_core.ahead", "intake").split()
    assert "kineseg_core.intake.stretch.advance" in names
    assert set(names) <= KERNELS
    kept = {path.name.partition("-")[0] for path in tmp_path.rglob("*.nbi")}
    assert "stretch.advance" in kept
