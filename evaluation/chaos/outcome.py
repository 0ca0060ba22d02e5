"""What became of a trial."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from evaluation.asked import Asked, Reached

Figures = tuple[Reached, ...]


@dataclass(frozen=True)
class Outcome:
    """What became of a trial.

    Attributes:
        figures: What was asked, and what it is.
        seen: What happened besides, in a line.
    """

    figures: Figures
    seen: str = ""

    @property
    def holds(self) -> bool:
        """Whether all of it was reached."""
        return bool(self.figures) and all(figure.holds for figure in self.figures)


def none(name: str, value: float) -> Reached:
    """A number of which there should be none."""
    return most(name, value, 0.0)


def most(name: str, value: float | None, bound: float) -> Reached:
    """A number that should be no larger."""
    return Reached(Asked(name, bound, at_most=True), value)


def least(name: str, value: float | None, bound: float) -> Reached:
    """A number that should be no smaller."""
    return Reached(Asked(name, bound), value)


def summary(outcomes: Mapping[str, Outcome]) -> dict[str, dict[str, object]]:
    """``{trial: {"value", "asked", "holds"}}``, for JSON; values and bounds by the names of figures."""
    return {
        trial: {
            "value": {figure.asked.name: figure.value for figure in outcome.figures},
            "asked": {figure.asked.name: _bound(figure.asked) for figure in outcome.figures},
            "holds": outcome.holds,
        }
        for trial, outcome in outcomes.items()
    }


def _bound(asked: Asked) -> str:
    return f"{'<=' if asked.at_most else '>='} {asked.bound:g}"
