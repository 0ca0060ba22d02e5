"""What a stream gives beside its events, and events as a watcher sees them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from kineseg._events.event import Event


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FrameResult:
    """What the model computed for one frame of its own rate.

    Attributes:
        frame: The last frame sent that went into it.
        time_s: Time of that frame in seconds since the stream's first frame.
        surprise: How badly it had been predicted: mean squared error over the normalised channels.
        anomaly_score: Robust standard deviations of the logarithm of surprise above the stream's median of late. A
            trace, on which no anomaly is raised; 0 while there is no history.
        embedding: ``(E,)`` float32, read-only: position in the model's embedding space.
        label: Label of the segment that is open now, as far as it is known now.
    """

    frame: int
    time_s: float
    surprise: float
    anomaly_score: float
    embedding: NDArray[np.float32]
    label: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconnected:
    """The connection of a stream broke, and it goes on: no event of it is lost or comes twice.

    No event of the stream: it has no number, and another run of the same frames does not have it.

    Attributes:
        away_s: For how many seconds there was no connection.
        attempts: How many were made.
        sent_again: Number of frames that the server had not got and gets again.
        reason: What had ended the connection.
    """

    kind: ClassVar[str] = "reconnected"

    away_s: float
    attempts: int
    sent_again: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedEvent:
    """One event of one session, as a watcher sees it.

    Attributes:
        session_id: Name of the session.
        event: The event.
        dropped: Number of events that the server's log had to give up before this watcher had read as far, since the
            event before this one; of whatever session and kind they were. 0 unless it reads too slowly, or comes back
            too late.
        cursor: Where the log goes on after this event, for `Client.watch`.
        log_changed: The watch came from another log, such as that of a server before it was started anew: what had not
            been read of that is lost.
    """

    session_id: str
    event: Event
    dropped: int
    cursor: str = ""
    log_changed: bool = False
