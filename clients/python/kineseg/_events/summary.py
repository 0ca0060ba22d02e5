"""The last event of a stream."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import ClassVar

from kineseg._errors import Unavailable
from kineseg._events.event import Event, EventKind
from kineseg._info import EndReason, Totals

_EARLY_ENDS = {EndReason.DRAINED: "it is shutting down", EndReason.CLOSED: "somebody closed the session"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary(Event):
    """The whole stream; the last event.

    Attributes:
        frames: Number of frames processed, filled ones included; those of a gap that was not filled do not count.
        duration_s: Duration in seconds.
        segments: Number of closed segments.
        labels: Number of different labels; merged ones count once.
        anomalies: Number of anomalies that were raised.
        filled_frames: Number of missing frames that were filled.
        reason: Why the stream ended.
        provisional: Number of segments that were provisional before they were confirmed or retracted, emitted or not.
        retracted: Number of them that were retracted.
        missing_values: Number of values that were missing (NaN) in frames that came.
        model: Name of the model that ran the stream.
        model_sha256: SHA-256 of that model's graph, hexadecimal; empty with model ``"scratch"``.
    """

    kind: ClassVar[EventKind] = EventKind.SUMMARY

    frames: int
    duration_s: float
    segments: int
    labels: int
    anomalies: int
    filled_frames: int
    reason: EndReason
    provisional: int = 0
    retracted: int = 0
    missing_values: int = 0
    model: str = ""
    model_sha256: str = ""

    def raise_for_early_end(self, processed: int, of: int) -> None:
        """Raise if only the first `processed` of so many frames of a recording came through.

        Raises:
            Unavailable: The server ended the stream before. Trying again may help unless somebody closed the session.
        """
        if processed < of:
            why = _EARLY_ENDS.get(self.reason, self.reason.value)
            raise Unavailable(
                f"the server ended the stream after {processed} of {of} frames: {why}",
                code="",
                retryable=self.reason is EndReason.DRAINED,
            )

    @property
    def totals(self) -> Totals:
        """The figures alone."""
        return Totals(**{entry.name: getattr(self, entry.name) for entry in fields(Totals)})
