"""What is kept of compiled kernels is of the code as it is, not of what was there before an update."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from kineseg_core.kernels.kept import state_of

CALLEE = """
from kineseg_core.kernels import kernel
from kineseg_core.number import NUMBER

@kernel()
def called(x):
    return x + NUMBER
"""
CALLER = """
from kineseg_core.callee import called
from kineseg_core.kernels import kernel

@kernel()
def calling(x):
    return 2.0 * called(x)
"""
CALLED = """
from numba.core import event
from kineseg_core.caller import calling
with event.install_recorder("numba:compile") as compiled:
    print(calling(1.0), len(compiled.buffer))
"""
CALLED_AS_WELL = """
import numpy as np
from kineseg_core.caller import called, calling
assert calling(1.0) == 4.0 and called(1.0) == 2.0
assert called(np.ones(2)).tolist() == [2.0, 2.0] and calling(np.ones(2)).tolist() == [4.0, 4.0]
"""


@pytest.fixture
def package(tmp_path):
    """A small package with what really makes kernels in it."""
    import kineseg_core.kernels

    folder = tmp_path / "kineseg_core"
    shutil.copytree(Path(kineseg_core.kernels.__file__).parent, folder / "kernels")
    (folder / "__init__.py").touch()
    (folder / "callee.py").write_text(CALLEE)
    (folder / "caller.py").write_text(CALLER)
    (folder / "number.py").write_text("NUMBER = 1.0\n")
    (folder / "other.py").write_text("OTHER = 1\n")
    return folder


def run(package: Path, kept: Path, code: str) -> subprocess.CompletedProcess[str]:
    """In a new process."""
    environment = os.environ | {"PYTHONPATH": str(package.parent), "NUMBA_CACHE_DIR": str(kept)}
    return subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)


def called(package: Path, kept: Path) -> tuple[float, int]:
    """What the kernel that calls another one gives for 1, and how many were compiled for that.

    That it compiles is said once, and only then.
    """
    done = run(package, kept, CALLED)
    value, compiled = done.stdout.split()
    assert done.stderr.count("compiling kernels") == (compiled != "0")
    return float(value), int(compiled)


def test_a_kernel_is_compiled_once_and_anew_when_one_that_it_calls_has_changed(package, tmp_path):
    kept = tmp_path / "kept"
    assert called(package, kept)[0] == 4.0
    assert called(package, kept) == (4.0, 0)
    (package / "callee.py").write_text(CALLEE.replace("x + ", "x - "))
    assert called(package, kept)[0] == 0.0
    (package / "number.py").write_text("NUMBER = 5.0\n")  # constants are compiled in
    assert called(package, kept)[0] == -8.0
    moved = package.parent / "elsewhere" / "kineseg_core"
    shutil.copytree(package, moved)
    assert called(moved, kept) == (-8.0, 0)  # wherever the code lies


def test_a_kernel_that_is_part_of_another_one_can_be_called_as_well(package, tmp_path):
    """In either order: what numba makes of it for kernels cannot be run."""
    run(package, tmp_path / "kept", CALLED_AS_WELL)


def test_only_kernels_and_what_they_import_count(package):
    before = state_of(package)
    (package / "other.py").write_text("OTHER = 2\n")
    assert state_of(package) == before
    (package / "number.py").write_text("NUMBER = 2.0\n")
    assert state_of(package) != before


def test_what_no_code_has_asked_for_in_a_month_is_removed(package, tmp_path):
    kept = tmp_path / "kept"
    called(package, kept)
    (known,) = (kept / "kernels").iterdir()
    old, young = kept / "kernels" / "old", kept / "kernels" / "young"
    for folder, days in ((old, 40), (young, 3)):
        folder.mkdir()
        (folder / "kept.nbi").touch()
        then = time.time() - days * 86400
        os.utime(folder, (then, then))
    called(package, kept)
    assert set((kept / "kernels").iterdir()) == {known, young}


def test_without_a_folder_that_can_be_written_kernels_still_run(package, tmp_path):
    (tmp_path / "kept").touch()  # a file where the folder would be
    assert called(package, tmp_path / "kept")[0] == 4.0
