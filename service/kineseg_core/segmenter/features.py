"""Features of a candidate boundary, which the boundary classifiers are given: numbers without a unit.

Distances are relative to the stream's own, gains relative to what cuts gain in it, and the separation of the two sides
has no scale at all. So what is learned of them on some motion holds for other motion.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from kineseg_core.segmenter.kernel_boundaries import KernelBoundaries
from kineseg_core.segmenter.separation import separations

Array = NDArray[np.float64]
Blocks = NDArray[np.float32]

PROVISIONAL_FEATURES = (
    "novelty",
    "novelty_now",
    "novelty_least",
    "usual_known",
    "novelty_over_usual",
    "own_over_elsewhere",
    "own_over_elsewhere_now",
    "elsewhere_known",
    "gain",
    "gain_near",
    "change_of_pace",
    "age",
    "length",
    "short",
    "seen",
)
FINAL_FEATURES = (
    "separation_near",
    "separation",
    "separation_far",
    "separation_next_near",
    "separation_next",
    "separation_next_far",
    "gain_near",
    "novelty_over_usual",
    "own_over_elsewhere",
    "length",
    "age",
)

# All in blocks of a tenth of a second.
_WINDOW = 15  # on either side of a cut, for local gains
_CONTEXT_PROVISIONAL, _CONTEXT = 90, 80  # of the segment before
_NEAR = 4  # blocks before the cut that are too near to it to count as the past
_GUARD = 5  # the same, for what lies elsewhere
_LEAST_ELSEWHERE = 10
_ELSEWHERE_STEP = 3  # every so many blocks are looked at there
_APART = (6, 12, 20)
_NEIGHBOURS = 3
_LEAST_DISTANCE, _LEAST_GAIN, _LEAST_PACE = 1e-3, 0.02, 1e-3
_USUAL_UNKNOWN = 24


def provisional_features(kernel: KernelBoundaries, start: int, cut: int) -> Array:
    """`PROVISIONAL_FEATURES` of a boundary at block `cut` of the segment since `start`; cheap enough for every block.

    The novelty of what follows the cut is its distance from the nearest moments of the segment before: in a new action
    there are none, in another cycle of the old one there are. It is compared with what was usual before the cut, and
    with the distance from the nearest moments elsewhere in the stream's memory, where an action may come back from.
    """
    now = kernel.count
    blocks = kernel.recent(max(start, cut - _CONTEXT_PROVISIONAL), now)
    age, begin = now - cut, now - len(blocks)
    at = cut - begin
    window = min(_WINDOW, at)
    squared = _squared_distances(blocks[at - window :], blocks)  # from each since shortly before the cut, to all
    variance = kernel.block_variance

    own = squared[window:, : max(at - _NEAR, 3)].min(axis=1)
    novelty, novelty_now = _log(_mean(own) / variance), _log(_mean(own[-3:]) / variance)
    usual = None
    if at >= _USUAL_UNKNOWN + age // 3:
        n = min(age, at // 2, 12)
        before = squared[window - n : window, : at - n - _NEAR]
        usual = _log(_mean(before.min(axis=1)) / variance) if before.shape[1] >= 5 else None
    elsewhere = _elsewhere(kernel, blocks[at:], begin)
    over = over_now = 0.0
    if elsewhere is not None:
        over = novelty - _log(_mean(elsewhere) / variance)
        over_now = novelty_now - _log(_mean(elsewhere[-3:]) / variance)
    similarity = kernel.similarity(squared[:, at - window :])
    moved = blocks[max(1, at - 29) :] - blocks[max(0, at - 30) : -1]
    steps = np.sqrt(np.einsum("ij,ij->i", moved, moved))
    pace = _mean(steps[-age + 1 :]) if age > 1 else 0.0, _mean(steps[: len(steps) - age + 1])
    return np.array(
        [
            novelty,
            novelty_now,
            _log(float(own.min()) / variance),
            float(usual is not None),
            0.0 if usual is None else novelty - usual,
            over,
            over_now,
            float(elsewhere is not None),
            _log_gain(similarity, window, len(similarity), kernel),
            _log_gain(similarity, window, window + min(age, _WINDOW), kernel),
            abs(math.log((pace[0] + _LEAST_PACE) / (pace[1] + _LEAST_PACE))),
            math.log(age / 10.0),
            min((cut - start) / 50.0, 2.0),
            float(cut - start < 20),
            min(now / 200.0, 1.0),
        ]
    )


def final_features(kernel: KernelBoundaries, cut: int) -> Array:
    """`FINAL_FEATURES` of a boundary at block `cut` of the open segment, once it is to be decided.

    The two sides must be separable however far apart neighbours have to be (agreement of several), both from all
    that follows, which averages over the phases of a slow movement, and from the next segment alone, since what
    follows may hold a return to the action before.
    """
    now = kernel.count
    blocks = kernel.recent(max(kernel.start, cut - _CONTEXT), now)
    begin = now - len(blocks)
    at, next_end = cut - begin, min(kernel.next_end, now) - begin
    squared = _squared_distances(blocks, blocks)
    variance = kernel.block_variance
    age = now - cut

    own = squared[at:, : max(at - _NEAR, 3)].min(axis=1)
    usual = None
    if at >= _USUAL_UNKNOWN:
        n = min(age, at // 2, 12)
        before = squared[at - n : at, : at - n - _NEAR]
        usual = _mean(before.min(axis=1)) if before.shape[1] >= 5 else None
    elsewhere = _elsewhere(kernel, blocks[at:], begin)
    window = min(_WINDOW, at)
    near = slice(at - window, at + min(age, _WINDOW))
    apart = separations(squared, at, len(blocks), _APART, _NEIGHBOURS)
    return np.array(
        [
            *apart,
            *(apart if next_end == len(blocks) else separations(squared, at, next_end, _APART, _NEIGHBOURS)),
            _log_gain(kernel.similarity(squared[near, near]), window, near.stop - near.start, kernel),
            0.0 if usual is None else _log(_mean(own) / variance) - _log(usual / variance),
            0.0 if elsewhere is None else _log(_mean(own) / variance) - _log(_mean(elsewhere) / variance),
            min((cut - kernel.start) / 50.0, 3.0),
            math.log(age / 10.0),
        ]
    )


def _elsewhere(kernel: KernelBoundaries, after: Blocks, begin: int) -> Blocks | None:
    """Squared distance of each of `after` from the nearest block in memory that is older than `begin`."""
    older = kernel.recent(0, begin - _GUARD, _ELSEWHERE_STEP)
    if len(older) < _LEAST_ELSEWHERE:
        return None
    nearest: Blocks = _squared_distances(after, older).min(axis=1)
    return nearest


def _squared_distances(a: Blocks, b: Blocks) -> Blocks:
    """(n, m) from each of (n, dim) to each of (m, dim)."""
    squared: Blocks = a @ b.T
    squared *= -2.0
    squared += np.einsum("ij,ij->i", a, a)[:, None]
    squared += np.einsum("ij,ij->i", b, b)
    np.maximum(squared, 0.0, out=squared)
    return squared


def _log_gain(similarity: Array, cut: int, end: int, kernel: KernelBoundaries) -> float:
    """Logarithm of what a cut of [0, end) gains, over what cuts gain in this stream."""
    left = float(similarity[:cut, :cut].sum()) / cut
    right = float(similarity[cut:end, cut:end].sum()) / (end - cut)
    gain = left + right - float(similarity[:end, :end].sum()) / end
    return math.log(max(gain / max(kernel.typical_gain, 1e-6), 0.0) + _LEAST_GAIN)


def _mean(values: Blocks) -> float:
    return float(values.sum()) / len(values)


def _log(ratio: float) -> float:
    return math.log(ratio + _LEAST_DISTANCE)
