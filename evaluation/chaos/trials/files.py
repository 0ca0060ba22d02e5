"""Readers of files and bundles under a coverage-guided fuzzer (atheris): no exception but ours, in bounded time and
memory."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from evaluation.chaos.outcome import Outcome, least, none
from evaluation.chaos.readers import READERS
from evaluation.chaos.size import Size
from evaluation.chaos.trial import CannotRun

_UNITS = re.compile(r"stat::number_of_executed_units:\s*(\d+)")


def run(size: Size) -> Outcome:
    """Each reader for its part of the time."""
    if importlib.util.find_spec("atheris") is None:
        raise CannotRun("needs atheris: pip install 'kineseg[fuzz]'")
    each_s = size.seconds / len(READERS)
    failed: dict[str, str] = {}
    tried = 0
    for name in READERS:
        with tempfile.TemporaryDirectory() as folder:
            corpus = Path(folder) / "corpus"
            corpus.mkdir()
            command = [sys.executable, "-m", "evaluation.chaos.fuzz_reader", name, str(corpus), str(each_s)]
            done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
            if done.returncode:
                failed[name] = f"status {done.returncode}: {_why(done.stdout + done.stderr, Path(folder))}"
            units = _UNITS.search(done.stderr)
            tried += int(units[1]) if units else 0
    return Outcome(
        (
            none("readers that raised what they should not, or took too long or too much", len(failed)),
            least("readers that were tried", len(READERS) - (tried == 0) * len(READERS), len(READERS)),
        ),
        f"{tried} files, {each_s:.0f} s a reader" + "".join(f"; {name}: {why}" for name, why in failed.items()),
    )


def _why(said: str, folder: Path) -> str:
    """The last lines of what it said, and the bytes that did it."""
    found = [path.read_bytes() for kind in ("crash", "timeout", "oom") for path in folder.glob(f"{kind}-*")]
    lines = [line for line in said.splitlines() if "Uncaught" in line or "Error" in line or "ERROR" in line]
    return f"{' | '.join(lines[-3:]) or said[-300:]} with {found[0][:200]!r}" if found else said[-300:]
