"""Checks that what clients were compiled against goes on working: compares the protos with those of the last tag.

python protos/breaking.py            exit with 1 and the reasons if something has been broken since the last tag
"""

from __future__ import annotations

import argparse
import io
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

PROTOS = Path(__file__).resolve().parent
BUF = Path(sys.executable).with_name("buf")


def last_tag(protos: Path) -> str:
    """The newest tag that is reachable from here; empty: there is none, or this is no git repository."""
    found = subprocess.run(
        ["git", "-C", str(protos), "describe", "--tags", "--abbrev=0"], capture_output=True, text=True, check=False
    )
    return found.stdout.strip() if found.returncode == 0 else ""


def check(protos: Path) -> int:
    """Compares a folder of protos with the same folder at the last tag, and says what it found; 0: nothing."""
    tag = last_tag(protos)
    if not tag:
        print("protos: there is no tag yet, so there is nothing that could be broken")
        return 0
    archive = subprocess.run(
        ["git", "-C", str(protos), "archive", "--format=zip", tag, "."], capture_output=True, check=False
    )
    if archive.returncode:
        print(f"protos: {tag} has none; there is nothing that could be broken")
        return 0
    with tempfile.TemporaryDirectory() as scratch:
        with zipfile.ZipFile(io.BytesIO(archive.stdout)) as files:
            files.extractall(scratch)
        status = subprocess.run([BUF, "breaking", str(protos), "--against", scratch], check=False).returncode
    print(f"protos: compared with {tag}: " + ("what is above breaks clients" if status else "nothing breaks clients"))
    return int(bool(status))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--protos", type=Path, default=PROTOS, help="the folder; default: the one of this file")
    sys.exit(check(parser.parse_args().protos))


if __name__ == "__main__":
    main()
