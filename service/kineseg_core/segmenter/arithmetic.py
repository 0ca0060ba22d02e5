"""Sums whose order is written down: the same bits on every machine, from the readable classes and from kernels."""

from __future__ import annotations

from kineseg_core.kernels import kernel


@kernel(inlined=True)
def square_of(vector):  # type: ignore[no-untyped-def]
    """Squared length of a vector (D,), summed from the first number to the last in double precision."""
    total = 0.0
    for i in range(len(vector)):
        total += float(vector[i]) * float(vector[i])
    return total


@kernel(inlined=True)
def square_between(vector, other):  # type: ignore[no-untyped-def]
    """Squared distance of two vectors (D,), summed from the first number to the last in double precision."""
    total = 0.0
    for i in range(len(vector)):
        apart = float(vector[i]) - float(other[i])
        total += apart * apart
    return total


@kernel(inlined=True)
def sum_of(values):  # type: ignore[no-untyped-def]
    """Sum (N,) from the first to the last in double precision."""
    total = 0.0
    for i in range(len(values)):
        total += float(values[i])
    return total
