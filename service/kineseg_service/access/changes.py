"""Whether files have changed since they were read."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

# Systems note the time of a write in ticks, mostly of 4 or 10 ms.
_TICK_NS = 20_000_000

Signature = tuple[tuple[int, int, int, int] | None, ...]


def signature(paths: Sequence[Path], clock: Callable[[], int] = time.time_ns) -> Signature:
    """Something else whenever one of them has been written or replaced; a link stands for what it points to.

    And once more soon after that: what is written twice within a tick of the file system may look the same.

    Args:
        paths: The files.
        clock: What tells the time of day, in nanoseconds.
    """
    return tuple(_one(path, clock()) for path in paths)


def _one(path: Path, now_ns: int) -> tuple[int, int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    is_fresh = 0 <= now_ns - found.st_mtime_ns < _TICK_NS
    return found.st_mtime_ns, found.st_size, found.st_ino, now_ns if is_fresh else 0
