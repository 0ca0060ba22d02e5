"""Sends a recording at a chosen pace in one thread, and gives what is told in another."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

from kineseg import Client, Decisions, Event, FrameResult, KinesegError, Stream, StreamConfig
from kineseg.motion import Recording

_LIVE_CHUNK_S = 0.05
_FAST_CHUNK_S = 0.5


def replay(
    client: Client,
    recording: Recording,
    *,
    model: str,
    latency_s: float | None = None,
    frame_results: bool = False,
    decisions: Decisions = "all",
    speed: float | None = None,
    stop: threading.Event | None = None,
    on_sent: Callable[[int], None] | None = None,
) -> Iterator[Event | FrameResult]:
    """Stream a recording and give everything that the server tells, up to the summary.

    Args:
        client: Whose server.
        recording: With the model's channels.
        model: Name of the model.
        latency_s: See `kineseg.StreamConfig`.
        frame_results: See `kineseg.StreamConfig`.
        decisions: See `kineseg.StreamConfig`.
        speed: How many times faster than it was captured; None: as fast as it goes.
        stop: Once it is set nothing more is sent, and the stream ends properly with what was.
        on_sent: Called in the sending thread with the number of frames sent so far.

    Raises:
        KinesegError: What ended the call.
    """
    config = StreamConfig(
        rate=recording.rate,
        channels=recording.channels,
        model=model,
        latency_s=latency_s,
        frame_results=frame_results,
        decisions=decisions,
        chunk_s=_FAST_CHUNK_S if speed is None else _LIVE_CHUNK_S,
    )
    ended = stop or threading.Event()
    failures: list[KinesegError] = []
    with client.stream(config) as stream:
        sender = threading.Thread(
            target=_send, args=(stream, recording, speed, ended, on_sent, failures), name="kineseg-sender", daemon=True
        )
        sender.start()
        try:
            yield from stream
        except BaseException:
            stream.cancel()
            raise
        finally:
            ended.set()
            sender.join()
        if failures:
            raise failures[0]


def _send(
    stream: Stream,
    recording: Recording,
    speed: float | None,
    stop: threading.Event,
    on_sent: Callable[[int], None] | None,
    failures: list[KinesegError],
) -> None:
    rows = max(1, round((_FAST_CHUNK_S if speed is None else _LIVE_CHUNK_S) * recording.rate))
    times = recording.times() - recording.times()[0]
    started = time.monotonic()
    try:
        for first in range(0, recording.n_frames, rows):
            piece = slice(first, min(first + rows, recording.n_frames))
            if speed is not None:
                stop.wait(max(0.0, started + float(times[piece.stop - 1]) / speed - time.monotonic()))
            if stop.is_set():
                break
            stamps = None if recording.timestamps is None else recording.timestamps[piece]
            stream.send(recording.frames[piece], stamps)
            if on_sent is not None:
                on_sent(piece.stop)
        stream.close()
    except KinesegError as error:
        failures.append(error)
