"""The SDK's tests with the oldest and with the newest libraries allowed: python -m tests.packaging.ranges

The newest are left out where the environment has them already.

Oldest are those of the plain install, and of what the server beside it needs; what the tests themselves need is new.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

from tests.packaging.environments import ROOT, Environment, bare

# The whole of the SDK's behaviour over the wire and in process, and of `kineseg.motion` what leans on NumPy and SciPy.
TESTS = ("tests/sdk", "tests/motion/test_canonical.py", "tests/motion/test_read.py", "tests/motion/test_cmu.py")
RESOLUTIONS = {"oldest": "lowest-direct", "newest": "highest"}

MATTER = ("grpcio", "protobuf", "numpy")
"""What the ranges are of."""


def test(name: str, scratch: Path, options: list[str]) -> int:
    """Make one environment and run the tests in it; returns the exit status."""
    began = time.monotonic()
    environment = Environment(scratch / name)
    requirements = ("-r", "pyproject.toml", "--extra", "service", "--extra", "motion")
    environment.install("--resolution", RESOLUTIONS[name], *requirements)
    environment.install("pytest", "pytest-asyncio", "pytest-xdist", "hypothesis", "jsonschema", "trustme")
    versions = environment.versions(*MATTER)
    print(f"{name}: {versions}; made in {time.monotonic() - began:.0f} s", flush=True)
    if name == "newest" and _but_for_patches(versions) == _but_for_patches(_here()):
        print("but for patches they are those that the whole suite runs with: not run again", flush=True)
        return 0
    command = [
        environment.python,
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        "-n",
        "auto",
        "--dist",
        "loadfile",
        "-m",
        "not data",
    ]
    # The code is that of the checkout: nothing is built here.
    places = ("clients/python", "clients/cli", "service", "training")
    variables = bare() | {"PYTHONPATH": os.pathsep.join(str(ROOT / place) for place in places)}
    return subprocess.run([*command, *TESTS, *options], cwd=ROOT, env=variables, check=False).returncode


def _here() -> str:
    """Versions in this environment, as `Environment.versions` has them."""
    return ", ".join(f"{name} {version(name)}" for name in MATTER)


def _but_for_patches(versions: str) -> list[str]:
    return [one.rpartition(".")[0] for one in versions.split(", ")]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=RESOLUTIONS, help="one of the two")
    chosen, options = parser.parse_known_args()
    with tempfile.TemporaryDirectory() as scratch:
        failed = [
            name for name in RESOLUTIONS
            if chosen.only in (None, name) and test(name, Path(scratch), options)
        ]  # fmt: skip
    if failed:
        sys.exit(f"the SDK's tests fail with the {' and the '.join(failed)} libraries")


if __name__ == "__main__":
    main()
