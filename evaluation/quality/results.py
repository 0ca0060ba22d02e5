"""What came out: of one method on one set, and all about one set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from kineseg import Segmentation

from evaluation.quality.calibration import Reliability
from evaluation.quality.scores import Prediction, StreamScore, mean, score_stream
from evaluation.quality.stream import AnnotatedStream

Kind = Literal["ours", "oracle", "peer", "floor"]

FINAL, PROVISIONAL = "kineseg, final", "kineseg, provisional"
OUR_LABELS, NEAREST_CENTROID = "ORACLE: true boundaries + our labels", "ORACLE: true boundaries + nearest centroid"
BLIND, ONE_LABEL = "blind cut every 7 s", "one label, no boundary"


@dataclass(frozen=True, eq=False)
class MethodResult:
    """One method on one set.

    Attributes:
        method: Its name.
        kind: Ours, someone else's, or a bound from above or below.
        score: Mean figures.
        each: Figures of every stream.
        predictions: What it said, one of each stream.
        minutes: How long the streams are, all together.
        waits_s: From each boundary that was emitted, right or wrong, to when it was.
        frames_per_s: Frames of the streams' own rates that one core deals with in a second; None if not measured.
    """

    method: str
    kind: Kind
    score: StreamScore
    each: tuple[StreamScore, ...]
    predictions: tuple[Prediction, ...]
    minutes: float
    waits_s: tuple[float, ...]
    frames_per_s: float | None = None

    @classmethod
    def of(
        cls,
        method: str,
        kind: Kind,
        streams: Sequence[AnnotatedStream],
        predictions: Sequence[Prediction],
        cpu_s: float | None = None,
    ) -> MethodResult:
        """What `method` said about `streams`, one prediction each, in `cpu_s` of one core."""
        pairs = list(zip(streams, predictions, strict=True))
        each = tuple(score_stream(stream, prediction) for stream, prediction in pairs)
        waits = tuple(float(w) / s.rate for s, p in pairs for w in p.emitted - p.boundaries)
        frames = sum(stream.n_frames for stream in streams)
        minutes = sum(stream.n_frames / stream.rate for stream in streams) / 60.0
        speed = frames / cpu_s if cpu_s else None
        return cls(method, kind, mean(each), each, tuple(predictions), minutes, waits, speed)

    @property
    def streams(self) -> int:
        """How many."""
        return len(self.each)

    @property
    def segments(self) -> tuple[int, ...]:
        """Number of segments in each stream."""
        return tuple(len(prediction.boundaries) + 1 for prediction in self.predictions)

    @property
    def boundaries_per_minute(self) -> float:
        """Boundaries emitted in a minute of the streams."""
        return sum(len(prediction.boundaries) for prediction in self.predictions) / self.minutes


@dataclass(frozen=True, eq=False)
class ScoredStream:
    """One stream, for its picture: what our service said about it."""

    stream: AnnotatedStream
    result: Segmentation
    final: StreamScore
    provisional: StreamScore


@dataclass(eq=False)
class SetResult:
    """All about one set.

    Attributes:
        name: Of the set.
        left_out: Whether our service ran with a bundle that was trained and chosen without the set's family.
        bundle: Name of the bundle that it ran with; empty for the packaged one.
        rows: In the order shown.
        streams: Its streams, with their scores.
        reliability: Of the confidence of provisional segments; None if there were none.
        repetition: Of the probability that a segment repeats the action of its label; None if no actions are known.
        not_served: Why our service has no rows; empty if it has.
    """

    name: str
    left_out: bool = False
    bundle: str = ""
    rows: list[MethodResult] = field(default_factory=list)
    streams: list[ScoredStream] = field(default_factory=list)
    reliability: Reliability | None = None
    repetition: Reliability | None = None
    not_served: str = ""

    def row(self, method: str) -> MethodResult | None:
        """The row of a method; None if it was not run."""
        return next((row for row in self.rows if row.method == method), None)
