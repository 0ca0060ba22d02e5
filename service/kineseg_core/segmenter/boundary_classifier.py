"""From the features of a candidate boundary to a probability: small models, trained on motion with known boundaries.

`kineseg-train boundary-classifiers` makes them.
"""

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

FILE = "boundary_classifiers.json"
_FAR = 5.0  # standard deviations: features unlike anything in training count no more than this


@dataclass(frozen=True, eq=False)
class BoundaryClassifier:
    """A network with one hidden layer of tanh units, or, without hidden units, a logistic regression.

    Attributes:
        features: Names of the F features, in order.
        mean, scale: Of each feature in training, (F,).
        hidden: Weights (F, H) and biases (H,) of the hidden layer; None without one.
        weight, bias: (H,) or (F,), and a number.
        calibration: Slope and offset, in log odds, from the probability given at one moment to the share of boundaries
            emitted at that probability that were confirmed: they were chosen for being likely (Platt 1999).
    """

    features: tuple[str, ...]
    mean: Array
    scale: Array
    hidden: tuple[Array, Array] | None
    weight: Array
    bias: float
    calibration: tuple[float, float] = (1.0, 0.0)

    def __call__(self, features: Array) -> float:
        """Probability that there is a boundary, given its features (F,)."""
        z = np.clip((features - self.mean) / self.scale, -_FAR, _FAR)
        if self.hidden is not None:
            z = np.tanh(z @ self.hidden[0] + self.hidden[1])
        return 1.0 / (1.0 + math.exp(-float(z @ self.weight) - self.bias))

    def confidence(self, probability: float) -> float:
        """The share of boundaries emitted at this probability that are confirmed; never quite 0 or 1."""
        slope, offset = self.calibration
        inside = min(max(probability, 1e-6), 1.0 - 1e-6)
        odds = math.log(inside / (1.0 - inside))
        return min(max(1.0 / (1.0 + math.exp(-slope * odds - offset)), 0.01), 0.99)

    def plain(self) -> dict[str, Any]:
        """As plain values, for `from_plain`; rounded to the digits of single precision."""

        def listed(values: Array) -> Any:
            return np.vectorize(lambda value: float(f"{value:.6g}"))(values).tolist()

        hidden = None if self.hidden is None else [listed(part) for part in self.hidden]
        return {
            "features": list(self.features),
            "mean": listed(self.mean),
            "scale": listed(self.scale),
            "hidden": hidden,
            "weight": listed(self.weight),
            "bias": float(f"{self.bias:.6g}"),
            "calibration": [float(f"{value:.6g}") for value in self.calibration],
        }

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> BoundaryClassifier:
        """The inverse of `plain`."""
        hidden = plain["hidden"]
        return cls(
            features=tuple(plain["features"]),
            mean=np.array(plain["mean"]),
            scale=np.array(plain["scale"]),
            hidden=None if hidden is None else (np.array(hidden[0]), np.array(hidden[1])),
            weight=np.array(plain["weight"]),
            bias=float(plain["bias"]),
            calibration=(float(plain["calibration"][0]), float(plain["calibration"][1])),
        )


@dataclass(frozen=True, eq=False)
class BoundaryClassifiers:
    """The two that a segmenter asks.

    Attributes:
        final: Whether a candidate that is due is a boundary; given `FINAL_FEATURES`.
        provisional: Whether a young candidate will be confirmed; given `PROVISIONAL_FEATURES`.
    """

    final: BoundaryClassifier
    provisional: BoundaryClassifier

    def text(self) -> str:
        """As JSON, for `from_text`."""
        plain = {"provisional": self.provisional.plain(), "final": self.final.plain()}
        return json.dumps(plain, indent=1) + "\n"

    @classmethod
    def from_text(cls, text: str) -> BoundaryClassifiers:
        """The inverse of `text`."""
        plain = json.loads(text)
        return cls(**{name: BoundaryClassifier.from_plain(plain[name]) for name in ("final", "provisional")})


@cache
def packaged_classifiers() -> BoundaryClassifiers:
    """Those that come with the package."""
    return BoundaryClassifiers.from_text((files(__package__) / FILE).read_text(encoding="utf-8"))
