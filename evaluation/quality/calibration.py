"""Whether what is said to be probable comes true as often: segments that are confirmed, and those that repeat."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from kineseg import LabelsMerged, Segmentation, SegmentClosed
from numpy.typing import NDArray

from evaluation.quality.stream import AnnotatedStream

BINS = 10


@dataclass(frozen=True)
class Reliability:
    """What became of segments, by the probability that they were emitted with.

    Attributes:
        counts: Segments in each of `BINS` equal bins from 0 to 1.
        confidence: Their mean probability; 0 in empty bins.
        confirmed: The share of them of which it came true; 0 in empty bins.
        brier: Mean squared difference of confidence and outcome.
        error: Expected calibration error: mean absolute difference of the two by bin, weighted by counts.
    """

    counts: tuple[int, ...]
    confidence: tuple[float, ...]
    confirmed: tuple[float, ...]
    brier: float
    error: float

    @property
    def total(self) -> int:
        """Number of segments."""
        return sum(self.counts)


def reliability(results: Iterable[Segmentation]) -> Reliability | None:
    """Over all provisional segments that were confirmed or retracted; None if there were none.

    Segments that were confirmed when first emitted were not provisional.
    """
    decided = [a for result in results for a in result.provisional if a.outcome != "open"]
    if not decided:
        return None
    return _of_pairs([(a.confidence, a.outcome == "confirmed") for a in decided])


def repetition_reliability(results: Iterable[tuple[AnnotatedStream, Segmentation]]) -> Reliability | None:
    """Whether segments are the action of their label as often as their `repeat_probability` says; None: not known.

    Over all segments that got the label of an earlier one when they were closed. One came true if most of the segment
    is the true action that most of the label's earlier segments were.
    """
    pairs = [pair for stream, result in results for pair in _repetitions(stream, result)]
    return _of_pairs(pairs) if pairs else None


def _repetitions(stream: AnnotatedStream, result: Segmentation) -> Iterator[tuple[float, bool]]:
    if stream.labels is None:
        return
    counted = np.ones(stream.n_frames, dtype=bool)
    for start, end in stream.ignore:
        counted[start:end] = False
    frames: dict[int, NDArray[np.int64]] = {}  # of each true action, by label
    for event in result.events:
        match event:
            case SegmentClosed():
                inside = slice(event.start_frame, event.end_frame)
                actions = stream.labels[inside][counted[inside]]
                of_segment = np.bincount(actions, minlength=int(stream.labels.max()) + 1)
                before = frames.get(event.label)
                if before is not None and before.any() and of_segment.any():
                    yield event.repeat_probability, bool(before.argmax() == of_segment.argmax())
                frames[event.label] = of_segment if before is None else before + of_segment
            case LabelsMerged() if event.label in frames:
                gone = frames.pop(event.label)
                frames[event.into] = frames[event.into] + gone if event.into in frames else gone


def _of_pairs(pairs: Sequence[tuple[float, bool]]) -> Reliability:
    """From the probability of each segment and whether it came true."""
    confidence, outcome = np.array(pairs, dtype=np.float64).T
    bins = np.minimum((confidence * BINS).astype(np.int64), BINS - 1)
    counts = np.bincount(bins, minlength=BINS)
    sums = [np.bincount(bins, weights=each, minlength=BINS).astype(np.float64) for each in (confidence, outcome)]
    return _from_sums(counts, sums[0], sums[1], brier=float(np.mean((confidence - outcome) ** 2)))


def pooled(each: Sequence[Reliability]) -> Reliability | None:
    """Over the provisional segments of several; None if there are none."""
    if not each:
        return None
    counts = np.array([r.counts for r in each])
    confidence, confirmed = (
        (counts * np.array([getattr(r, name) for r in each])).sum(axis=0) for name in ("confidence", "confirmed")
    )
    brier = float(np.average([r.brier for r in each], weights=counts.sum(axis=1)))
    return _from_sums(counts.sum(axis=0), confidence, confirmed, brier=brier)


def _from_sums(
    counts: NDArray[np.int64], confidence: NDArray[np.float64], confirmed: NDArray[np.float64], *, brier: float
) -> Reliability:
    """From the number of segments in each bin, the sum of their confidence, and how many of them were confirmed."""
    in_bin = np.maximum(counts, 1)
    return Reliability(
        counts=tuple(counts.tolist()),
        confidence=tuple((confidence / in_bin).tolist()),
        confirmed=tuple((confirmed / in_bin).tolist()),
        brier=brier,
        error=float(np.abs(confidence - confirmed).sum() / counts.sum()),
    )
