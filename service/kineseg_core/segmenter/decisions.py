"""What the segmenter decides, in frames of the model's rate counted from 0.

A segment may be provisional at first (`SegmentStart` with a confidence). It may then be moved or relabelled
(`SegmentUpdate`), and it is retracted (`SegmentRetract`) or its start is confirmed (`SegmentUpdate`). A segment that
was never provisional is confirmed by its `SegmentStart`. A confirmed start never changes; all of `SegmentEnd` is final.

A `point` is the mean embedding (E,) of what has come of the segment so far, less the transitions at its ends; None if
nothing has, or if the embedding means nothing beyond the stream.

A `repeat_probability` is how probable it is that a segment is the same action as one before it: as those of its label
or, where its label is new, as the action that is most like it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Point = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class SegmentStart:
    """A segment begins at `index`; its label may still change until it ends.

    `confidence` is the probability that the start will be confirmed; 1 if it is `confirmed` already.
    """

    index: int
    segment_id: int
    label: int
    confidence: float = 1.0
    confirmed: bool = True
    point: Point | None = field(default=None, compare=False, repr=False)
    repeat_probability: float = 0.0


@dataclass(frozen=True, slots=True)
class SegmentUpdate:
    """What is now known of a segment that has been emitted: where it begins, its label, how sure its start is."""

    index: int
    segment_id: int
    label: int
    confidence: float
    confirmed: bool
    point: Point | None = field(default=None, compare=False, repr=False)
    repeat_probability: float = 0.0


@dataclass(frozen=True, slots=True)
class SegmentRetract:
    """The provisional segment at `index` is retracted; the one before it goes on. Its id is not used again."""

    index: int
    segment_id: int


@dataclass(frozen=True, slots=True)
class SegmentEnd:
    """The segment over frames [start, end) is finished and never changes afterwards."""

    segment_id: int
    label: int
    start: int
    end: int
    point: Point | None = field(default=None, compare=False, repr=False)
    repeat_probability: float = 0.0


@dataclass(frozen=True, slots=True)
class LabelsMerged:
    """At frame `index` `label` turned out to be the same action as `into`, which is used for both from now on."""

    index: int
    label: int
    into: int


Decision = SegmentStart | SegmentUpdate | SegmentRetract | SegmentEnd | LabelsMerged
