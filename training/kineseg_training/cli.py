"""The `kineseg-train` command. What it needs beyond the plain install is imported only when it runs."""

from __future__ import annotations

import sys
from importlib.util import find_spec

# One of each part of the `training` extra that every command needs.
_NEEDED = ("torch", "typer", "rich", "onnx", "onnxruntime", "scipy", "sklearn", "matplotlib", "threadpoolctl", "tqdm")


def main() -> None:
    """Run the command with the arguments of the process, and exit."""
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        print(
            f'kineseg-train: training needs more ({missing[0]} is missing): pip install "kineseg[training]"',
            file=sys.stderr,
        )
        sys.exit(2)
    from kineseg_training.commands import app

    app()
