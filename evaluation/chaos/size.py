"""How large a trial is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Size:
    """How large a trial is.

    Attributes:
        seconds: So long it goes on, about, once its servers run.
        factor: Times so many streams, connections and messages as are usual.
    """

    seconds: float = 60.0
    factor: float = 1.0

    def of(self, usual: int, least: int = 1) -> int:
        """So many in place of the usual number."""
        return max(least, round(usual * self.factor))
