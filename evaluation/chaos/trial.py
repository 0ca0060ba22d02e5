"""What a trial is."""

from __future__ import annotations

from collections.abc import Callable

from evaluation.chaos.outcome import Outcome
from evaluation.chaos.size import Size

Trial = Callable[[Size], Outcome]
"""Runs it; raises `CannotRun` where something that it needs is missing."""


class CannotRun(RuntimeError):  # noqa: N818 - named for what has happened
    """Something that the trial needs is not there; the message says what."""
