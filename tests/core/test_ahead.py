"""Kernels are compiled ahead, in processes of their own, and found from there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from kineseg_core.ahead import compile_ahead
from kineseg_core.kernels import KERNELS
from kineseg_core.kernels.kept import kept_in


def test_what_is_compiled_is_not_compiled_again() -> None:
    compile_ahead(lambda done, of: None)
    said: list[tuple[int, int]] = []
    folder = compile_ahead(lambda done, of: said.append((done, of)))
    assert folder == Path(kept_in())
    assert not said


def test_a_part_names_its_kernels_as_they_are_done(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "kineseg_core.ahead", "intake"],
        env=os.environ | {"NUMBA_CACHE_DIR": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=600,
        check=True,
    )
    names = done.stdout.split()
    assert "kineseg_core.intake.stretch.advance" in names
    assert set(names) <= KERNELS
    kept = {path.name.partition("-")[0] for path in tmp_path.rglob("*.nbi")}
    assert "stretch.advance" in kept
