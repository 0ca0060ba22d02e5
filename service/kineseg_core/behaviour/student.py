"""The tail of Student's t."""

from __future__ import annotations

import math


def above(t: float, degrees: int) -> float:
    """How likely a Student t of that many degrees of freedom is above `t`.

    The closed form for whole degrees: Abramowitz and Stegun, Handbook of Mathematical Functions (1964), 26.7.3 and
    26.7.4. It costs half as many steps as there are degrees.
    """
    angle = math.atan2(t, math.sqrt(degrees))
    cosine, sine = math.cos(angle), math.sin(angle)
    square, odd = cosine * cosine, degrees % 2 == 1
    term = cosine if odd else 1.0
    total = term if degrees > 1 else 0.0
    for k in range(2 if odd else 1, degrees - 1, 2):
        term *= square * k / (k + 1)
        total += term
    within = 2.0 / math.pi * (angle + sine * total) if odd else sine * total
    return min(1.0, max(0.0, 0.5 * (1.0 - within)))
