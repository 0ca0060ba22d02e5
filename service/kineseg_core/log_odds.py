"""Probabilities moved in log odds, where a step means the same near 0, near 1 and between."""

from __future__ import annotations

import math

_LEAST = 1e-6  # probabilities nearer to 0 or 1 than this count as those


def log_odds(probability: float) -> float:
    """ln(p / (1 - p)), finite also at 0 and 1."""
    p = min(max(probability, _LEAST), 1.0 - _LEAST)
    return math.log(p / (1.0 - p))


def moved(probability: float, by: float) -> float:
    """The probability whose log odds are those of `probability` plus `by`."""
    return 1.0 / (1.0 + math.exp(-(log_odds(probability) + by)))
