"""Counts what was found, missed and invented at each threshold, piece by piece of what is annotated.

A piece reaches from halfway between a known boundary and the one before it to halfway to the next. So there are as many
pieces as known boundaries, and they can be left out one by one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kineseg_cli.tuning.known import KnownBoundaries
from kineseg_cli.tuning.trials import FoundBoundary, Trial

Integers = NDArray[np.int64]

_BLOCKS = 8
_ENOUGH_RECORDINGS = 3  # so many are left out whole, one after another


@dataclass(frozen=True, slots=True)
class Counts:
    """T thresholds, P pieces.

    Attributes:
        known: ``(P,)`` known boundaries, 0 or 1.
        found, hits: ``(T, P)`` boundaries found, and how many of them are known.
        block: ``(P,)`` which pieces are left out together: those of one recording, or of a stretch of it.
        delays_s: For each threshold the delays of its hits: from the known boundary until it was final.
        minutes: How long all that is annotated lasts.
    """

    known: Integers
    found: Integers
    hits: Integers
    block: Integers
    delays_s: tuple[tuple[float, ...], ...]
    minutes: float


def count(known: Sequence[KnownBoundaries], trials: Sequence[Sequence[Trial]], tolerance_s: float) -> Counts:
    """Compares the trials of each threshold, one for each recording, with what is known of these."""
    found, hits, delays = [], [], []
    for row in trials:
        tallies = [_tally(one, trial.found, tolerance_s) for one, trial in zip(known, row, strict=True)]
        found.append(np.concatenate([tally.found for tally in tallies]))
        hits.append(np.concatenate([tally.hits for tally in tallies]))
        delays.append(tuple(delay for tally in tallies for delay in tally.delays_s))
    pieces = [max(1, len(one.times_s)) for one in known]
    return Counts(
        known=np.concatenate([np.ones(n, np.int64) if one.times_s else np.zeros(1, np.int64)
                              for n, one in zip(pieces, known, strict=True)]),
        found=np.stack(found),
        hits=np.stack(hits),
        block=_blocks(pieces),
        delays_s=tuple(delays),
        minutes=sum(one.end_s - one.start_s for one in known) / 60.0,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Tally:
    found: Integers
    hits: Integers
    delays_s: list[float]


def _tally(known: KnownBoundaries, found: Sequence[FoundBoundary], tolerance_s: float) -> _Tally:
    """One recording at one threshold, by pieces."""
    pieces = max(1, len(known.times_s))
    tally = _Tally(np.zeros(pieces, np.int64), np.zeros(pieces, np.int64), [])
    # At the ends of what is annotated it is not known whether there is a boundary.
    first, last = known.start_s + tolerance_s, known.end_s - tolerance_s
    pairs = dict(_pairs([one.time_s for one in found], known.times_s, tolerance_s))
    middles = (np.array(known.times_s[1:]) + known.times_s[:-1]) / 2.0
    for i, one in enumerate(found):
        piece = pairs.get(i)
        if piece is not None:
            tally.hits[piece] += 1
            tally.delays_s.append(one.decided_s - known.times_s[piece])
        elif not first <= one.time_s <= last:
            continue
        else:
            piece = int(np.searchsorted(middles, one.time_s))
        tally.found[piece] += 1
    return tally


def _pairs(found: Sequence[float], known: Sequence[float], tolerance_s: float) -> list[tuple[int, int]]:
    """One-to-one pairs of ascending times that differ by the tolerance at most: as many as there can be."""
    pairs, i, j = [], 0, 0
    while i < len(found) and j < len(known):
        if abs(found[i] - known[j]) <= tolerance_s + 1e-9:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif found[i] < known[j]:
            i += 1
        else:
            j += 1
    return pairs


def _blocks(pieces: Sequence[int]) -> Integers:
    """A block for each recording; of one or two recordings stretches."""
    if len(pieces) >= _ENOUGH_RECORDINGS:
        return np.repeat(np.arange(len(pieces)), pieces)
    total = sum(pieces)
    blocks, first = [], 0
    for n in pieces:
        parts = min(n, max(1, round(_BLOCKS * n / total)))
        blocks.append(first + np.arange(n) * parts // n)
        first += parts
    return np.concatenate(blocks)
