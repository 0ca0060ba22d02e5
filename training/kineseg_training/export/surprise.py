"""How surprising a frame is, in one number, and what is usual of it.

A mean over all channels rises and falls with how lively the motion is and hardly moves when one joint freezes, shakes
or is taken for another. So each joint's squared error is taken relative to what is typical of it, and the worst joint
is compared with the one in the middle. The comparison is not complete: what moves all joints at once still counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from kineseg.v1 import bundle_pb2
from numpy.typing import NDArray

from kineseg_training.errors import DataError

Array = NDArray[np.float64]

# Of the error of the middle joint, this much is added before it is divided by, in units of what is typical.
FLOOR = 0.3
# A channel that is always predicted perfectly would make the smallest error infinitely surprising.
_LEAST_TYPICAL = 1e-6
_MEDIAN_OF_SQUARED_NORMAL = 0.455
# Frames at the start of a take in which a model has hardly heard anything; they do not count.
WARM_UP = 10


@dataclass(frozen=True, eq=False)
class Surprise:
    """The measure: ``worst / (middle + FLOOR) ** 0.75`` of the joints' relative squared errors.

    Attributes:
        weight: ``(C, G)``; squared errors of the channels times this are the relative squared errors of the joints.
    """

    weight: Array

    @property
    def middle(self) -> int:
        """Place of the middle joint when they are sorted, the worst first."""
        return int(self.weight.shape[1]) // 2

    def __call__(self, squared_error: Array) -> Array:
        """``(T,)`` from the squared errors ``(T, C)`` of normalised channels."""
        joints = np.sort(squared_error @ self.weight, axis=1)[:, ::-1]
        return np.asarray(joints[:, 0] / (joints[:, self.middle] + FLOOR) ** 0.75)


def learn_surprise(squared_errors: Sequence[Array], channels: Sequence[str]) -> Surprise:
    """Learn what is typical from squared errors ``(T, C)`` on takes.

    Joints are the triples of channels ``name.x``, ``name.y``, ``name.z``; other channels are then left out. Where there
    are none, each channel counts as a joint.

    Raises:
        DataError: There are no errors to learn from.
    """
    if not sum(len(errors) for errors in squared_errors):
        raise DataError("every take is too short to learn from it what a typical error is")
    typical = np.median(np.concatenate(squared_errors), axis=0) / _MEDIAN_OF_SQUARED_NORMAL
    groups = _joints(channels)
    weight = np.zeros((len(channels), len(groups)))
    for column, group in enumerate(groups):
        weight[group, column] = 1.0 / (len(group) * np.maximum(typical[group], _LEAST_TYPICAL))
    return Surprise(weight)


def _joints(channels: Sequence[str]) -> list[list[int]]:
    place = {name: at for at, name in enumerate(channels)}
    stems = [name[:-2] for name in channels if name.endswith(".x")]
    triples = [[f"{stem}.{axis}" for axis in "xyz"] for stem in stems]
    joints = [[place[name] for name in triple] for triple in triples if all(name in place for name in triple)]
    return joints or [[at] for at in range(len(channels))]


def calibration(
    surprises: Sequence[NDArray[np.floating]],
    segmenter: Mapping[str, float],
    naming: Mapping[str, float] | None = None,
) -> bundle_pb2.Calibration:
    """Median and robust deviation of the logarithm.

    Args:
        surprises: ``(T,)`` of each held-out take.
        segmenter: Settings of the segmenter to be written beside.
        naming: Settings of the naming of segments to be written beside.

    Raises:
        DataError: No take is longer than `WARM_UP`.
    """
    surprise = np.concatenate([np.asarray(take, dtype=np.float64)[WARM_UP:] for take in surprises])
    surprise = surprise[surprise > 0.0]
    if not surprise.size:
        raise DataError(f"no held-out take is longer than {WARM_UP} frames: nothing to calibrate surprise on")
    logarithm = np.log(surprise)
    median = float(np.median(logarithm))
    spread = 1.4826 * float(np.median(np.abs(logarithm - median)))
    return bundle_pb2.Calibration(
        log_surprise_median=round(median, 6),
        log_surprise_scale=round(spread, 6),
        segmenter=segmenter,
        naming=naming,
    )
