"""Files that are written as a whole: each is the old one or the new one at every moment."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path


def write_whole(path: Path, text: str) -> None:
    """Writes a text in place of what is there; a link stays one, and a file keeps its mode.

    Raises:
        OSError: It cannot be written; what was there is there still.
    """
    target = path.resolve()
    handle, name = _beside(target)
    written = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        written.chmod(target.stat().st_mode & 0o777 if target.exists() else 0o644)
        written.replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            written.unlink()
        raise


def check_writable(path: Path) -> None:
    """Does what `write_whole` does first, and takes it back.

    Raises:
        OSError: No file could be written there.
    """
    handle, name = _beside(path.resolve())
    os.close(handle)
    Path(name).unlink()


def _beside(target: Path) -> tuple[int, str]:
    """A new file, open, in the folder of `target`."""
    return tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
