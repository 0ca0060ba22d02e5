"""Which candidates of a row are looked at, and whether anything follows, see `BoundaryDecider`, as kernels.

What follows is decided by `BoundaryDecider` itself: next to always nothing does, and that is all that is said here.
"""

from __future__ import annotations

import numpy as np

from kineseg_core.boundary_network.decider import (
    AROUND,
    EVERY,
    FIRST_CANDIDATE,
    KEPT,
    PROVISIONAL_LAG,
    PROVISIONAL_WINDOW,
    REACHES,
    SMOOTHED,
    STIRS,
    WINDOW,
    WORTH_A_LOOK,
)
from kineseg_core.kernels import kernel

_WORTH_A_LOOK = np.array(WORTH_A_LOOK, np.float32)
_STIRS = np.float32(STIRS)
NONE_ASKED = np.array([1 << 62, -(1 << 62)], np.int64)


@kernel(inlined=True)
def is_worth_a_look(decider, raw, lag, candidate):  # type: ignore[no-untyped-def]
    """Whether a candidate is looked at.

    Args:
        decider: Of the row.
        raw: ``(LAGS, KEPT)`` how likely segments begin at the last candidates.
        lag: Place of the lag among those of the row.
        candidate: The block.
    """
    if lag == decider.n_lags - 1 and candidate + REACHES < decider.start + decider.shortest:
        return False
    if lag:
        for near in range(candidate - AROUND, candidate + AROUND + 1):
            if raw[lag - 1, near % KEPT] >= _WORTH_A_LOOK[lag]:
                return True
        return False
    if candidate % EVERY == 0:
        return True
    stirs = False
    for near in range(candidate - EVERY + 1, candidate):
        stirs |= raw[0, near % KEPT] >= _STIRS
    return stirs


@kernel(inlined=True)
def is_open(decider, asked, count):  # type: ignore[no-untyped-def]
    """Whether it depends on looks without an answer at which candidates to look after so many blocks.

    Args:
        decider: Of the row.
        asked: ``(LAGS, 2)`` oldest and newest candidate that is looked at and has no answer, by lag; `NONE_ASKED`.
        count: Blocks so far, the next one included.
    """
    for lag in range(decider.n_lags):
        candidate = count - decider.lags[lag]
        if lag:
            oldest, newest = asked[lag - 1]
            if newest >= candidate - AROUND and oldest <= candidate + AROUND:
                return True
        elif candidate % EVERY and asked[0, 1] > candidate - EVERY:
            return True
    return False


@kernel(inlined=True)
def note_probabilities(decider, raw, smooth, count, seen):  # type: ignore[no-untyped-def]
    """Takes how likely segments begin at the newest candidates, by lag; 0 where it was not looked.

    Args:
        decider: Of the row.
        raw, smooth: ``(LAGS, KEPT)``
        count: Blocks so far.
        seen: ``(LAGS,)`` float32.
    """
    quarter, half = np.float32(0.25), np.float32(0.5)
    for lag in range(decider.n_lags):
        newest = count - decider.lags[lag]
        raw[lag, newest % KEPT] = seen[lag]
        oldest, middle = raw[lag, (newest - 2) % KEPT], raw[lag, (newest - 1) % KEPT]
        smooth[lag, (newest - 1) % KEPT] = quarter * oldest + half * middle + quarter * seen[lag]


@kernel(inlined=True)
def may_follow(decider, smooth, count):  # type: ignore[no-untyped-def]
    """Whether anything may follow after `count` blocks: where it says no, nothing does."""
    if count >= decider.next_review:
        return True
    for lag in range(decider.first_final, decider.n_lags):
        candidate = count - decider.lags[lag] - decider.window - SMOOTHED
        if candidate - decider.start >= decider.shortest and _peaks(
            smooth[lag], decider.lags[lag], count, candidate, decider.least[lag], decider.window
        ):
            return True
    if not decider.first_final:
        return False
    candidate = count - PROVISIONAL_LAG - PROVISIONAL_WINDOW - SMOOTHED
    return candidate - decider.near >= decider.shortest and _peaks(
        smooth[0], PROVISIONAL_LAG, count, candidate, decider.provisional, PROVISIONAL_WINDOW
    )


@kernel(inlined=True)
def _peaks(smooth, lag, count, candidate, least, after):  # type: ignore[no-untyped-def]
    """Whether the probability at a candidate, as seen `lag` later, is high enough and the highest around."""
    if candidate < FIRST_CANDIDATE:
        return False
    own = smooth[candidate % KEPT]
    if own < least:
        return False
    for near in range(max(candidate - WINDOW, FIRST_CANDIDATE), min(candidate + after, count - lag - SMOOTHED) + 1):
        if smooth[near % KEPT] > own:
            return False
    return True
