"""Chunks of many streams at once: what nearly all of them are, whole frames that follow, goes through one kernel."""

from __future__ import annotations

import itertools
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np

from kineseg_core.intake.chunk import take_whole
from kineseg_core.intake.intake import Intake
from kineseg_core.intake.plain import PlainChunks
from kineseg_core.intake.resampling import ModelFrames, most_made
from kineseg_core.intake.taken import ChunkEnd, Taken
from kineseg_core.intake.valid import Chunk
from kineseg_core.intake.watch import Found, SentFrames, SourceWatch

SentChunk: TypeAlias = tuple[Intake, int, bytes, Sequence[int]]
"""A chunk that has come: for whom, its first frame, its data and its capture times; see `Intake.take`."""


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
        if not intake.is_plain(first_frame, data, times):
            rest.append(place)
        elif (kind := intake.of_kind.kind) in alike:
            alike[kind].append(place)
        else:
            alike[kind] = [place]
    for places in alike.values():
        rest += _take_plain([chunks[place] for place in places], places, taken)
    for place, given in zip(rest, _take_watched([chunks[place] for place in rest]), strict=True):
        taken.others[place] = given
    return taken


def _take_plain(chunks: Sequence[SentChunk], places: list[int], taken: TakenTogether) -> list[int]:
    """Takes those that are whole, of streams of a kind; the places of those that are not."""
    intakes, numbers, data, _ = map(list, zip(*chunks, strict=True))
    frame_bytes = intakes[0].frame_bytes
    sizes = [len(each) // frame_bytes for each in data]
    _, distances, made_per_frame, watched = zip(*[intake.of_kind for intake in intakes], strict=True)
    jobs = np.zeros((len(chunks), 5), np.int64)
    jobs[:, 0], jobs[:, 1], jobs[:, 3] = distances, numbers, [*itertools.accumulate(sizes)]
    jobs[1:, 2] = jobs[:-1, 3]
    rows, width = int(jobs[-1, 3]), frame_bytes // 4
    most = sum(map(most_made, sizes, made_per_frame))
    sent, times_ns = np.empty((rows, width)), np.empty(rows, np.int64)
    made, moments = np.empty((most, width), np.float32), np.empty((most, 4), np.int64)
    take_whole(intakes[0].resampler.kind.arrays, jobs, b"".join(data), intakes[0].order, sent, times_ns, made, moments)
    counts = jobs[:, 4]
    refused = []
    if counts.min() < 0:
        whole = (counts >= 0).tolist()
        refused = [place for place, fits in zip(places, whole, strict=True) if not fits]
        if not any(whole):
            return refused
        places, intakes, numbers, sizes = ([*itertools.compress(of, whole)] for of in (places, intakes, numbers, sizes))
        watched = tuple(itertools.compress(watched, whole))
        kept = np.repeat(counts >= 0, jobs[:, 3] - jobs[:, 2])
        sent, times_ns, counts = sent[kept], times_ns[kept], counts[counts >= 0]
    received = [number + size for number, size in zip(numbers, sizes, strict=True)]
    for intake, frames in zip(intakes, received, strict=True):
        intake.took(frames)
    found: Mapping[int, Found | Exception] = {}
    if watched[0] is not None:
        found = SourceWatch.push_alike(watched, received, sent, times_ns, np.cumsum(sizes))
    ends = counts.cumsum()
    _sort(PlainChunks(places, made, moments, ends - counts, ends, received), found, sizes, taken)
    return refused


def _sort(
    plain: PlainChunks, found: Mapping[int, Found | Exception], sizes: Sequence[int], taken: TakenTogether
) -> None:
    """Puts chunks where they belong, by what has been found in them."""
    for chunk, of_it in found.items():
        taken.others[plain.places[chunk]] = _in_order(plain.items(chunk), sizes[chunk], of_it)
    if found:
        plain = plain.only([chunk for chunk in range(len(plain.places)) if chunk not in found])
    if plain.places:
        taken.plain.append(plain)


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
    for intake, first_frame, data, times in chunks:
        try:
            begun.append(intake.begin(first_frame, data, times))
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
