"""Compiles kernels before anything needs them, in several processes at once: python -m kineseg_core.ahead PART

Numba compiles one function at a time in a process. What the processes have compiled is kept, and found from there.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
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
from kineseg_core.warm_up import ALL, Streams, warm_up_steps

Said = Callable[[int, int], None]

_EVENTS: Any = event
_REGISTRY: Any = registry


def _steps() -> None:
    file = packaged_network()
    warm_up_steps()
    warm_up_segmenter(BoundaryNetwork(file), file)


@dataclass(frozen=True, slots=True)
class _Part:
    """What is compiled by one process.

    Attributes:
        compile: Does it.
        rooms: Those of kineseg_core whose kernels it needs.
        without: Not those with this in their names.
    """

    compile: Callable[[], None]
    rooms: tuple[str, ...]
    without: str = "-"

    def has(self, kernel: str) -> bool:
        """Whether it may need the kernel of this name."""
        return kernel.split(".")[1] in self.rooms and self.without not in kernel


# The dearest first, so that none is left over at the end.
_PARTS = {
    "bodies": _Part(lambda: anomalies.warm_up(channels=False), ("anomalies",), without="channel"),
    "steps": _Part(_steps, ("segmenter", "boundary_network", "inference", "session")),
    "channels": _Part(lambda: anomalies.warm_up(bodies=False), ("anomalies",)),
    "intake": _Part(warm_up_intake, ("intake",)),
    "patterns": _Part(lambda: warm_up_patterns(BoundaryNetwork(packaged_network())), ("generic",)),
}


def compile_ahead(said: Said, streams: Streams = ALL) -> Path | None:
    """Compiles what is not kept yet of the kernels, for this kind of processor; at once where everything is.

    Another process that does the same is waited for. What cannot be compiled in processes of its own, because there is
    one core, or what they compile cannot be kept, is compiled in this one.

    Args:
        said: Is called with how many kernels are compiled, and of how many at most, first with none; by several
            threads, one after the other. Not where everything is kept.
        streams: Those that are to find their kernels.

    Returns:
        The folder in which they are kept; none where none can be written.
    """
    kept = kept_in()
    folder, wanted = Path(kept), _parts_for(streams)
    if kept and not _missing(folder, wanted):
        return folder
    if not (kept and os.access(folder, os.W_OK)):
        _here(wanted, _Progress(said, wanted))
        return None
    with FileLock(folder / f"complete-{_kind_of_processor()}.lock"):
        missing = _missing(folder, wanted)
        if not missing:  # by now, through another process
            return folder
        progress = _Progress(said, missing)
        if not (_cores() > 1 and sys.executable and _in_processes(missing, progress)):
            _here(missing, progress)
        for part in missing:
            _mark(folder, part).touch()
    return folder


def _parts_for(streams: Streams) -> list[str]:
    left_out = {"channels": not streams.channels, "patterns": not streams.scratch}
    return [part for part in _PARTS if not left_out.get(part)]


def _missing(folder: Path, parts: Iterable[str]) -> list[str]:
    """Of these parts."""
    return [part for part in parts if not _mark(folder, part).exists()]


def _mark(folder: Path, part: str) -> Path:
    """Is there when all of the part is kept."""
    return folder / f"complete-{_kind_of_processor()}-{part}"


class _Progress:
    """Counts kernels, whoever compiles them: some are parts of others that several processes compile."""

    def __init__(self, said: Said, parts: Iterable[str]) -> None:
        progress_is_said_elsewhere()
        self._wanted = {name for name in KERNELS if any(_PARTS[part].has(name) for part in parts)}
        self._said, self._done, self._lock = said, set[str](), threading.Lock()
        said(0, len(self._wanted))

    def add(self, name: str) -> None:
        """One is compiled."""
        with self._lock:
            if name in self._wanted - self._done:
                self._done.add(name)
                self._said(len(self._done), len(self._wanted))


def _here(parts: Iterable[str], progress: _Progress) -> None:
    with _heard(progress.add):
        for part in parts:
            _PARTS[part].compile()


def _in_processes(parts: Sequence[str], progress: _Progress) -> bool:
    """Whether all have done their part."""
    with ThreadPoolExecutor(min(_cores(), len(parts))) as pool:
        return all(list(pool.map(lambda part: _in_process(part, progress), parts)))


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
        _PARTS[sys.argv[1]].compile()


if __name__ == "__main__":
    main()
