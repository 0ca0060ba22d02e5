"""How many threads numerical libraries take: set before they are loaded, in this process and those that it starts."""

from __future__ import annotations

import os


def one_thread_each() -> None:
    """A core a process: whoever runs as many processes as there are cores wants no more."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
        os.environ.setdefault(name, "1")
