"""What has happened in a stream so far, in seconds since its first frame, for everything that shows it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from kineseg import Anomaly, Event, FrameResult, Gap, SegmentClosed, SegmentStarted, Summary
from kineseg.motion import Recording
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Bar:
    """A stretch of time with a label: a segment found, or one that is known.

    Attributes:
        start_s, end_s: Seconds since the stream's first frame.
        label: Label found, or class id known.
        name: What to write on it.
        segment_id: Number of the segment; -1 for what is known.
        told_s: When it was told that it had ended; None while it is open.
    """

    start_s: float
    end_s: float
    label: int
    name: str
    segment_id: int = -1
    told_s: float | None = None

    @property
    def duration_s(self) -> float:
        """Length, seconds."""
        return self.end_s - self.start_s


@dataclass(frozen=True, slots=True)
class Boundary:
    """A change of action that was told: when it was (`time_s`) and when it was told (`told_s`), seconds."""

    time_s: float
    told_s: float


@dataclass(slots=True)
class Curve:
    """What the model computed, one entry for each of its frames, in the order told."""

    times_s: list[float] = field(default_factory=list)
    surprise: list[float] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    embeddings: list[NDArray[np.float32]] = field(default_factory=list)

    def add(self, result: FrameResult) -> None:
        """Appends one frame."""
        self.times_s.append(result.time_s)
        self.surprise.append(result.surprise)
        self.scores.append(result.anomaly_score)
        self.embeddings.append(result.embedding)


class Story:
    """Everything told about one stream; grows with `add`.

    Args:
        recording: What is streamed, as it is sent (its truth and faults are shown, never sent).
        model_rate_hz: Frames per second of the model, for showing.
        model: Name of the model, for showing.
    """

    def __init__(self, recording: Recording, *, model: str = "", model_rate_hz: float = 0.0) -> None:
        self.recording = recording
        self.model = model
        self.model_rate_hz = model_rate_hz
        self.title = recording.name
        self.synthetic = recording.synthetic
        self.duration_s = recording.duration_s
        self.truth = _truth_bars(recording)
        self.position_s = 0.0
        self.label = -1
        self.score = 0.0
        self.events: list[Event] = []
        self.curve = Curve()
        self.summary: Summary | None = None
        self._closed: list[Bar] = []
        self._open: SegmentStarted | None = None
        self._boundaries: list[Boundary] = []

    def add(self, item: Event | FrameResult) -> None:
        """Takes the next thing told."""
        if isinstance(item, FrameResult):
            self.curve.add(item)
            self.label, self.score = item.label, item.anomaly_score
            self.position_s = max(self.position_s, item.time_s)
            return
        self.events.append(item)
        self.position_s = max(self.position_s, item.decided_time_s)
        if isinstance(item, SegmentStarted):
            self._open, self.label = item, item.label
            if item.segment_id > 0:
                self._boundaries.append(Boundary(item.time_s, item.decided_time_s))
        elif isinstance(item, SegmentClosed):
            bar = Bar(
                item.start_time_s, item.end_time_s, item.label, str(item.label), item.segment_id, item.decided_time_s
            )
            self._closed.append(bar)
            if self._open is not None and self._open.segment_id == item.segment_id:
                self._open = None
        elif isinstance(item, Summary):
            self.summary = item

    def bars(self) -> list[Bar]:
        """The segments found: the closed ones, and the open one up to where the stream is."""
        bars = list(self._closed)
        if self._open is not None and self.position_s > self._open.time_s:
            started = self._open
            label = self.label if self.label >= 0 else started.label
            bars.append(Bar(started.time_s, self.position_s, label, str(label), started.segment_id))
        return bars

    @property
    def boundaries(self) -> Sequence[Boundary]:
        """The changes told so far; the beginning and the end of the stream are none."""
        return self._boundaries

    @property
    def labels(self) -> list[int]:
        """The labels found, each once, in ascending order."""
        return sorted({bar.label for bar in self.bars()})

    @property
    def anomalies(self) -> list[Anomaly]:
        """The anomalies told so far."""
        return [event for event in self.events if isinstance(event, Anomaly)]

    @property
    def gaps(self) -> list[Gap]:
        """The gaps told so far."""
        return [event for event in self.events if isinstance(event, Gap)]

    @property
    def threshold(self) -> float | None:
        """The score from which on an anomaly is told; known once one was told."""
        return self.anomalies[-1].threshold if self.anomalies else None

    def labels_at(self, times_s: Iterable[float]) -> NDArray[np.int64]:
        """The label found for every time, (T,); -1 where none is."""
        times = np.asarray(list(times_s), dtype=np.float64)
        labels = np.full(len(times), -1, dtype=np.int64)
        for bar in self.bars():
            labels[(times >= bar.start_s) & (times < bar.end_s)] = bar.label
        return labels


def _truth_bars(recording: Recording) -> tuple[Bar, ...]:
    """The recording's truth as bars, in seconds."""
    truth = recording.truth
    if truth is None:
        return ()
    times = recording.times() - recording.times()[0]
    edges = [float(times[frame]) for frame in truth.boundaries] + [recording.duration_s]
    return tuple(
        Bar(start, end, label, name)
        for start, end, label, name in zip(edges[:-1], edges[1:], truth.labels, truth.names, strict=True)
    )
