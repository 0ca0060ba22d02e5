"""The `kineseg` command. What it needs beyond the plain install is imported only when it runs."""

from __future__ import annotations

import sys
from importlib.util import find_spec

# One of each part of the `service` extra that every command needs.
_NEEDED = ("typer", "rich", "onnxruntime", "pydantic_settings", "grpc_health", "river", "structlog", "matplotlib")


def main() -> None:
    """Run the command with the arguments of the process, and exit."""
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        print(
            f'kineseg: the command needs what serving needs ({missing[0]} is missing): pip install "kineseg[service]"',
            file=sys.stderr,
        )
        sys.exit(2)
    try:
        from kineseg_cli.app import run
    except KeyboardInterrupt:  # what is imported takes a moment
        sys.exit(130)
    sys.exit(run(sys.argv[1:]))
