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
    """What became of a figure; what was not measured does not hold.

    Attributes:
        asked: The figure.
        value: What it is; none: it was not measured.
        skipped: Why it cannot be measured here; empty where it can.
    """

    asked: Asked
    value: float | None
    skipped: str = ""

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
        if self.skipped:
            return f"skipped: {self.skipped}"
        return "not run" if self.value is None else "holds" if self.holds else "missed"


def plain(figures: Iterable[Reached]) -> dict[str, dict[str, float | bool | str | None]]:
    """``{figure: {"value", "asked", "holds"}}``, and "skipped" of what cannot be measured here, for JSON."""
    return {each.asked.name: _plain(each) for each in figures}


def _plain(figure: Reached) -> dict[str, float | bool | str | None]:
    why: dict[str, float | bool | str | None] = {"skipped": figure.skipped} if figure.skipped else {}
    return {"value": figure.value, "asked": figure.asked.bound, "holds": figure.holds} | why
