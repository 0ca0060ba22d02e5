"""What reads files refuses what is damaged with its own errors, whatever the damage."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from evaluation.chaos.mutator import Mutator
from evaluation.chaos.readers import READERS


@pytest.mark.parametrize("name", sorted(READERS.keys() - {"unknown", "bundle"}))
def test_what_is_damaged_was_read_before(name: str, tmp_path: Path) -> None:
    reader = READERS[name]
    for seed in reader.seeds():
        reader.read(reader.placed(seed, tmp_path))


@pytest.mark.parametrize("name", READERS)
def test_damaged_files_are_refused_or_read(name: str, tmp_path: Path) -> None:
    reader, mutator = READERS[name], Mutator(Random(name))
    for seed in reader.seeds():
        data = seed
        for number in range(60):
            reader.try_on(data, tmp_path)
            data = mutator.damaged(seed if number % 4 == 0 else data)[: 1 << 17]


def test_a_reader_is_fuzzed_by_what_of_its_code_runs(tmp_path: Path) -> None:
    if importlib.util.find_spec("atheris") is None:
        pytest.skip("needs atheris: pip install 'kineseg[fuzz]'")
    (tmp_path / "corpus").mkdir()
    command = [sys.executable, "-m", "evaluation.chaos.fuzz_reader", "rules", str(tmp_path / "corpus"), "1"]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert len(list((tmp_path / "corpus").iterdir())) > 1
