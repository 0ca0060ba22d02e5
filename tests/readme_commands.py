"""Runs what a page says to run, and fails where it fails: python tests/readme_commands.py README.md

Fenced blocks marked `sh` and `python` are run one process a block, with this environment's commands: those that begin
with `make` in the repository's root, the others in a scratch folder where there is a recording `take.npz`. A server of
ours is up meanwhile; where a page says localhost:50051 its real address is put. A block marked `text` that follows at
once is what the block before it must print. A block behind `<!-- not run: reason -->` is named with its reason and left
out.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from kineseg.motion import generate
from kineseg_service.config import Settings
from kineseg_service.server import BackgroundServer

ROOT = Path(__file__).resolve().parent.parent
BLOCK = re.compile(
    r"(?:<!-- not run: (?P<why>.*?) -->\n+)?```(?P<kind>sh|python)\n(?P<code>.*?)```\n"
    r"(?:\n```text\n(?P<printed>.*?)```)?",
    re.DOTALL,
)
LIMIT_S = 300


def run_block(kind: str, code: str, printed: str | None, scratch: Path, environment: dict[str, str]) -> str | None:
    """Runs one block and returns what went wrong, or None."""
    command = ["bash", "-euo", "pipefail", "-c", code] if kind == "sh" else [sys.executable, "-c", code]
    try:
        done = subprocess.run(
            command,
            cwd=ROOT if code.startswith("make ") else scratch,
            env=environment,
            text=True,
            capture_output=True,
            timeout=LIMIT_S,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired:
        return f"did not end within {LIMIT_S} s"
    if done.returncode:
        return f"exit status {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    if printed is not None and done.stdout != printed:
        return f"it does not print what the page says, but:\n{done.stdout[-4000:]}"
    return None


def main(pages: list[str]) -> int:
    failures = blocks_run = 0
    binaries = str(Path(sys.executable).parent)
    with (
        BackgroundServer(Settings(port=0, metrics_port=None, log_level="warning")) as server,
        tempfile.TemporaryDirectory() as scratch,
    ):
        environment = os.environ | {"PATH": f"{binaries}:{os.environ['PATH']}"}
        motion = generate(seed=1, duration_s=30, rate=60)
        np.savez(Path(scratch) / "take.npz", positions=motion.positions, rate=motion.rate, joints=motion.joints)
        for page in pages:
            for block in BLOCK.finditer((ROOT / page).read_text()):
                code = block["code"].replace("localhost:50051", server.address)
                title = f"{page}: {code.strip().splitlines()[0]}"
                if block["why"]:
                    print(f"left out  {title}  ({block['why']})", flush=True)
                    continue
                began = time.monotonic()
                problem = run_block(block["kind"], code, block["printed"], Path(scratch), environment)
                print(f"{'FAILED' if problem else 'ran':<9} {title}  ({time.monotonic() - began:.1f} s)", flush=True)
                if problem:
                    print(problem)
                    failures += 1
                blocks_run += 1
    if not blocks_run:
        print("no block was run")
    return 1 if failures or not blocks_run else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
