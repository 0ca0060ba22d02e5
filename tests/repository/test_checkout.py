"""A checkout on Windows, whose git writes other ends of lines, holds the bytes that were committed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from kineseg_core.inference.bundle import load_bundles

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The last commit as git for Windows would check it out."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("this is no clone, or git is not installed")
    folder = tmp_path_factory.mktemp("checkout") / "kineseg"
    clone = ["git", "clone", "--quiet", "--depth", "1", "-c", "core.autocrlf=true", ROOT.as_uri(), str(folder)]
    subprocess.run(clone, check=True)
    return folder


def test_the_packaged_bundle_verifies(checkout: Path) -> None:
    assert list(load_bundles([checkout / "service" / "kineseg_core" / "bundles" / "default"])) == ["motion"]


def test_lines_end_as_make_and_the_shell_want_it(checkout: Path) -> None:
    for name in ("Makefile", ".ci/run", "protos/kineseg/v1/segmentation.proto"):
        assert b"\r" not in (checkout / name).read_bytes(), name
