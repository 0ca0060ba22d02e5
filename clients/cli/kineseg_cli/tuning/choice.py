"""Which threshold to take: the best one, unless the default is as good as far as so few boundaries can tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kineseg_cli.tuning.counts import Counts

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

_TO_LEAVE = 2.0  # standard errors by which the default must be surpassed: the best of a dozen equals looks better


@dataclass(frozen=True, slots=True)
class Choice:
    """Rows are those of the counts.

    Attributes:
        own: Row of the default threshold.
        picked: Row of the one to take; may be `own`.
        scores: ``(T,)`` F of each threshold on all that is annotated.
        held_out: F on boundaries that the threshold was not chosen with.
    """

    own: int
    picked: int
    scores: Array
    held_out: float


def choose(thresholds: Sequence[float], counts: Counts, own: int, beta: float) -> Choice:
    """Picks a threshold by the rule of one standard error, and checks that on blocks left out one after another.

    The default stays unless the best F exceeds its own by more than two standard errors of the difference. Then, of all
    thresholds whose F is not below the best by more than one, the one nearest the default is taken (the rule of
    Breiman, Friedman, Olshen & Stone 1984, section 3.4.3; the error is that of the jackknife over pieces). Last, each
    block is judged by the threshold that the others pick: if that is no better than the default, it stays after all.

    Args:
        thresholds: T of them, between 0 and 1.
        counts: What was found at each.
        own: Which of them is the default.
        beta: How much more recall counts than precision (van Rijsbergen 1979).
    """
    scores = f_beta(counts.hits.sum(axis=1), counts.found.sum(axis=1), counts.known.sum(), beta)
    values = np.asarray(thresholds, np.float64)
    distance = np.abs(np.log(values / (1.0 - values)) - np.log(values[own] / (1.0 - values[own])))
    picked = _pick(counts, distance, beta, np.ones(len(counts.known), np.bool_))
    hits = found = 0
    for block in np.unique(counts.block):
        out = counts.block == block
        row = _pick(counts, distance, beta, ~out)
        hits += int(counts.hits[row, out].sum())
        found += int(counts.found[row, out].sum())
    held_out = float(f_beta(np.array(hits), np.array(found), counts.known.sum(), beta))
    return Choice(own, own if held_out <= scores[own] else picked, scores, held_out)


def f_beta(hits: Integers, found: Integers, known: Integers, beta: float) -> Array:
    """The weighted harmonic mean of precision and recall, 0 to 1; 1 where there is nothing to find, and nothing was."""
    b = beta * beta
    total = np.asarray(b * known + found, np.float64)
    return np.where(total > 0.0, (1.0 + b) * hits / np.maximum(total, 1e-12), 1.0)


def _pick(counts: Counts, distance: Array, beta: float, inside: NDArray[np.bool_]) -> int:
    """The row that the rule picks by the pieces `inside`; `distance` of each row is that from the default."""
    hits, found, known = counts.hits[:, inside], counts.found[:, inside], counts.known[inside]
    scores = f_beta(hits.sum(axis=1), found.sum(axis=1), known.sum(), beta)
    best = min(range(len(scores)), key=lambda row: (-scores[row], distance[row]))
    without = f_beta(
        hits.sum(axis=1, keepdims=True) - hits, found.sum(axis=1, keepdims=True) - found, known.sum() - known, beta
    )
    lead = without[best] - without  # (T, P)
    n = lead.shape[1]
    error = np.sqrt((n - 1) / n * ((lead - lead.mean(axis=1, keepdims=True)) ** 2).sum(axis=1))
    allowed = np.where(distance == 0.0, _TO_LEAVE, 1.0) * error
    as_good = np.flatnonzero(scores[best] - scores <= allowed)
    return int(min(as_good, key=lambda row: (distance[row], -scores[row])))
