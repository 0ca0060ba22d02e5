"""Chunks of many streams at once: what nearly all of them are, whole frames that follow, goes through one kernel."""

from __future__ import annotations

import itertools
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from kineseg_core.intake.chunk import take_whole
from kineseg_core.intake.intake import Chunk, ChunkEnd, Intake, Taken
from kineseg_core.intake.plain import PlainChunks
from kineseg_core.intake.resampling import F64, I64, ModelFrames
from kineseg_core.intake.watch import Found, SentFrames, SourceWatch


class SentChunk(NamedTuple):
    """A chunk that has come, and for whom; see `Intake.take`."""

    intake: Intake
    first_frame: int
    data: bytes
    capture_times_ns: Sequence[int]


class TakenTogether(NamedTuple):
    """What chunks have given.

    Attributes:
        plain: What gave frames of the model, or not even that, and nothing else: chunks of streams of a kind at a time.
        others: By place what each of the others gives, as its `Intake.take` would have, or raised meanwhile; none:
            nothing of it has been taken, as `Intake.take` raises.
    """

    plain: list[PlainChunks]
    others: dict[int, Iterable[Taken] | None]


def take_together(chunks: Sequence[SentChunk]) -> TakenTogether:
    """Takes chunks of many streams, which costs less than one by one, and gives the same.

    Args:
        chunks: At most one of each intake.
    """
    taken = TakenTogether([], {})
    alike: dict[object, list[int]] = {}
    rest = []
    for place, (intake, first_frame, data, times) in enumerate(chunks):
        if intake.is_plain(first_frame, data, times):
            alike.setdefault(intake.kind, []).append(place)
        else:
            rest.append(place)
    for places in alike.values():
        rest += _take_plain(chunks, places, taken)
    for place, given in zip(rest, _take_watched([chunks[place] for place in rest]), strict=True):
        taken.others[place] = given
    return taken


def _take_plain(chunks: Sequence[SentChunk], places: list[int], taken: TakenTogether) -> list[int]:
    """Takes those that are whole, of streams of a kind; the places of those that are not."""
    own = [chunks[place] for place in places]
    frame_bytes = own[0].intake.frame_bytes
    sizes = [len(chunk.data) // frame_bytes for chunk in own]
    row_ends = [*itertools.accumulate(sizes)]
    rows, width = row_ends[-1], frame_bytes // 4
    resamplers = [chunk.intake.resampler for chunk in own]
    most = sum([resampler.most(size) for resampler, size in zip(resamplers, sizes, strict=True)])
    jobs = np.array(
        [
            [resampler.distance for resampler in resamplers],
            [chunk.first_frame for chunk in own],
            [0, *row_ends[:-1]],
            row_ends,
            [0] * len(own),
        ]
    ).T.copy()
    sent, times_ns = np.empty((rows, width)), np.empty(rows, np.int64)
    made, moments = np.empty((most, width), np.float32), np.empty((most, 4), np.int64)
    data = b"".join([chunk.data for chunk in own])
    take_whole(resamplers[0].kind.arrays, jobs, data, own[0].intake.order, sent, times_ns, made, moments)
    counts = jobs[:, 4]
    refused = []
    if counts.min() < 0:
        whole = (counts >= 0).tolist()
        refused = [place for place, fits in zip(places, whole, strict=True) if not fits]
        places, own = [*itertools.compress(places, whole)], [*itertools.compress(own, whole)]
        sizes = [*itertools.compress(sizes, whole)]
        if not places:
            return refused
        kept = np.repeat(counts >= 0, np.diff(jobs[:, 3], prepend=0))
        sent, times_ns, counts = sent[kept], times_ns[kept], counts[counts >= 0]
    received = []
    for chunk, size in zip(own, sizes, strict=True):
        chunk.intake.took(size)
        received.append(chunk.first_frame + size)
    ends = counts.cumsum()
    _sort(
        PlainChunks(places, made, moments, ends - counts, ends, received),
        _watched(own, sent, times_ns, sizes),
        sizes,
        taken,
    )
    return refused


def _sort(plain: PlainChunks, found: Sequence[Found | Exception], sizes: Sequence[int], taken: TakenTogether) -> None:
    """Puts chunks where they belong, by what has been found in them."""
    others = [chunk for chunk, of_it in enumerate(found) if of_it]
    if others:
        for chunk in others:
            taken.others[plain.places[chunk]] = _in_order(plain.items(chunk), sizes[chunk], found[chunk])
        plain = plain.only([chunk for chunk, of_it in enumerate(found) if not of_it])
    if plain.places:
        taken.plain.append(plain)


def _watched(
    chunks: Sequence[SentChunk], sent: F64, times_ns: I64, sizes: Sequence[int]
) -> Sequence[Found | Exception]:
    watches = [watch for chunk in chunks if (watch := chunk.intake.watch) is not None]
    if not watches:
        return [{}] * len(chunks)
    numbers = [chunk.first_frame for chunk in chunks]
    return SourceWatch.push_alike(watches, numbers, sent, times_ns, [*itertools.accumulate(sizes)])


def _in_order(items: Sequence[ModelFrames | ChunkEnd], size: int, found: Found | Exception) -> Iterable[Taken]:
    """What a chunk of so many frames gives, with what was found before those that come with the same frame or later."""
    if isinstance(found, Exception):
        return map(_raised, (found,))  # where the stream's other errors are
    end = items[-1]
    assert isinstance(end, ChunkEnd)
    taken: list[Taken] = []
    rest = items[0] if isinstance(items[0], ModelFrames) else None
    for row in sorted(found):
        if rest is not None:
            upto = bisect_left(rest.decided, end.frames - size + row)
            if upto:
                taken.append(rest.part(0, upto))
            rest = rest.part(upto, len(rest.decided)) if upto < len(rest.decided) else None
        taken += found[row]
    return [*taken, end] if rest is None else [*taken, rest, end]


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
