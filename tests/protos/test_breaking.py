"""What clients were compiled against may grow, and nothing of it may go: `make lint` compares with the last tag."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROTOS = Path(__file__).parents[2] / "protos"
FIRST = """syntax = "proto3";
package kineseg.v1;
message Thing {
  string name = 1;
  int64 size = 2;
}
"""


def git(folder: Path, *arguments: str) -> None:
    who = ["-c", "user.name=someone", "-c", "user.email=someone@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", folder, *who, *arguments], check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository of one proto, with the rules of this one, and no tag."""
    protos = tmp_path / "protos" / "kineseg" / "v1"
    protos.mkdir(parents=True)
    shutil.copy(PROTOS / "buf.yaml", tmp_path / "protos")
    (protos / "thing.proto").write_text(FIRST)
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "first")
    return tmp_path


def compare(repository: Path, text: str) -> tuple[int, str]:
    (repository / "protos" / "kineseg" / "v1" / "thing.proto").write_text(text)
    done = subprocess.run(
        [sys.executable, PROTOS / "breaking.py", "--protos", repository / "protos"], capture_output=True, text=True
    )
    return done.returncode, done.stdout + done.stderr


def test_what_is_added_passes_and_what_is_removed_does_not(repository: Path) -> None:
    git(repository, "tag", "v0.1.0")
    added = FIRST.replace("size = 2;", "size = 2;\n  bool new = 3;")
    assert compare(repository, added) == (0, "protos: compared with v0.1.0: nothing breaks clients\n")
    code, said = compare(repository, FIRST.replace("  int64 size = 2;\n", ""))
    assert code == 1
    assert 'Previously present field "2" with name "size"' in said
    assert compare(repository, FIRST.replace("int64 size", "int64 length"))[0] == 1


def test_the_last_tag_counts(repository: Path) -> None:
    git(repository, "tag", "v0.1.0")
    assert compare(repository, FIRST.replace("size = 2;", "size = 2;\n  bool new = 3;"))[0] == 0
    git(repository, "commit", "-q", "-a", "-m", "second")
    git(repository, "tag", "v0.2.0")
    code, said = compare(repository, FIRST)
    assert code == 1
    assert "compared with v0.2.0" in said


def test_without_a_tag_it_says_so(repository: Path) -> None:
    code, said = compare(repository, FIRST.replace("  int64 size = 2;\n", ""))
    assert code == 0
    assert "there is no tag yet" in said
