"""How long bones usually are."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kineseg_core.anomalies.source import WatchedSource
from kineseg_core.kernels import kernel

F64 = NDArray[np.float64]

_ROOTS = ("hips", "pelvis")
_FIRST_S, _FIRST_EVERY_S, _EVERY_S, _RENEWED_S = 3.0, 0.1, 1.5, 3.0
_KEPT = 60
_FAR, _LEAST_SPREAD = 8.0, 0.004
_GIVE_UP_S, _RECENT = 30.0, 20


def bones_of(source: WatchedSource) -> tuple[tuple[int, int], ...]:
    """Joint and parent of every bone; what ties the hips to the floor is none."""
    return tuple(
        (joint, parent)
        for joint, parent in enumerate(source.parents or ())
        if parent >= 0 and source.names[joint].lower() not in _ROOTS
    )


class BoneBaseline(NamedTuple):
    """Median of each bone's log length over about the last minute and a half, and what it is made of.

    What lies beyond eight deviations does not count until it has lasted for thirty seconds; then it is what is usual.

    Attributes:
        value: ``(B,)``; NaN before a bone was seen.
        spread: ``(B,)`` how much it usually deviates.
        kept: ``(60, B)`` lengths, a ring; NaN: unknown.
        counts: ``(60, B)`` which of them count.
        far_s: ``(B,)`` for how long each has been too far off to count.
        rows: ``(2,)`` rows so far, and how many were kept.
    """

    value: F64
    spread: F64
    kept: NDArray[np.float32]
    counts: NDArray[np.bool_]
    far_s: NDArray[np.float32]
    rows: NDArray[np.int64]


def new_baseline(bones: int) -> BoneBaseline:
    """No bone has been seen yet."""
    return BoneBaseline(
        np.full(bones, np.nan),
        np.full(bones, np.inf),
        np.full((_KEPT, bones), np.nan, np.float32),
        np.zeros((_KEPT, bones), bool),
        np.zeros(bones, np.float32),
        np.zeros(2, np.int64),
    )


@kernel(inlined=True)
def see_bones(baseline, lengths, rate):  # type: ignore[no-untyped-def]
    """Takes the log lengths of a row, ``(B,)`` with NaN where unknown, of so many rows a second."""
    row = baseline.rows[0]
    baseline.rows[0] += 1
    early = row < round(_FIRST_S * rate)
    hop = max(1, round((_FIRST_EVERY_S if early else _EVERY_S) * rate))
    if row % hop:
        return
    _keep(baseline, lengths, early)
    if early or row % max(1, round(_RENEWED_S * rate)) < hop:
        for bone in range(len(lengths)):
            _renew(baseline, bone)


@kernel()
def _keep(baseline, lengths, early):  # type: ignore[no-untyped-def]
    at = baseline.rows[1] % _KEPT
    baseline.rows[1] += 1
    for bone in range(len(lengths)):
        far = not early and abs(lengths[bone] - baseline.value[bone]) >= _FAR * baseline.spread[bone]
        baseline.far_s[bone] = baseline.far_s[bone] + _EVERY_S if far else 0.0
        baseline.kept[at, bone] = lengths[bone]
        baseline.counts[at, bone] = not (far or math.isnan(lengths[bone]))
        if baseline.far_s[bone] > _GIVE_UP_S:
            baseline.far_s[bone] = 0.0
            baseline.counts[:, bone] = False
            for back in range(_RECENT):
                row = (at - back) % _KEPT
                baseline.counts[row, bone] = not math.isnan(baseline.kept[row, bone])
            _renew(baseline, bone)


@kernel()
def _renew(baseline, bone):  # type: ignore[no-untyped-def]
    lengths = baseline.kept[:, bone][baseline.counts[:, bone]]
    if len(lengths):
        middle = np.median(lengths)
        baseline.value[bone] = middle
        baseline.spread[bone] = 1.4826 * np.median(np.abs(lengths - middle)) + _LEAST_SPREAD
