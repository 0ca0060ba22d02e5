"""Builds wheel and sdist, checks them, and runs the wheel as its users will: python -m tests.packaging.package

Each group of extras is installed in an environment of its own and run outside of the checkout.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.packaging.environments import ROOT, Environment, bare

RECORDING = """
import numpy as np
from kineseg.motion import generate
motion = generate(3, rate=60.0, actions=("walk", "squat", "wave"), n_segments=3)
np.savez("take.npz", positions=motion.positions, rate=motion.rate, joints=np.array(motion.joints),
         parents=np.array(motion.skeleton.parents))
"""
SEGMENT_WITHOUT_LOCAL = """
import kineseg
from kineseg.motion import generate
try:
    kineseg.segment(generate(0))
except kineseg.UsageError as error:
    print(error)
"""
SERVE_PATIENCE_S = 120


def build(out: Path, scratch: Path) -> tuple[Path, Path]:
    """Makes sdist and wheel, the wheel from the sdist, of a copy of the tracked files; returns (wheel, sdist)."""
    tree = scratch / "tree"
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, names.split("\0")):
        if (ROOT / name).is_file():  # not one that was deleted
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, tree / name)
    made = scratch / "dist"
    tool("build", "--installer", "uv", "--outdir", made, tree)
    (wheel,), (sdist,) = made.glob("*.whl"), made.glob("*.tar.gz")
    out.mkdir(parents=True, exist_ok=True)
    for old in [*out.glob("kineseg-*.whl"), *out.glob("kineseg-*.tar.gz")]:
        old.unlink()
    return Path(shutil.copy2(wheel, out)), Path(shutil.copy2(sdist, out))


def check(wheel: Path, sdist: Path) -> None:
    """What is in them, and what an index would say of them."""
    tool("twine", "check", "--strict", wheel, sdist)
    tool("check_wheel_contents", "--ignore", "W009", wheel)  # that the wheel brings five packages, which is meant
    with tarfile.open(sdist) as archive:
        sizes = {member.name.partition("/")[2]: member.size for member in archive.getmembers() if member.isfile()}
    missing = {"pyproject.toml", "LICENSE", "README.md"} - set(sizes)
    demand(not missing, f"the sdist lacks {missing}")
    strange = [name for name in sizes if re.match(r"(shared|runs|tests|.*-output)/|.*\.(c3d|trc|bvh|mat|pt)$", name)]
    demand(not strange, f"the sdist has data in it: {strange}")
    print(f"{wheel.name}: {wheel.stat().st_size / 1e6:.1f} MB; {sdist.name}: {sdist.stat().st_size / 1e6:.1f} MB")


def plain(environment: Environment, folder: Path) -> None:
    """The library alone."""
    # Outside of the checkout, without what serves, and without saying anything.
    environment.run(
        [environment.python, "-W", "error", "-c", "from kineseg import *; import kineseg.motion"], cwd=folder
    )
    environment.run([environment.python, "-W", "error", "-c", RECORDING], cwd=folder)
    refused(environment, folder, ["--help"], "kineseg[cli]")
    said = environment.run([environment.python, "-c", SEGMENT_WITHOUT_LOCAL], cwd=folder).stdout
    demand("kineseg[local]" in said, f"the library does not say what it lacks to segment: {said!r}")


def command_line(environment: Environment, folder: Path) -> None:
    """The command for servers elsewhere."""
    environment.run([environment.python, "-c", RECORDING], cwd=folder)
    kineseg = environment.command("kineseg")
    for arguments in (["--help"], ["version"], ["segment", "--help"], ["label", "list", "--bank", "none.json"]):
        done = environment.run([kineseg, *arguments], cwd=folder, check=arguments[0] != "label")
        demand("Traceback" not in done.stderr, f"kineseg {arguments} failed: {done.stderr}")
    refused(environment, folder, ["serve"], "kineseg[service]")
    refused(environment, folder, ["models"], "kineseg[service]")
    refused(environment, folder, ["demo"], "kineseg[service,plot]")
    refused(environment, folder, ["segment", "take.npz"], "kineseg[service]")
    refused(environment, folder, ["batch", "take.npz", "--out", "segments.parquet"], "kineseg[batch]")
    refused(environment, folder, ["stream", "file:take.npz"], "kineseg[local]")
    refused(environment, folder, ["stream", "vmc://0.0.0.0:0"], "kineseg[vmc]")
    refused(environment, folder, ["play", "--to", "lsl:twin"], "kineseg[lsl]")
    refused(environment, folder, ["segment", "take.npz", "--plot", "a.png"], "kineseg[plot]")


def local(environment: Environment, folder: Path) -> None:
    """Segmenting in the caller's process; the parts of a server are not there."""
    code = """
import importlib.util, kineseg
from kineseg.motion import generate
for absent in ("grpc_health", "structlog", "matplotlib", "rich", "typer"):
    assert importlib.util.find_spec(absent) is None, absent
found = kineseg.segment(generate(3, rate=60.0, actions=("walk", "squat", "wave"), n_segments=4))
print(len(found.boundaries), "boundaries")
assert len(found.boundaries), found
"""
    print(environment.run([environment.python, "-c", code], cwd=folder).stdout, end="")


