"""A bar on the terminal while something takes its time."""

from __future__ import annotations

from typing import NoReturn

from tqdm import tqdm


def progress(what: str, total: int) -> tqdm[NoReturn]:
    """A bar of `total` streams; none where no one looks."""
    return tqdm(total=total, desc=what, leave=False, dynamic_ncols=True, unit="stream", disable=None)
