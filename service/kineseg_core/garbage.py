"""Python's garbage collector, where a process loads much that it keeps."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_SELDOM = 300_000  # objects until the next look; 700 is Python's own


@contextmanager
def collected_seldom() -> Iterator[None]:
    """While it loads: looking at what is there again and again takes a fifth as long as loading it.

    What is there in the end is not looked at any more: each time it were, all that the process does would stand still
    for a tenth of a second.
    """
    usual = gc.get_threshold()
    gc.set_threshold(max(_SELDOM, usual[0]), *usual[1:])
    try:
        yield
    finally:
        gc.set_threshold(*usual)
        gc.freeze()
