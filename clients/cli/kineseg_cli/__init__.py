"""The `kineseg` command. It needs the extra `cli`; what only some commands need is imported by them, on use."""

from __future__ import annotations

import sys
from importlib.util import find_spec

from kineseg_core.garbage import collected_seldom

_NEEDED = ("typer", "rich")  # by every command


def main() -> None:
    """Run the command with the arguments of the process, and exit."""
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        print(
            f'kineseg: the command needs more than the library ({missing[0]} is missing): pip install "kineseg[cli]"',
            file=sys.stderr,
        )
        sys.exit(2)
    try:
        with collected_seldom():
            from kineseg_cli.app import run
    except KeyboardInterrupt:  # what is imported takes a moment
        sys.exit(130)
    sys.exit(run(sys.argv[1:]))
