"""Files written whole or not at all, and folders found beside the checkout."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from kineseg_training.errors import EvaluationError

EVAL_VARIABLE = "KINESEG_EVAL"
DATA_VARIABLE = "KINESEG_DATA"


def write_atomically(path: Path, content: bytes) -> None:
    """Replace `path` by `content`; whoever reads meanwhile sees the old file or the new one, never a part."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def find_beside(start: Path, relative: str, variable: str) -> Path:
    """The folder that the environment variable names, or else ``shared/<relative>`` beside the checkout around `start`.

    Raises:
        EvaluationError: Neither is there.
    """
    named = os.environ.get(variable)
    if named:
        return Path(named)
    for parent in start.resolve().parents:
        if (found := parent / "shared" / relative).is_dir():
            return found
    raise EvaluationError(f"no folder shared/{relative} beside the checkout; set {variable} or name the folder")
