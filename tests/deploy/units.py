"""The systemd units of deploy/."""

from __future__ import annotations

import configparser
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

DEPLOY = Path(__file__).parents[2] / "deploy"


def service_of(name: str) -> configparser.SectionProxy:
    """A unit's section about the service."""
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read(DEPLOY / name)
    return parser["Service"]


def check_with_systemd(name: str, folder: Path) -> None:
    """Systemd finds no fault in a unit; that of a template gets an instance. The program is one of this machine."""
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze is not installed")
    copy = folder / name.replace("@", "@floor")
    installed = shlex.split(service_of(name)["ExecStart"])[0]
    copy.write_text((DEPLOY / name).read_text().replace(installed, sys.executable))
    done = subprocess.run([analyze, "verify", "--man=no", copy], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert Path(name).stem.rstrip("@") not in done.stderr, done.stderr
