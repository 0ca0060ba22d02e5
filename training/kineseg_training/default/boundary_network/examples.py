"""Training examples: what the network is shown of a candidate, and how near to a true boundary it lies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from kineseg_core.blocks import BLOCK_S
from kineseg_core.boundary_network import layout
from numpy.typing import NDArray
from tqdm import tqdm

from kineseg_training.default.boundary_network.looks import Stepped, block_count, look, step
from kineseg_training.default.boundary_network.streams.library import Library
from kineseg_training.default.boundary_network.streams.make import make_stream
from kineseg_training.default.boundary_network.streams.stream import TrainingStream, Truth

Floats = NDArray[np.float32]
Integers = NDArray[np.int64]

_AT_ONCE = 40  # streams that are stepped together

WIDTH_S = 0.25
"""Deviation of the target about a true boundary."""

_FIRST = 8  # blocks; the first candidate of a stream
_NEAR, _NEAR_SHARE, _FAR_SHARE = 8, 0.5, 0.3  # blocks from a boundary; shares of candidates taken within and beyond
_INSIDE = 7  # blocks from either end of a segment, from where on the certainty of its inside counts
# How often each lag is drawn, by the order of LAGS: most often those that decisions are taken at.
_LAG_SHARES = np.array([0.10, 0.10, 0.16, 0.08, 0.08, 0.16, 0.10, 0.10, 0.12])


@dataclass(frozen=True, eq=False)
class Examples:
    """Candidates, one a row.

    Attributes:
        patches: ``(N, 2 V, PIECES, PIECES)`` float16.
        units: ``(N, V)``.
        known: ``(N, 2)`` first known piece and end of the last one.
        discrepancies: ``(N, COMPARED)``.
        far: ``(N, 2, PIECES, STRETCHES)`` float16.
        lag: ``(N,)`` index into `LAGS`.
        target: ``(N,)`` 0 to 1.
        weight: ``(N,)`` 0 to 1.
    """

    patches: NDArray[np.float16]
    units: Floats
    known: Integers
    discrepancies: Floats
    far: NDArray[np.float16]
    lag: Integers
    target: Floats
    weight: Floats

    def __len__(self) -> int:
        return len(self.target)


class ExamplePool:
    """Examples of many streams, without a second copy of them all.

    Args:
        parts: At least one.
    """

    def __init__(self, parts: Sequence[Examples]) -> None:
        self._parts = tuple(parts)
        self._ends = np.cumsum([len(part) for part in parts])

    def __len__(self) -> int:
        return int(self._ends[-1])

    def batch(self, rows: Integers) -> Examples:
        """The examples of these rows, in ascending order of the rows."""
        rows = np.sort(rows)
        part_of = np.searchsorted(self._ends, rows, side="right")
        begins = self._ends - [len(part) for part in self._parts]
        chosen = [(self._parts[i], rows[part_of == i] - begins[i]) for i in np.unique(part_of)]
        return Examples(
            *(np.concatenate([getattr(part, field.name)[own] for part, own in chosen]) for field in fields(Examples))
        )


def make_examples(library: Library, streams: int, seed: int, *, progress: bool = False) -> ExamplePool:
    """Examples of so many training streams.

    Args:
        library: What bodies are made of.
        streams: How many, at least 1.
        seed: Of the streams and of what is taken from them.
        progress: Show a bar.
    """
    parts = []
    with tqdm(total=streams, desc="streams", disable=not progress) as bar:
        for first in range(0, streams, _AT_ONCE):
            numbers = range(first, min(first + _AT_ONCE, streams))
            made = [make_stream(library, seed, number) for number in numbers]
            for number, stream, stepped in zip(numbers, made, step(made), strict=True):
                parts.append(stream_examples(stream, stepped, np.random.default_rng([seed, number, 1])))
                bar.update()
    return ExamplePool(parts)


def stream_examples(stream: TrainingStream, stepped: Stepped, rng: np.random.Generator) -> Examples:
    """Some candidates of a stream, each at a random lag; more of those near a boundary."""
    candidates = np.arange(_FIRST, block_count(stream) - layout.FUTURE - 1)
    away = _distance(candidates, stream.truth)
    taken = rng.random(len(candidates)) < np.where(away < _NEAR, _NEAR_SHARE, _FAR_SHARE)
    candidates, away = candidates[taken], away[taken]
    lag = rng.choice(len(layout.LAGS), size=len(candidates), p=_LAG_SHARES / _LAG_SHARES.sum())
    lags = np.array(layout.LAGS)[lag]
    order = np.argsort(candidates + lags, kind="stable")  # as they are looked at
    candidates, away, lag, lags = candidates[order], away[order], lag[order], lags[order]
    looks = look(stepped, candidates, lags)
    target = np.exp(-0.5 * (away * BLOCK_S / WIDTH_S) ** 2)
    weight = _weight(candidates, stream.truth)
    return Examples(
        looks.patches.astype(np.float16),
        looks.units,
        looks.known,
        looks.discrepancies,
        looks.far.astype(np.float16),
        lag,
        target.astype(np.float32),
        weight.astype(np.float32),
    )


def _distance(candidates: Integers, truth: Truth) -> NDArray[np.float64]:
    """``(N,)`` blocks to the nearest true boundary."""
    boundaries = truth.boundaries[:, 0] / BLOCK_S
    return np.asarray(np.abs(candidates[:, None] - boundaries).min(axis=1, initial=np.inf))


def _weight(candidates: Integers, truth: Truth) -> NDArray[np.float64]:
    """``(N,)`` 1 near the ends of a segment, the certainty of its inside elsewhere."""
    boundaries = truth.boundaries[:, 0] / BLOCK_S
    segment = np.searchsorted(boundaries, candidates, side="right")
    inside = _distance(candidates, truth) >= _INSIDE
    return np.asarray(np.where(inside, truth.certainty[segment], 1.0))
