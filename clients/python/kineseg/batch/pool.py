"""Files given to processes: as many at a time as there are processes, and none takes others with it."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass

from kineseg._errors import AccessDenied, KinesegError, NotFound, Unavailable, UsageError
from kineseg.batch.choices import Choices
from kineseg.batch.segments import Row, segment_file
from kineseg.motion import MotionError

_CHOICES = ("model", "latency_s", "boundary_threshold", "name_bank")  # fields that are the same for every file
DIED = "the process that segmented it ended: it was killed, or had not enough memory"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file.

    Attributes:
        file: Its path, as given.
        rows: Its segments; none if it failed.
        error: Why it failed; empty: it did not.
    """

    file: str
    rows: tuple[Row, ...] = ()
    error: str = ""


class Processes:
    """Segments files in processes of this machine.

    Args:
        choices: How.
        workers: How many processes, one or more.
    """

    def __init__(self, choices: Choices, workers: int) -> None:
        self._choices, self._workers = choices, workers

    def outcomes(self, files: Iterable[str], stop: threading.Event) -> Iterator[Outcome]:
        """One for each file, in the order in which they are done. After `stop` only of what has been begun.

        Raises:
            KinesegError: The server is gone, or a choice can be used with no file: the others are not begun.
        """
        waiting, suspects = deque(files), deque[str]()
        while waiting and not stop.is_set():
            yield from self._until_one_dies(waiting, suspects, stop)
            # Which of those that were in work is to blame shows where each has a process of its own.
            while suspects and not stop.is_set():
                yield from self._alone(suspects.popleft())

    def _until_one_dies(self, waiting: deque[str], suspects: deque[str], stop: threading.Event) -> Iterator[Outcome]:
        in_work: dict[Future[Outcome], str] = {}
        with self._pool(self._workers) as pool:
            while True:
                try:
                    while waiting and len(in_work) < self._workers and not stop.is_set():
                        in_work[pool.submit(outcome_of, waiting[0], self._choices)] = waiting[0]
                        waiting.popleft()
                except BrokenProcessPool:
                    pass  # so have those in work
                if not in_work:
                    return
                for done in wait(in_work, return_when=FIRST_COMPLETED).done:
                    file = in_work.pop(done)
                    if isinstance(done.exception(), BrokenProcessPool):
                        suspects.append(file)
                    else:
                        yield done.result()
                if suspects:
                    suspects.extend(in_work.values())
                    return

    def _alone(self, file: str) -> Iterator[Outcome]:
        with self._pool(1) as pool:
            try:
                yield pool.submit(outcome_of, file, self._choices).result()
            except BrokenProcessPool:
                yield Outcome(file, error=DIED)

    @staticmethod
    def _pool(workers: int) -> ProcessPoolExecutor:
        # Neither gRPC nor ONNX Runtime outlives a fork.
        return ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), initializer=_begin_process)


def outcome_of(file: str, choices: Choices) -> Outcome:
    """What becomes of a file, its own failure included.

    Raises:
        KinesegError: The failure is not the file's.
    """
    try:
        return Outcome(file, tuple(segment_file(file, choices)))
    except (Unavailable, AccessDenied, UsageError, NotFound):
        raise
    except KinesegError as error:
        if error.field in _CHOICES:
            raise
        return Outcome(file, error=str(error))
    except (MotionError, OSError) as error:
        return Outcome(file, error=str(error))
    except Exception as error:  # whatever a damaged file comes upon, the others go on
        return Outcome(file, error=f"unexpected {type(error).__name__}: {error}")


def _begin_process() -> None:
    with contextlib.suppress(ValueError):
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the one who gives out the files
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
