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
from kineseg_core.intake.resampling import F32, ModelFrames
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
    for place, (intake, _, data, times) in enumerate(chunks):
        if intake.is_plain(data, times):
            alike.setdefault(intake.of_kind.kind, []).append(place)
        else:
            rest.append(place)
    for places in alike.values():
        some = [chunks[place] for place in places]
        ends = [*itertools.accumulate([len(data) // 4 for _, _, data, _ in some])]
        numbers = np.frombuffer(b"".join([data for _, _, data, _ in some]), np.float32)
        intakes, firsts = [intake for intake, *_ in some], [first for _, first, *_ in some]
        plain, others, refused = take_plain(intakes, firsts, numbers, [0, *ends[:-1]], ends)
        taken.others.update({places[at]: given for at, given in others.items()})
        rest += [places[at] for at in refused]
        if plain is not None:
            plain.places = [places[at] for at in plain.places]
            taken.plain.append(plain)
    for place, given in zip(rest, _take_watched([chunks[place] for place in rest]), strict=True):
        taken.others[place] = given
    return taken


class TakenPlain(NamedTuple):
    """What chunks have given that were to be plain.

    Attributes:
        plain: What gave frames of the model, or not even that, and nothing else; none: there was no such chunk.
        others: By place what those give in which something was found, or failed.
        refused: Those of which nothing has been taken.
    """

    plain: PlainChunks | None
    others: dict[int, Iterable[Taken]]
    refused: list[int]


def take_plain(
    intakes: Sequence[Intake], firsts: Sequence[int], numbers: F32, begins: Sequence[int], ends: Sequence[int]
) -> TakenPlain:
    """Takes chunks without capture times, of streams of a kind, as far as they are whole frames that follow.

    Args:
        intakes: N, each once; a chunk has frames, as many as its `most_plain` at most.
        firsts: N, the number of the first frame of each.
        numbers: In which those of each lie, frame after frame.
        begins, ends: N, from where to where.
    """
    first, width = intakes[0], intakes[0].frame_bytes // 4
    _, distances, made_per_frame, watched = zip(*[intake.of_kind for intake in intakes], strict=True)
    jobs = np.zeros((len(intakes), 5), np.int64)
    jobs[:, 0], jobs[:, 1], jobs[:, 2], jobs[:, 3] = distances, firsts, begins, ends
    jobs[:, 3] -= jobs[:, 2]
    jobs[:, 3] //= width
    sizes, counts = jobs[:, 3], jobs[:, 4]
    rows, most = int(sizes.sum()), int(sizes @ np.array(made_per_frame)) + 2 * len(jobs)  # see `Resampler.most`
    sent, times_ns = np.empty((rows, width)), np.empty(rows, np.int64)
    made, moments = np.empty((most, width), np.float32), np.empty((most, 4), np.int64)
    take_whole(first.resampler.kind.arrays, jobs, numbers, first.order, sent, times_ns, made, moments)
    places, refused = [*range(len(jobs))], list[int]()
    if counts.min() < 0:
        fits = counts >= 0
        places, refused = np.flatnonzero(fits).tolist(), np.flatnonzero(~fits).tolist()
        if not places:
            return TakenPlain(None, {}, refused)
        watched = tuple(watched[place] for place in places)
        kept = np.repeat(fits, sizes)
        jobs, sent, times_ns = jobs[fits], sent[kept], times_ns[kept]
        sizes, counts = jobs[:, 3], jobs[:, 4]
    found: Mapping[int, Found | Exception] = {}
    if watched[0] is not None:
        found = SourceWatch.push_alike(watched, jobs[:, 1], sent, times_ns, np.cumsum(sizes))
    made_until = np.cumsum(counts)
    received: list[int] = (jobs[:, 1] + sizes).tolist()
    plain = PlainChunks(places, made, moments, made_until - counts, made_until, received)
    if not found:
        return TakenPlain(plain, {}, refused)
    others = {places[at]: _in_order(plain.items(at), int(sizes[at]), of_it) for at, of_it in found.items()}
    left = [at for at in range(len(places)) if at not in found]
    return TakenPlain(plain.only(left) if left else None, others, refused)


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
