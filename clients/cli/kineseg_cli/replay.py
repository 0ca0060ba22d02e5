"""Sends a recording at a chosen pace in one thread, and yields what the server emits in another."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from kineseg import (
    Client,
    Decisions,
    EndReason,
    Event,
    FrameResult,
    ModelInput,
    Opened,
    Reconnected,
    Stream,
    StreamConfig,
    Summary,
)

_LIVE_CHUNK_S = 0.05
_FAST_CHUNK_S = 0.5


class Replay:
    """A recording to stream; iterating over it streams it, and yields everything emitted, up to the summary.

    A failure on either side ends both: neither the sender nor the reader is left waiting for the other.

    Args:
        client: The client of the server that segments it.
        given: The recording in the form that the model takes.
        model: Name of the model.
        latency_s: See `kineseg.StreamConfig`.
        boundary_threshold: See `kineseg.StreamConfig`.
        alarms_per_hour: See `kineseg.StreamConfig`.
        reports_per_hour: See `kineseg.StreamConfig`.
        profile: See `kineseg.StreamConfig`.
        return_profile: See `kineseg.StreamConfig`.
        rules: See `kineseg.StreamConfig`.
        frame_results: See `kineseg.StreamConfig`.
        decisions: See `kineseg.StreamConfig`.
        speed: How many times faster than it was captured; None: as fast as possible.
        stop: Once it is set, no more is sent, and the stream ends properly with what was sent.
        on_sent: Called in the sending thread with the number of frames sent so far.
        resume: See `kineseg.StreamConfig`.
        on_reconnected: Called when the connection broke and the stream goes on.
    """

    def __init__(
        self,
        client: Client,
        given: ModelInput,
        *,
        model: str,
        latency_s: float | None = None,
        boundary_threshold: float | None = None,
        alarms_per_hour: float | None = None,
        reports_per_hour: float | None = None,
        profile: Mapping[str, Any] | None = None,
        return_profile: bool = False,
        rules: str | Path = "",
        frame_results: bool = False,
        decisions: Decisions = "all",
        speed: float | None = None,
        stop: threading.Event | None = None,
        on_sent: Callable[[int], None] | None = None,
        resume: bool = True,
        on_reconnected: Callable[[Reconnected], object] = lambda how: None,
    ) -> None:
        self._given = given
        self._speed = speed
        self._stop = stop or threading.Event()
        self._on_sent = on_sent
        self._on_reconnected = on_reconnected
        self._failure: BaseException | None = None
        config = StreamConfig(
            rate=given.recording.rate,
            channels=given.channels,
            joints=given.joints,
            model=model,
            latency_s=latency_s,
            boundary_threshold=boundary_threshold,
            alarms_per_hour=alarms_per_hour,
            reports_per_hour=reports_per_hour,
            profile=profile,
            return_profile=return_profile,
            rules=rules,
            frame_results=frame_results,
            decisions=decisions,
            resume=resume,
            chunk_s=_FAST_CHUNK_S if speed is None else _LIVE_CHUNK_S,
        )
        self._stream = client.stream(config)

    @property
    def opened(self) -> Opened:
        """What the server said when it opened the stream; once that has happened."""
        return self._stream.opened

    @property
    def profile(self) -> dict[str, Any] | None:
        """What the recording has taught about its source; once it has ended, if it is to be given back."""
        return self._stream.profile

    @property
    def processed(self) -> int:
        """Number of frames of the recording that the server has processed."""
        return self._stream.frames_processed

    def __iter__(self) -> Iterator[Event | FrameResult]:
        """Stream it, once.

        Raises:
            KinesegError: A frame cannot be sent, the call failed, or the server ended the stream early.
        """
        ended = threading.Event()
        summary: Summary | None = None
        with self._stream as stream:
            sender = threading.Thread(target=self._send, args=(stream, ended), name="kineseg-sender", daemon=True)
            sender.start()
            try:
                for item in stream:
                    summary = item if isinstance(item, Summary) else summary
                    if isinstance(item, Reconnected):
                        self._on_reconnected(item)
                    else:
                        yield item
            except BaseException:
                stream.cancel()
                raise
            finally:
                ended.set()
                sender.join()
        # A stream that its own client ended is as long as it was meant to be.
        if summary is not None and summary.reason is not EndReason.COMPLETED:
            summary.raise_for_early_end(self.processed, self._given.recording.n_frames)
        if self._failure is not None:
            raise self._failure

    def _send(self, stream: Stream, ended: threading.Event) -> None:
        recording, frames, speed = self._given.recording, self._given.frames, self._speed
        rows = max(1, round((_FAST_CHUNK_S if speed is None else _LIVE_CHUNK_S) * recording.rate))
        times = recording.times() - recording.times()[0]
        started = time.monotonic()
        try:
            for first in range(0, recording.n_frames, rows):
                piece = slice(first, min(first + rows, recording.n_frames))
                if speed is not None:
                    self._wait_until(started + float(times[piece.stop - 1]) / speed, ended)
                if self._stop.is_set() or ended.is_set():
                    break
                stamps = None if recording.timestamps is None else recording.timestamps[piece]
                stream.send(frames[piece], stamps)
                if self._on_sent is not None:
                    self._on_sent(piece.stop)
            stream.end_input()
        except BaseException as error:  # whatever it is, it is raised where the stream is read
            self._failure = error
            stream.cancel()

    def _wait_until(self, due: float, ended: threading.Event) -> None:
        """Waits in steps short enough that neither a signal nor the end of the stream is noticed late."""
        while not (ended.is_set() or self._stop.is_set()):
            left = due - time.monotonic()
            if left <= 0:
                return
            self._stop.wait(min(left, 0.1))
