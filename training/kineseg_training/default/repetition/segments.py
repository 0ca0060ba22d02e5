"""The segments that the service finds in training streams, with what they are in truth."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from kineseg_core.boundary_network import BoundaryNetwork, packaged_network
from kineseg_core.generic import PatternPlan, PatternSegmenter
from kineseg_core.inference.bundle import load_bundle, packaged_bundle
from kineseg_core.segmenter import SegmentEnd, Segmenter, SegmenterPlan, SegmenterSettings
from kineseg_core.segmenter.decisions import Decision
from kineseg_core.segmenter.labels import SegmentPoint
from kineseg_core.segmenter.labels.repetition import Kind

from kineseg_training.default.boundary_network.looks import Stepped, step
from kineseg_training.default.boundary_network.streams.stream import TrainingStream, Truth
from kineseg_training.errors import DataError

_CALM = 1.0  # a surprise that never is an anomaly


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """A segment that was found.

    Attributes:
        point: What the service knows of it.
        unit: Variance of the stream's blocks at its end.
        action: The true action of most of it.
        purity: The share of it that is that action.
    """

    point: SegmentPoint
    unit: float
    action: int
    purity: float


@dataclass(frozen=True, slots=True, eq=False)
class FoundStream:
    """A stream's segments.

    Attributes:
        kind: What they are of.
        segments: In order.
    """

    kind: Kind
    segments: tuple[Found, ...]


class _Recorder:
    """A labeller to which every segment is new, and that keeps what it was given."""

    def __init__(self) -> None:
        self.length_scale = 1.0
        self.labels: tuple[int, ...] = ()
        self.merged: tuple[tuple[int, int], ...] = ()
        self.learned: list[tuple[SegmentPoint, float]] = []
        self._next = itertools.count()

    def mint(self) -> int:
        return next(self._next)

    def nearest(self, point: SegmentPoint, but_not: int | None = None) -> tuple[int | None, float]:
        return None, 0.0

    def learn(self, point: SegmentPoint, new_label: int | None = None) -> tuple[int, float]:
        self.learned.append((point, self.length_scale**2))
        return (self.mint() if new_label is None else new_label), 0.0


def found_streams(streams: Sequence[TrainingStream]) -> Iterator[FoundStream]:
    """Each stream as the service segments it, with the packaged boundary network."""
    for stream, stepped in zip(streams, step(streams), strict=True):
        yield _found(stream, stepped)


def _found(stream: TrainingStream, stepped: Stepped) -> FoundStream:
    recorder, plan = _Recorder(), stepped.plan
    settings, point = _settings(canonical=stream.canonical), packaged_network().operating_point
    segmenter: Segmenter | PatternSegmenter
    kind: Kind = "actions" if stream.canonical or not plan.embedding else "patterns"
    if kind == "patterns":
        segmenter = PatternSegmenter(PatternPlan(settings, plan.embedding, plan.rate_hz), recorder)
    else:
        segmenter = Segmenter(SegmenterPlan(settings, plan, point), recorder)
    decisions: list[Decision] = []
    for frame, embedding in zip(stepped.frames, stepped.embeddings, strict=True):
        decisions += segmenter.step(frame, embedding, _CALM, _network())
    decisions += segmenter.finish()
    ends = [(each.start / plan.rate_hz, each.end / plan.rate_hz) for each in decisions if isinstance(each, SegmentEnd)]
    return FoundStream(kind, tuple(
        Found(point, unit, *_action(stream.truth, start, end))
        for (point, unit), (start, end) in zip(recorder.learned, ends, strict=True)
    ))  # fmt: skip


def _action(truth: Truth, start_s: float, end_s: float) -> tuple[int, float]:
    """The true action of most of a segment, and its share."""
    edges = np.clip([-np.inf, *truth.boundaries[:, 0], np.inf], start_s, end_s)
    seconds = np.bincount(truth.actions, weights=np.diff(edges))
    return int(seconds.argmax()), float(seconds.max() / (end_s - start_s))


@cache
def _network() -> BoundaryNetwork:
    return BoundaryNetwork(packaged_network())


@cache
def _settings(*, canonical: bool) -> SegmenterSettings:
    path = packaged_bundle()
    if path is None:
        raise DataError("there is no packaged bundle for the labels to be fitted to: kineseg-train default makes one")
    calibration = load_bundle(path).manifest.calibration
    if not canonical:
        return SegmenterSettings()
    return SegmenterSettings.from_bundle(
        dict(calibration.segmenter),
        log_surprise_median=calibration.log_surprise_median,
        log_surprise_scale=calibration.log_surprise_scale,
    )
