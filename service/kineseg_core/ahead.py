"""Compiles all kernels before anything needs them, in several processes at once: python -m kineseg_core.ahead PART

Numba compiles one function at a time in a process. What the processes have compiled is kept, and found from there.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from filelock import FileLock
from numba.core import event, registry

from kineseg_core import anomalies
from kineseg_core.boundary_network import BoundaryNetwork, packaged_network
from kineseg_core.generic.warm_up import warm_up as warm_up_patterns
from kineseg_core.intake.warm_up import warm_up as warm_up_intake
from kineseg_core.kernels import KERNELS, Compiled, progress_is_said_elsewhere
from kineseg_core.kernels.kept import kept_in
from kineseg_core.segmenter.warm_up import warm_up as warm_up_segmenter

Said = Callable[[int, int], None]

_EVENTS: Any = event
_REGISTRY: Any = registry


def _segmenter() -> None:
    file = packaged_network()
    warm_up_segmenter(BoundaryNetwork(file), file)


# The dearest first, so that none is left over at the end.
_PARTS: dict[str, Callable[[], None]] = {
    "bodies": lambda: anomalies.warm_up(channels=False),
    "segmenter": _segmenter,
    "channels": lambda: anomalies.warm_up(bodies=False),
    "intake": warm_up_intake,
    "patterns": lambda: warm_up_patterns(BoundaryNetwork(packaged_network())),
}


def compile_ahead(said: Said) -> Path | None:
    """Compiles what is not kept yet of all kernels, for this kind of processor; at once where everything is.

    Another process that does the same is waited for. What cannot be compiled in processes of its own, because there is
    one core, or what they compile cannot be kept, is compiled in this one.

    Args:
        said: Is called with how many kernels are compiled, and of how many, first with none; by several threads, one
            after the other. Not where everything is kept.

    Returns:
        The folder in which they are kept; none where none can be written.
    """
    folder = kept_in()
    complete = Path(folder, f"complete-{_kind_of_processor()}")
    if folder and complete.exists():
        return complete.parent
    if not (folder and os.access(folder, os.W_OK)):
        _here(_Progress(said))
        return None
    with FileLock(f"{complete}.lock"):
        if complete.exists():  # by now, through another process
            return complete.parent
        progress = _Progress(said)
        if not (_cores() > 1 and sys.executable and _in_processes(progress)):
            _here(progress)
        complete.touch()
    return complete.parent


class _Progress:
    """Counts kernels, whoever compiles them: some are parts of others that several processes compile."""

    def __init__(self, said: Said) -> None:
        progress_is_said_elsewhere()
        self._said, self._names, self._lock = said, set[str](), threading.Lock()
        said(0, len(KERNELS))

    def add(self, name: str) -> None:
        """One is compiled."""
        with self._lock:
            if name in KERNELS and name not in self._names:
                self._names.add(name)
                self._said(len(self._names), len(KERNELS))


def _here(progress: _Progress) -> None:
    with _heard(progress.add):
        for compile_part in _PARTS.values():
            compile_part()


def _in_processes(progress: _Progress) -> bool:
    """Whether all have done their part."""
    with ThreadPoolExecutor(min(_cores(), len(_PARTS))) as pool:
        return all(list(pool.map(lambda part: _in_process(part, progress), _PARTS)))


def _in_process(part: str, progress: _Progress) -> bool:
    command = [sys.executable, "-m", __spec__.name, part]
    variables = os.environ | {"PYTHONPATH": os.pathsep.join(path or str(Path.cwd()) for path in sys.path)}
    try:
        with subprocess.Popen(
            command,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as process:
            for line in process.stdout or ():
                progress.add(line.strip())
    except OSError:
        return False
    return process.returncode == 0


@contextlib.contextmanager
def _heard(hear: Callable[[str], None]) -> Iterator[None]:
    listener = Compiled(hear)
    _EVENTS.register("numba:compile", listener)
    try:
        yield
    finally:
        _EVENTS.unregister("numba:compile", listener)


def _kind_of_processor() -> str:
    """What numba tells processors apart by, and versions of Python."""
    kind = (*_REGISTRY.cpu_target.target_context.codegen().magic_tuple(), sys.implementation.cache_tag)
    return hashlib.sha256(repr(kind).encode()).hexdigest()[:16]


def _cores() -> int:
    """That this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def main() -> None:
    """Compiles one part, and prints the name of each kernel when it is done."""
    progress_is_said_elsewhere()
    with _heard(lambda name: print(name, flush=True)):
        _PARTS[sys.argv[1]]()


if __name__ == "__main__":
    main()
