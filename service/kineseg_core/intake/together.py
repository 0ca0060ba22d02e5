"""Chunks of many streams at once: what nearly all of them are, whole frames that follow, goes through one kernel."""

from __future__ import annotations

import itertools
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from kineseg_core.intake.chunk import take_whole
from kineseg_core.intake.intake import Chunk, ChunkEnd, Intake, Taken
from kineseg_core.intake.resampling import F64, I64, ModelFrames
from kineseg_core.intake.watch import Found, SentFrames, SourceWatch


class SentChunk(NamedTuple):
    """A chunk that has come, and for whom; see `Intake.take`."""

    intake: Intake
    first_frame: int
    data: bytes
    capture_times_ns: Sequence[int]


def take_together(chunks: Sequence[SentChunk]) -> list[Iterable[Taken] | None]:
    """Takes chunks of many streams, which costs less than one by one, and gives the same.

    Args:
        chunks: At most one of each intake.

    Returns:
        For each what its `Intake.take` would have given, or raised meanwhile; none: nothing of it has been taken, as
        `Intake.take` raises.
    """
    taken: list[Iterable[Taken] | None] = [None] * len(chunks)
    alike: dict[object, list[int]] = {}
    others = []
    for place, chunk in enumerate(chunks):
        intake = chunk.intake
        if intake.is_plain(*chunk[1:]):
            watch = intake.watch
            kind = intake.resampler.kind, intake.order_key, None if watch is None else watch.kind
            alike.setdefault(kind, []).append(place)
        else:
            others.append(place)
    for places in alike.values():
        for place, given in zip(places, _take_plain([chunks[place] for place in places]), strict=True):
            if given is None:
                others.append(place)
            else:
                taken[place] = given
    for place, given in zip(others, _take_watched([chunks[place] for place in others]), strict=True):
        taken[place] = given
    return taken


def _take_plain(chunks: Sequence[SentChunk]) -> list[Iterable[Taken] | None]:
    """Takes those that are whole, of streams of a kind."""
    intakes = [chunk.intake for chunk in chunks]
    frame_bytes = intakes[0].frame_bytes
    sizes = [len(chunk.data) // frame_bytes for chunk in chunks]
    ends = [*itertools.accumulate(sizes)]
    begins = [0, *ends[:-1]]
    rows, width = ends[-1], frame_bytes // 4
    most = sum(intake.resampler.most(size) for intake, size in zip(intakes, sizes, strict=True))
    jobs = np.array(
        [
            (chunk.intake.resampler.distance, chunk.first_frame, begin, end, 0)
            for chunk, begin, end in zip(chunks, begins, ends, strict=True)
        ]
    )
    sent, times_ns = np.empty((rows, width)), np.empty(rows, np.int64)
    made, places = np.empty((most, width), np.float32), np.empty((most, 4), np.int64)
    data = b"".join([chunk.data for chunk in chunks])
    take_whole(intakes[0].resampler.kind.arrays, jobs, data, intakes[0].order, sent, times_ns, made, places)
    counts = jobs[:, 4].tolist()
    if min(counts) < 0:
        whole = [each for each, count in enumerate(counts) if count >= 0]
        if not whole:
            return [None] * len(chunks)
        kept = np.concatenate([np.arange(begins[each], ends[each]) for each in whole])
        sent, times_ns = sent[kept], times_ns[kept]
    else:
        whole = [*range(len(chunks))]
    found = iter(_watched([chunks[each] for each in whole], sent, times_ns, [sizes[each] for each in whole]))
    decided, decided_ns, start, start_ns = places[: sum(counts[each] for each in whole)].T.tolist()
    taken: list[Iterable[Taken] | None] = []
    at = 0
    for chunk, size, count in zip(chunks, sizes, counts, strict=True):
        if count < 0:
            taken.append(None)
            continue
        chunk.intake.took(size)
        own = slice(at, at + count)
        at += count
        block = ModelFrames(made[own], decided[own], decided_ns[own], start[own], start_ns[own])
        taken.append(_in_order(chunk.first_frame, size, block, next(found)))
    return taken


def _watched(chunks: Sequence[SentChunk], sent: F64, times_ns: I64, sizes: Sequence[int]) -> list[Found | Exception]:
    watches = [watch for chunk in chunks if (watch := chunk.intake.watch) is not None]
    if not watches:
        return [{}] * len(chunks)
    numbers = [chunk.first_frame for chunk in chunks]
    return SourceWatch.push_alike(watches, numbers, sent, times_ns, [*itertools.accumulate(sizes)])


def _in_order(first: int, size: int, block: ModelFrames, found: Found | Exception) -> Iterable[Taken]:
    """The model's frames, and what was found before those that come with the same frame or later, and the end."""
    if isinstance(found, Exception):
        return map(_raised, (found,))  # where the stream's other errors are
    taken: list[Taken] = []
    if not found:
        if block.decided:
            taken.append(block)
    else:
        at = 0
        for row in (*sorted(found), size):
            upto = bisect_left(block.decided, first + row, at)
            if upto > at:
                taken.append(block.part(at, upto))
            at = upto
            taken += found.get(row, ())
    taken.append(ChunkEnd(first + size))
    return taken


def _raised(error: Exception) -> Taken:
    raise error


def _take_watched(chunks: Sequence[SentChunk]) -> list[Iterable[Taken] | None]:
    """Takes chunks of any kind: they are read one by one, and watched together."""
    begun: list[Chunk | None] = []
    for chunk in chunks:
        try:
            begun.append(chunk.intake.begin(*chunk[1:]))
        except Exception:
            begun.append(None)
    watched = [
        (each, intake.watch, SentFrames(each.first, each.sent, each.times))
        for each, (intake, *_) in zip(begun, chunks, strict=True)
        if each is not None and intake.watch is not None and each.sent is not None
    ]
    found = SourceWatch.push_many([watch for _, watch, _ in watched], [sent for *_, sent in watched])
    for (each, *_), anomalies in zip(watched, found, strict=True):
        each.anomalies = anomalies
    return [None if each is None else _finished(intake, each) for each, (intake, *_) in zip(begun, chunks, strict=True)]


def _finished(intake: Intake, chunk: Chunk) -> Iterator[Taken]:
    yield from intake.finish(chunk)
