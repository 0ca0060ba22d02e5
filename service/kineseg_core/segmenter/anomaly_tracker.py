"""From the scores of frames to anomalies: when one begins, becomes worse, and is over."""

from __future__ import annotations

from dataclasses import dataclass

from kineseg_core.segmenter.anomaly import SurpriseMonitor
from kineseg_core.segmenter.decisions import AnomalyEnd, AnomalyStart, AnomalyUpdate, Decision
from kineseg_core.segmenter.settings import SegmenterSettings

_WORSE = 1.2  # a score matters when it is so many times the last one emitted
_LEAST_INTERVAL_S = 1.0


@dataclass(slots=True)
class _Open:
    """The anomaly that goes on.

    Attributes:
        peak: Its highest score.
        emitted, emitted_at: The score emitted last, and the frame with which that was.
        last: The latest frame that was not calm.
    """

    anomaly_id: int
    start: int
    peak: float
    emitted: float
    emitted_at: int
    last: int


class AnomalyTracker:
    """Anomalies of one stream, each with a number of its own: 1, 2, 3 ... Picklable.

    Args:
        settings: Numbers of the method.
        rate_hz: Frames a second.
    """

    def __init__(self, settings: SegmenterSettings, rate_hz: float) -> None:
        self._surprise = SurpriseMonitor(settings, rate_hz)
        self._interval = max(1, round(_LEAST_INTERVAL_S * rate_hz))
        self._count = 0
        self._open: _Open | None = None

    @property
    def score(self) -> float:
        """Robust standard deviations of the last frame's log surprise above its median."""
        return self._surprise.score

    def update(self, index: int, surprise: float, decisions: list[Decision], *, still: bool) -> None:
        """Takes the surprise of frame `index`, the stream standing still or not, and appends what it decides."""
        begins = self._surprise.update(surprise, still=still)
        score, threshold = self._surprise.score, self._surprise.threshold
        if begins:
            self._count += 1
            self._open = _Open(self._count, index, score, score, index, index)
            decisions.append(AnomalyStart(index, self._count, score, threshold))
            return
        anomaly = self._open
        if anomaly is None:
            return
        anomaly.peak = max(anomaly.peak, score)
        if score >= threshold / 2:
            anomaly.last = index
        if self._surprise.is_over:
            self._end(anomaly, anomaly.last + 1, decisions)
        elif anomaly.peak >= _WORSE * anomaly.emitted and index - anomaly.emitted_at >= self._interval:
            anomaly.emitted, anomaly.emitted_at = anomaly.peak, index
            decisions.append(AnomalyUpdate(anomaly.anomaly_id, anomaly.peak))

    def finish(self, end: int, decisions: list[Decision]) -> None:
        """The stream has ended before frame `end`, or was interrupted: so is the anomaly that goes on."""
        if self._open is not None:
            self._end(self._open, end, decisions)

    def restart(self) -> None:
        """The stream goes on after an interruption, see `SurpriseMonitor.restart`."""
        self._surprise.restart()

    def _end(self, anomaly: _Open, end: int, decisions: list[Decision]) -> None:
        decisions.append(AnomalyEnd(anomaly.anomaly_id, end, anomaly.peak))
        self._open = None
