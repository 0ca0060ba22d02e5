"""Files given to a Ray cluster: a job of Ray Data, of which each task is one file."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Iterable, Iterator
from typing import Any

from kineseg._errors import KinesegError, UsageError
from kineseg.batch.choices import Choices
from kineseg.batch.pool import DIED, Outcome, outcome_of

_TRIES = 1  # beyond the first, for a file on which a worker died: it may have been the machine


class RayWorkers:
    """Segments files on the cluster that Ray is connected to, or is by its address; else in a Ray started here.

    Every machine of it must have kineseg and find the files under their paths.

    Args:
        choices: How.
        workers: How many files at a time; None: as many as the cluster has cores.

    Raises:
        UsageError: ``kineseg[ray]`` is not installed.
    """

    def __init__(self, choices: Choices, workers: int | None = None) -> None:
        try:
            import ray
            import ray.data
        except ModuleNotFoundError as error:
            raise UsageError(
                f"a job on Ray needs more than the client has ({error.name} is missing): "
                "pip install 'kineseg[batch,ray]'"
            ) from error
        self._ray, self._choices, self._workers = ray, choices, workers

    def outcomes(self, files: Iterable[str], stop: threading.Event) -> Iterator[Outcome]:
        """One for each file, in the order in which they are done; after `stop` no more.

        Raises:
            KinesegError: The server is gone, or a choice can be used with no file: the others are not begun.
        """
        waiting = list(files)
        if not self._ray.is_initialized():
            self._ray.init(log_to_driver=False)
        for _ in range(1 + _TRIES):
            missing = dict.fromkeys(waiting)
            for outcome in self._once(waiting):
                missing.pop(outcome.file)
                yield outcome
                if stop.is_set():
                    return
            waiting = list(missing)
            if not waiting:
                return
        for file in waiting:
            yield Outcome(file, error=DIED)

    def _once(self, files: list[str]) -> Iterator[Outcome]:
        """Of those files on which no worker died."""
        data, choices = self._ray.data, self._choices
        context = data.DataContext.get_current().copy()
        context.max_errored_blocks = -1  # a task that is lost takes its file alone
        context.enable_progress_bars = False

        def segmented(row: dict[str, Any]) -> dict[str, Any]:
            try:
                what: Outcome | KinesegError = outcome_of(row["item"], choices)
            except KinesegError as error:  # Ray would take it for the end of one file
                what = error
            return {"outcome": pickle.dumps(what)}

        with data.DataContext.current(context):
            blocks = data.from_items(files, override_num_blocks=len(files))
            done = blocks.map(segmented, concurrency=self._workers, ray_remote_args_fn=lambda: {"max_retries": 0})
            for row in done.iter_rows():
                what = pickle.loads(row["outcome"])
                if isinstance(what, KinesegError):
                    raise what
                yield what
