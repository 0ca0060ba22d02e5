"""What the segmenter decides, in frames of the model's rate counted from 0."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SegmentStart:
    """A segment begins at `index`; its label may still change until it ends."""

    index: int
    segment_id: int
    label: int


@dataclass(frozen=True, slots=True)
class SegmentEnd:
    """The segment over frames [start, end) is finished and never changes afterwards."""

    segment_id: int
    label: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class AnomalyStart:
    """From `index` on the model's surprise is `score` robust standard deviations above what is usual."""

    index: int
    score: float
    threshold: float


Decision = SegmentStart | SegmentEnd | AnomalyStart
