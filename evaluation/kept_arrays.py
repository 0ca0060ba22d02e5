"""Arrays kept on disk under a name and a digest of all that they depend on: found again while that stays the same."""

from __future__ import annotations

import os
import re
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


def place(folder: Path, name: str, digest: str) -> Path:
    """The file in `folder` of what is called `name`."""
    return folder / "-".join(re.findall("[a-z0-9]+", name.lower())) / f"{digest[:32]}.npz"


def read(path: Path) -> dict[str, NDArray[Any]] | None:
    """The arrays by name; None if there are none, or the file was cut off while it was written."""
    if not path.is_file():
        return None
    try:
        with path.open("rb") as file, np.load(file) as kept:
            return dict(kept)
    except (OSError, ValueError, zipfile.BadZipFile):
        return None


def write(path: Path, **arrays: Any) -> None:
    """For `read` to find, all of them or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(f".{os.getpid()}.npz")
    np.savez_compressed(unfinished, **arrays)
    unfinished.replace(path)
