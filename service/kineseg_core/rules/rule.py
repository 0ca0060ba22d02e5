"""What a rule is."""

from __future__ import annotations

from dataclasses import dataclass

from kineseg_core.kept.declared import record


@record
@dataclass(frozen=True, slots=True)
class NameRule:
    """A segment with a name is an alert.

    Attributes:
        id: Which rule it is, for programs.
        name: The name.
        after_s: Only segments that last so long are.
        text: What is said; empty: the name, and for how long.
    """

    id: str
    name: str
    after_s: float = 0.0
    text: str = ""

    def said(self, lasted_s: float) -> str:
        """A sentence about a segment that has lasted so long."""
        return self.text or f"{self.name} for {lasted_s:.1f} s"


@record
@dataclass(frozen=True, slots=True)
class AbsenceRule:
    """That no segment has had a name for some time is an alert.

    Attributes:
        id: Which rule it is, for programs.
        name: The name.
        for_s: For how long.
        text: What is said; empty: which name, and for how long.
    """

    id: str
    name: str
    for_s: float
    text: str = ""

    def said(self, lasted_s: float) -> str:
        """A sentence about an absence that has lasted so long."""
        return self.text or f"no {self.name} for {lasted_s:.1f} s"


Rule = NameRule | AbsenceRule


def joined(general: tuple[Rule, ...], own: tuple[Rule, ...]) -> tuple[Rule, ...]:
    """Rules for all streams and those of one; of two with one id the latter holds."""
    ids = {rule.id for rule in own}
    return (*(rule for rule in general if rule.id not in ids), *own)
