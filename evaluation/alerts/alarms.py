"""When a score raises an alarm, and the threshold that raises so many an hour where nothing is wrong."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from evaluation.alerts.stream import AlertStream, Span

Array = NDArray[np.float64]

PAUSE_S = 1.0  # an alarm is over when the score has been below the threshold for so long
WARM_S = 10.0  # so long after its beginning no alarm of a stream counts against a threshold
_BLOCK_S = 0.5


def alarm_times(times: Array, scores: Array, threshold: float) -> Array:
    """When alarms begin: the score reaches `threshold` after it was below it for `PAUSE_S`."""
    above = times[scores >= threshold]
    return above[np.diff(above, prepend=-np.inf) > PAUSE_S]


def within(times: Array, spans: Sequence[Span]) -> NDArray[np.bool_]:
    """``(n,)`` which of the times lie in one of the spans, ends included."""
    inside = np.zeros(len(times), dtype=bool)
    for start, stop in spans:
        inside |= (times >= start) & (times <= stop)
    return inside


def false_alarms(stream: AlertStream, at_s: Array) -> Array:
    """Those of the alarms that are wrong: not in an event, and where someone has looked at the stream."""
    wrong = ~within(at_s, stream.events) & ~within(at_s, stream.ignore) & (at_s >= WARM_S)
    return at_s[wrong]


def normal_hours(stream: AlertStream) -> float:
    """How long a false alarm can happen."""
    times = stream.times
    excepted = within(times, stream.events) | within(times, stream.ignore) | (times < WARM_S)
    return float((~excepted).sum() / stream.recording.rate / 3600.0)


def threshold_for(streams: Sequence[AlertStream], scores: Sequence[Array], per_hour: float) -> float:
    """The lowest threshold such that it and all above it raise at most so many false alarms an hour.

    Chosen with the truth: this is what a method could reach at best.
    """
    allowed = int(per_hour * sum(map(normal_hours, streams)) + 1e-9)
    pairs = [(stream, stream.times, each) for stream, each in zip(streams, scores, strict=True)]
    candidates = np.unique(np.concatenate([_peaks(stream, each) for stream, _, each in pairs]))
    for candidate in candidates[::-1]:
        counted = sum(len(false_alarms(s, alarm_times(times, each, candidate))) for s, times, each in pairs)
        if counted > allowed:
            return float(np.nextafter(candidate, np.inf))
    return float(np.nextafter(candidates[0], np.inf))


def _peaks(stream: AlertStream, scores: Array) -> Array:
    """The highest score in every half second: where the number of alarms can change."""
    block = max(1, round(_BLOCK_S * stream.recording.rate))
    return np.maximum.reduceat(scores, np.arange(0, len(scores), block))
