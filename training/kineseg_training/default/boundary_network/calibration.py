"""How the network's logits become decisions: what is added to them, and where they are cut."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Calibration:
    """Numbers that go into the file beside the weights.

    Attributes:
        discrepancy_weight: What a kernel discrepancy beyond 0.5 adds to the logit.
        operating_point: Fields of `kineseg_core.boundary_network.OperatingPoint`.
    """

    discrepancy_weight: float
    operating_point: Mapping[str, float]
