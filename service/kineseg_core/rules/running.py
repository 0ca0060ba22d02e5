"""The segments of a stream that run now: those that have begun and are neither closed nor retracted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from kineseg_core.intake.watch import Place
from kineseg_core.kept.declared import record


@record
class RunningSegment(NamedTuple):
    """A segment that runs.

    Attributes:
        start: Its first frame and when that was.
        name: What it is called; empty: nothing.
        confirmed: Whether it is certain that it began.
    """

    start: Place
    name: str
    confirmed: bool = True


Running = Mapping[int, RunningSegment]
"""By number."""


def next_start_ns(running: Running, start: Place) -> int | None:
    """When the next segment after one with this start begins, which is where that one ends as far as is known."""
    return min((other.start[1] for other in running.values() if other.start[1] > start[1]), default=None)
