"""How the network's logits become decisions: what is added to them, and where they are cut."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from kineseg_core.boundary_network import layout
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Calibration:
    """Numbers that go into the file beside the weights.

    Attributes:
        discrepancy_weights: ``(LAGS, 4)`` what each kernel discrepancy beyond 0.5 adds to the logit.
        operating_points: By kind of model, fields of `kineseg_core.boundary_network.OperatingPoint`.
    """

    discrepancy_weights: NDArray[np.float32]
    operating_points: Mapping[str, Mapping[str, float]]


def calibration(discrepancy_weight: float, operating_points: Mapping[str, Mapping[str, float]]) -> Calibration:
    """The same weight for every discrepancy at every lag."""
    weights = np.full((len(layout.LAGS), 4), discrepancy_weight, np.float32)
    return Calibration(weights, operating_points)
