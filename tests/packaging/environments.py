"""Small environments made for one check and thrown away."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class Environment:
    """A virtual environment of the Python that runs this.

    Args:
        folder: Where it is made.
    """

    def __init__(self, folder: Path) -> None:
        self._bin = folder / ("Scripts" if os.name == "nt" else "bin")
        self.python = self._bin / "python"
        uv("venv", "--quiet", "--python", sys.executable, folder)

    def install(self, *arguments: object) -> None:
        """`uv pip install`."""
        uv("pip", "install", "--quiet", "--python", self.python, *arguments)

    def versions(self, *names: str) -> str:
        """Those of some distributions, on a line."""
        code = f"from importlib.metadata import version; print(', '.join(f'{{n}} {{version(n)}}' for n in {names!r}))"
        return self.run([self.python, "-c", code], cwd=self._bin).stdout.strip()

    def command(self, name: str) -> Path:
        """A command that was installed."""
        return self._bin / name

    def run(self, command: Sequence[object], *, cwd: Path, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run something in a folder, with nothing of the checkout on the path; shows what it said where it failed."""
        done = subprocess.run(
            [str(part) for part in command], cwd=cwd, env=bare(), capture_output=True, text=True, check=False
        )
        if check and done.returncode:
            sys.exit(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}\nexit status {done.returncode}")
        return done


def bare() -> dict[str, str]:
    """The process's environment without what would bring in the checkout or another environment."""
    hidden = ("PYTHON", "VIRTUAL_ENV", "KINESEG_")
    return {name: value for name, value in os.environ.items() if not name.startswith(hidden)}


def uv(*arguments: object) -> None:
    """Run uv, the one of this environment."""
    subprocess.run([sys.executable, "-m", "uv", *map(str, arguments)], cwd=ROOT, env=bare(), check=True)
