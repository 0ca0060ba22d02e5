"""Streams recordings at several thresholds, some at a time over one connection."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from kineseg import Client, ModelInput, SegmentStarted

from kineseg_cli.replay import Replay

_AT_ONCE = 4  # streams; the server batches them


@dataclass(frozen=True, slots=True)
class FoundBoundary:
    """A final boundary, seconds since the recording's first frame.

    Attributes:
        time_s: Where it is.
        decided_s: When it became final.
    """

    time_s: float
    decided_s: float


@dataclass(frozen=True, slots=True)
class Trial:
    """A recording as segmented at one threshold.

    Attributes:
        threshold: In force; 0: the model has none.
        found: The boundaries, in the order of time.
    """

    threshold: float
    found: tuple[FoundBoundary, ...]


@dataclass(frozen=True, slots=True)
class Trials:
    """Runs recordings through one server.

    Attributes:
        client: Of the server.
        model: Name of the model.
        latency_s: See `kineseg.StreamConfig`.
        stop: Once it is set, streams end early.
        on_done: Called after each stream.
    """

    client: Client
    model: str
    latency_s: float | None
    stop: threading.Event
    on_done: Callable[[], None]

    def run(self, recordings: Sequence[ModelInput], thresholds: Sequence[float | None]) -> list[list[Trial]]:
        """For each threshold (None: the default) the trial of each recording.

        Raises:
            KinesegError: A stream was refused or failed.
        """
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="kineseg-trial") as pool:
            pending = [[pool.submit(self._run, one, threshold) for one in recordings] for threshold in thresholds]
            try:
                return [[each.result() for each in row] for row in pending]
            except BaseException:
                self.stop.set()
                pool.shutdown(cancel_futures=True)
                raise

    def _run(self, given: ModelInput, threshold: float | None) -> Trial:
        replay = Replay(
            self.client,
            given,
            model=self.model,
            latency_s=self.latency_s,
            boundary_threshold=threshold,
            decisions="final",
            stop=self.stop,
        )
        started = [item for item in replay if isinstance(item, SegmentStarted) and item.frame > 0]
        self.on_done()
        found = tuple(FoundBoundary(event.time_s, event.decided_time_s) for event in started)
        return Trial(replay.opened.boundary_threshold, found)