def whole(environment: Environment, folder: Path) -> None:
    """A server, the command that streams to it, and a picture."""
    environment.run([environment.python, "-c", RECORDING], cwd=folder)
    kineseg = environment.command("kineseg")
    server = subprocess.Popen(
        [str(kineseg), "serve", "--port", "0", "--metrics-port", "-1", "--log-format", "json"],
        cwd=folder, env=bare(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        address = address_of(server)
        ask = [kineseg, "segment", "take.npz", "--server", address]
        environment.run([*ask, "--out", "events.jsonl", "--labels", "labels.csv", "--plot", "a.png"], cwd=folder)
    finally:
        server.terminate()
        server.wait(SERVE_PATIENCE_S)
    demand(server.returncode == 0, f"the server ended with {server.returncode}")
    demand((folder / "a.png").read_bytes().startswith(b"\x89PNG"), "there is no picture")
    demand('"summary"' in (folder / "events.jsonl").read_text(), "the events have no summary")
    print(f"{len((folder / 'events.jsonl').read_text().splitlines())} events from a server at {address}")


USES: dict[str, Callable[[Environment, Path], None]] = {
    "": plain,
    "[cli]": command_line,
    "[local]": local,
    "[service,cli,plot]": whole,
}


def address_of(server: subprocess.Popen[str]) -> str:
    """Where a server listens, by its log."""
    assert server.stdout is not None
    said = ""
    for line in server.stdout:
        said += line
        if found := re.search(r"127\.0\.0\.1:\d+", line):
            return found[0]
    sys.exit(f"the server did not start:\n{said}")


def refused(environment: Environment, folder: Path, arguments: list[str], extra: str) -> None:
    """The command says in one line which extra it lacks."""
    done = environment.run([environment.command("kineseg"), *arguments], cwd=folder, check=False)
    lines = done.stderr.splitlines()
    good = done.returncode == 2 and len(lines) == 1 and f'pip install "{extra}"' in lines[0] and not done.stdout
    demand(good, f"kineseg {' '.join(arguments)}: status {done.returncode}, not a line with {extra}:\n{done.stderr}")


def demand(holds: bool, otherwise: str) -> None:
    if not holds:
        sys.exit(otherwise)


def tool(module: str, *arguments: object) -> None:
    """Run a tool of this environment; shows what it said where it failed."""
    command = [sys.executable, "-m", module, *map(str, arguments)]
    done = subprocess.run(command, env=bare(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    demand(done.returncode == 0, f"{module} failed:\n{done.stdout}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "dist", help="folder for wheel and sdist")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        wheel, sdist = build(chosen.out, scratch)
        check(wheel, sdist)
        for extras, use in USES.items():
            began = time.monotonic()
            folder = scratch / f"use{extras}"
            folder.mkdir()
            environment = Environment(scratch / f"environment{extras}")
            environment.install("-c", ROOT / "constraints.txt", f"{wheel.resolve()}{extras}")
            use(environment, folder)
            print(f"kineseg{extras}: installed and run in {time.monotonic() - began:.0f} s", flush=True)


if __name__ == "__main__":
    main()
