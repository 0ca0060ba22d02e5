"""Figures that are asked, and what became of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

_ROUNDING = 1e-9


@dataclass(frozen=True)
class Asked:
    """A figure.

    Attributes:
        name: Of the figure, with its unit if that is not a share.
        bound: What is asked.
        at_most: Whether less is better.
    """

    name: str
    bound: float
    at_most: bool = False


@dataclass(frozen=True)
class Reached:
    """What became of a figure; what was not measured does not hold."""

    asked: Asked
    value: float | None

    @property
    def holds(self) -> bool:
        """Whether it was reached."""
        if self.value is None:
            return False
        if self.asked.at_most:
            return self.value <= self.asked.bound + _ROUNDING
        return self.value >= self.asked.bound - _ROUNDING

    @property
    def verdict(self) -> str:
        """In a word."""
        return "not run" if self.value is None else "holds" if self.holds else "missed"


def plain(figures: Iterable[Reached]) -> dict[str, dict[str, float | bool | None]]:
    """``{figure: {"value", "asked", "holds"}}``, for JSON."""
    return {each.asked.name: {"value": each.value, "asked": each.asked.bound, "holds": each.holds} for each in figures}
