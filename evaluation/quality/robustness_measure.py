"""Streams under many circumstances, through a real server, each against its result as it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from zlib import crc32

import kineseg
import numpy as np
from kineseg.motion import Joints
from numpy.typing import NDArray

from evaluation.quality.perturb import Perturbation, Perturbed
from evaluation.quality.robustness_compare import Agreement, Result, compare
from evaluation.quality.stream import AnnotatedStream

# Boundary F1 at 0.5 s and mean over frames of a result, both shares; the stream was played so many times as fast.
AgainstTruth = Callable[[AnnotatedStream, Result, float], tuple[float, float]]


@dataclass(frozen=True)
class Change:
    """One stream under one circumstance, against the result of the stream as it is.

    Attributes:
        stream: The stream; its set and its name.
        perturbation: Name of the circumstance.
        agreement: Between the result before and the result now.
        bf1, mof: Against the truth now; shares.
        bf1_before, mof_before: Against the truth before.
    """

    stream: tuple[str, str]
    perturbation: str
    agreement: Agreement
    bf1: float
    mof: float
    bf1_before: float
    mof_before: float


def segment(client: kineseg.Client, motion: Perturbed) -> Result:
    """What the server makes of it. Final decisions only."""
    moving = motion.recording
    positions = np.asarray(moving.positions)
    times = np.asarray(moving.timestamps) if motion.timed and moving.timestamps is not None else None
    numbers = np.arange(moving.n_frames) if motion.numbers is None else motion.numbers
    items = []
    with client.stream(rate=moving.rate, joints=Joints.of(moving), decisions="final", chunk_s=0.5) as stream:
        for rows in _runs(numbers):
            stream.send(positions[rows], None if times is None else times[rows], first_frame=int(numbers[rows.start]))
            items += stream.poll()
        stream.end_input()
        items += stream
    result = kineseg.Segmentation.from_items(items, rate=moving.rate, n_frames=int(numbers[-1]) + 1)
    closed = [event for event in result.events if isinstance(event, kineseg.SegmentClosed)]
    certain = {event.segment_id: event.decided_time_s for event in reversed(result.events)
               if isinstance(event, kineseg.SegmentStarted | kineseg.SegmentClosed)}  # fmt: skip
    return Result(
        starts=np.array([event.start_time_s for event in closed]),
        labels=np.array([event.label for event in closed]),
        decided=np.array([certain[event.segment_id] for event in closed]),
        duration_s=result.summary.duration_s,
    )


def changes(
    client: kineseg.Client,
    streams: Sequence[AnnotatedStream],
    perturbations: Sequence[Perturbation],
    against_truth: AgainstTruth,
    *,
    at_once: int = 2,
) -> Iterator[Change]:
    """Every stream under every circumstance, one circumstance after the other.

    Args:
        client: Of the server that is measured.
        streams: Of motion.
        perturbations: The circumstances.
        against_truth: Boundary F1 and mean over frames of a result on a stream played so many times as fast.
        at_once: How many streams are open at a time.
    """
    with ThreadPoolExecutor(at_once) as pool:
        as_is = list(pool.map(lambda stream: segment(client, Perturbed(stream.recording)), streams))
        before = [against_truth(stream, result, 1.0) for stream, result in zip(streams, as_is, strict=True)]

        def changed(at: int, perturbation: Perturbation) -> Change:
            stream = streams[at]
            motion = perturbation.apply(stream.recording, generator(stream, perturbation))
            now = segment(client, motion)
            bf1, mof = against_truth(stream, now, motion.tempo)
            return Change(
                stream=(stream.set_name, stream.name),
                perturbation=perturbation.name,
                agreement=compare(as_is[at].played(motion.tempo), now),
                bf1=bf1,
                mof=mof,
                bf1_before=before[at][0],
                mof_before=before[at][1],
            )

        for perturbation in perturbations:
            yield from pool.map(lambda at, perturbation=perturbation: changed(at, perturbation), range(len(streams)))


def generator(stream: AnnotatedStream, perturbation: Perturbation) -> np.random.Generator:
    """Chance of its own for every stream and circumstance, the same whatever else is measured."""
    return np.random.default_rng(crc32(f"{stream.set_name}/{stream.name}/{perturbation.name}".encode()))


def _runs(numbers: NDArray[np.int64]) -> Iterator[slice]:
    """Rows with consecutive numbers, at most 4096 at a time."""
    cuts = [0, *(np.flatnonzero(np.diff(numbers) != 1) + 1).tolist(), len(numbers)]
    for start, stop in pairwise(cuts):
        for at in range(start, stop, 4096):
            yield slice(at, min(at + 4096, stop))
