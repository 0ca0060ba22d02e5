"""What has come of a stream so far, in seconds since its first frame, for everything that shows it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from kineseg import Event, FrameResult, Gap, LabelsMerged, Opened, Summary
from kineseg.motion import Recording
from numpy.typing import NDArray

from kineseg_cli.show.anomalies import AnomalySpan, AnomalySpans
from kineseg_cli.show.segment_versions import Bar, Boundary, ProvisionalReport, SegmentVersions

Array = NDArray[np.float64]


@dataclass(slots=True)
class ModelOutputs:
    """What the model computed, one entry for each of its frames, in their order."""

    times_s: list[float] = field(default_factory=list)
    surprise: list[float] = field(default_factory=list)
    anomaly_scores: list[float] = field(default_factory=list)
    embeddings: list[NDArray[np.float32]] = field(default_factory=list)

    def add(self, result: FrameResult) -> None:
        """Appends one frame."""
        self.times_s.append(result.time_s)
        self.surprise.append(result.surprise)
        self.anomaly_scores.append(result.anomaly_score)
        self.embeddings.append(result.embedding)


class StreamHistory:
    """A recording that is streamed, and the events and results of frames that have come of it; grows with `add`.

    Args:
        recording: What is streamed, in the model's channels (its truth and faults are shown, never sent).
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
        self.anomaly_score = 0.0
        self.events: list[Event] = []
        self.outputs = ModelOutputs()
        self.summary: Summary | None = None
        self.opened: Opened | None = None  # what the server said when it opened the stream, once somebody sets it
        self.segments = SegmentVersions()
        self._anomalies = AnomalySpans()
        self._last_about: dict[int, Event] = {}
        self._before: dict[int, Event] = {}

    def add(self, item: Event | FrameResult) -> None:
        """Adds the next event or result of a frame."""
        if isinstance(item, FrameResult):
            self.outputs.add(item)
            self.anomaly_score = item.anomaly_score
            self.position_s = max(self.position_s, item.time_s)
            return
        self.events.append(item)
        self.position_s = max(self.position_s, item.decided_time_s)
        self.segments.add(item)
        self._anomalies.add(item)
        segment_id = getattr(item, "segment_id", None)
        if segment_id is not None:
            if segment_id in self._last_about:
                self._before[item.seq] = self._last_about[segment_id]
            self._last_about[segment_id] = item
        if isinstance(item, Summary):
            self.summary = item

    def before(self, event: Event) -> Event | None:
        """The last event about the same segment before `event`; None if there is none, or it is about no segment."""
        return self._before.get(event.seq)

    def bars(self) -> list[Bar]:
        """The segments found, as known now: closed, confirmed and provisional ones, up to where the stream is."""
        return self.segments.bars(self.position_s)

    @property
    def boundaries(self) -> Sequence[Boundary]:
        """The confirmed boundaries; the beginning and the end of the stream are none."""
        return self.segments.confirmed

    @property
    def provisional(self) -> Sequence[ProvisionalReport]:
        """The segments that were reported before they were confirmed, retracted ones included."""
        return self.segments.provisional

    @property
    def merges(self) -> list[LabelsMerged]:
        """The labels that turned out to be one action, in the order reported."""
        return [event for event in self.events if isinstance(event, LabelsMerged)]

    @property
    def labels(self) -> list[int]:
        """The labels found, each once, in ascending order."""
        return sorted({bar.label for bar in self.bars()})

    def name_of(self, label: int) -> str:
        """The name that segments of that label have for the longest time; empty if they are mostly unknown."""
        times: dict[str, float] = {}
        for bar in self.bars():
            if bar.label == label:
                times[bar.named] = times.get(bar.named, 0.0) + bar.duration_s
        return max(times, key=lambda name: times[name], default="")

    @property
    def anomalies(self) -> list[AnomalySpan]:
        """The anomalies raised so far."""
        return self._anomalies.spans

    @property
    def gaps(self) -> list[Gap]:
        """The gaps reported so far."""
        return [event for event in self.events if isinstance(event, Gap)]

    @property
    def breaks(self) -> list[float]:
        """The middle of each gap that cut the stream, seconds: no curve is drawn across it."""
        return [gap.time_s + gap.duration_s / 2 for gap in self.gaps if gap.cuts]

    def streamed(self, times_s: Array) -> NDArray[np.bool_]:
        """Whether each time, (T,), lies outside the gaps that cut the stream."""
        inside = [(times_s > gap.time_s) & (times_s < gap.time_s + gap.duration_s) for gap in self.gaps if gap.cuts]
        return ~np.any(inside, axis=0) if inside else np.ones(len(times_s), dtype=np.bool_)

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
