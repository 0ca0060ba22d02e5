"""From evidence to a probability: small models, learned beforehand on motion whose boundaries are known."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_FILE = "boundary_classifiers.json"
_FAR = 5.0  # standard deviations: evidence unlike anything in training counts no more than this


@dataclass(frozen=True, eq=False)
class Judge:
    """A logistic regression on tanh units of the evidence, or, without a hidden layer, on the evidence itself.

    Attributes:
        evidence: Names of the F numbers that it is given, in order.
        mean, scale: Of each in training, (F,).
        hidden: Weights (F, H) and biases (H,) of the hidden layer; None without one.
        weight, bias: (H,) or (F,), and a number.
        calibration: Slope and offset, in log odds, from the probability of one moment to the share of those that were
            announced at it and came true: what is announced was chosen for being likely (Platt 1999).
    """

    evidence: tuple[str, ...]
    mean: Array
    scale: Array
    hidden: tuple[Array, Array] | None
    weight: Array
    bias: float
    calibration: tuple[float, float] = (1.0, 0.0)

    def __call__(self, evidence: Array) -> float:
        """Probability, given the evidence (F,)."""
        z = np.clip((evidence - self.mean) / self.scale, -_FAR, _FAR)
        if self.hidden is not None:
            z = np.tanh(z @ self.hidden[0] + self.hidden[1])
        return 1.0 / (1.0 + math.exp(-float(z @ self.weight) - self.bias))

    def confidence(self, probability: float) -> float:
        """The share of announcements at this probability that come true; never quite 0 or 1."""
        slope, offset = self.calibration
        inside = min(max(probability, 1e-6), 1.0 - 1e-6)
        odds = math.log(inside / (1.0 - inside))
        return min(max(1.0 / (1.0 + math.exp(-slope * odds - offset)), 0.01), 0.99)

    def plain(self) -> dict[str, Any]:
        """As plain values, for `from_plain`; rounded to what single precision tells apart."""

        def listed(values: Array) -> Any:
            return np.vectorize(lambda value: float(f"{value:.6g}"))(values).tolist()

        hidden = None if self.hidden is None else [listed(part) for part in self.hidden]
        return {
            "evidence": list(self.evidence),
            "mean": listed(self.mean),
            "scale": listed(self.scale),
            "hidden": hidden,
            "weight": listed(self.weight),
            "bias": float(f"{self.bias:.6g}"),
            "calibration": [float(f"{value:.6g}") for value in self.calibration],
        }

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Judge:
        """The inverse of `plain`."""
        hidden = plain["hidden"]
        return cls(
            evidence=tuple(plain["evidence"]),
            mean=np.array(plain["mean"]),
            scale=np.array(plain["scale"]),
            hidden=None if hidden is None else (np.array(hidden[0]), np.array(hidden[1])),
            weight=np.array(plain["weight"]),
            bias=float(plain["bias"]),
            calibration=(float(plain["calibration"][0]), float(plain["calibration"][1])),
        )


@cache
def packaged_judge(name: str) -> Judge:
    """The judge that comes with the package: ``early`` of announcements, ``final`` of boundaries."""
    judges = json.loads((files(__package__) / _FILE).read_text())
    return Judge.from_plain(judges[name])
