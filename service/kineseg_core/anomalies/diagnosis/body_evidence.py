"""What is known of a body when something was found."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from kineseg.motion.joint_names import split_joint_names
from numpy.typing import NDArray

from kineseg_core.anomalies.diagnosis.path import bends
from kineseg_core.anomalies.score.scorer import Scorer
from kineseg_core.anomalies.source import WatchedSource
from kineseg_core.anomalies.values.body import BodyValues

F64 = NDArray[np.float64]

_LEAST_USUAL = 0.001
_BEFORE_ROWS = 2
_SEARCHED_S = 0.5
_SUDDEN, _LEAST_BEND = 8.0, 0.02
_ZERO = 1e-12


@dataclass(frozen=True)
class BodyEvidence:
    """The last seconds of a body, lengths in body heights.

    Attributes:
        source: The body.
        rate_hz: Rows a second.
        onset: Row in which it began.
        found: Row of the first sign.
        since_s: When it began, if it did so suddenly; else the time of the first sign.
        places: ``(n, J, 3)`` relative to the root; the root in the world.
        bones: Joint and parent of each.
        deviations: ``(n, B)`` of log lengths from what is usual; NaN: unknown.
        usual: ``(B,)`` upper limit of how much they usually deviate.
        severities: By detector, the highest since the onset.
        joints: By detector, the joint that it was highest for, or -1.
    """

    source: WatchedSource
    rate_hz: float
    onset: int
    found: int
    since_s: float
    places: F64
    bones: tuple[tuple[int, int], ...]
    deviations: F64
    usual: F64
    severities: dict[str, float]
    joints: dict[str, int]

    @property
    def after(self) -> slice:
        """The rows from the onset on."""
        return slice(self.onset, None)

    @cached_property
    def common(self) -> F64:
        """``(n,)`` median of the bones' deviations."""
        known = ~np.isnan(self.deviations).all(axis=1)
        common = np.zeros(len(self.deviations))
        common[known] = np.nanmedian(self.deviations[known], axis=1)
        return common

    @cached_property
    def pairs(self) -> tuple[tuple[int, int], ...]:
        """Left and right of every joint that there is on both sides."""
        at = {split: joint for joint, split in enumerate(split_joint_names(self.source.names))}
        return tuple(
            (joint, at["right", part]) for (side, part), joint in at.items() if side == "left" and ("right", part) in at
        )

    @property
    def sudden(self) -> range:
        """The rows in which what came at once can have come."""
        return range(max(2, self.onset), min(len(self.places), self.found + 3))

    def predicted(self, row: int) -> F64:
        """``(J, 3)`` where the joints of a row would be if they had gone on as before."""
        return np.asarray(2.0 * self.places[row - 1] - self.places[row - 2])


def body_evidence(source: WatchedSource, scorer: Scorer, since_s: float) -> BodyEvidence:
    """Gathers it.

    Args:
        source: The body.
        scorer: Of its stream.
        since_s: When the first sign was there.
    """
    values, layout, root_joint = scorer.values, scorer.layout, source.root
    assert isinstance(values, BodyValues)
    times_s, frames, severities, tops = scorer.state.recent.rows()
    bones, extent = values.bones, values.extent
    joint, parent = np.array(bones, np.int64).reshape(-1, 2).T
    lengths = np.linalg.norm(frames[:, joint] - frames[:, parent], axis=2)
    usual = scorer.state.envelope.quantile[layout.of("bone")].astype(np.float64)
    root = np.nan_to_num(frames[:, root_joint])
    places = (np.nan_to_num(frames) - root[:, None]) / extent
    places[:, root_joint] = root / extent
    found = min(int(np.searchsorted(times_s, since_s - 1e-6)), len(times_s) - 1)
    onset, is_sudden = onset_of(places, found, scorer.row_rate_hz)
    peaks = severities[onset:].argmax(axis=0)
    names = [detector.name for detector in layout.detectors]
    return BodyEvidence(
        source,
        scorer.row_rate_hz,
        onset,
        found,
        min(since_s, float(times_s[onset])) if is_sudden else since_s,
        places,
        bones,
        np.log(lengths + _ZERO) - values.baseline,
        np.maximum(usual, _LEAST_USUAL),
        {name: float(severities[onset + peaks[d], d]) for d, name in enumerate(names)},
        {name: int(layout.arrays.unit[tops[onset + peaks[d], d]]) for d, name in enumerate(names)},
    )


def onset_of(places: F64, found: int, rate_hz: float) -> tuple[int, bool]:
    """The row in which it began, the first since half a second before in which a unit moved suddenly; if one did.

    Args:
        places: ``(n, U, D)``.
        found: Row of the first sign.
        rate_hz: Rows a second.
    """
    sizes = bends(places)
    first = max(2, found - round(_SEARCHED_S * rate_hz))
    usual = np.median(sizes[2:first], axis=0) if first > 4 else np.zeros(sizes.shape[1])
    sudden = (sizes[first : found + 1] > np.maximum(_LEAST_BEND, _SUDDEN * usual)).any(axis=1)
    return (first + int(sudden.argmax()), True) if sudden.any() else (max(0, found - _BEFORE_ROWS), False)
