"""What is unusual in what is done, before reports are made of it."""

from __future__ import annotations

from dataclasses import dataclass

from kineseg_core.anomalies.kinds import AnomalyKind
from kineseg_core.intake.watch import Place
from kineseg_core.kept.declared import record


@record
@dataclass(frozen=True, slots=True)
class Finding:
    """Something unusual.

    Attributes:
        kind: What it is.
        nats: Once in e^s hours.
        since: Where it begins.
        text: A sentence about it.
        units: The joints or channels concerned; empty: all.
        aspect: What of the kind it is; another one is news of a report that goes on.
    """

    kind: AnomalyKind
    nats: float
    since: Place
    text: str
    units: tuple[str, ...] = ()
    aspect: str = ""


@record
@dataclass(frozen=True, slots=True)
class OpenAction:
    """A segment that goes on.

    Attributes:
        label, name: Of it so far; the name is empty where it has none.
        start: Where it begins, for certain.
        whole: It was not cut off there by where the stream begins, or goes on after a gap.
    """

    label: int
    name: str
    start: Place
    whole: bool

    @property
    def spoken(self) -> str:
        """What it is called in a sentence."""
        return spoken(self.label, self.name)


@record
@dataclass(frozen=True, slots=True)
class Action:
    """A segment that is over.

    Attributes:
        label, name: Of it; the name is empty where it has none.
        start, end: Where it begins, and the first frame after it.
        known: The frame that decided its end.
        whole: It was not cut off, at either end, by where the stream begins, pauses or ends.
    """

    label: int
    name: str
    start: Place
    end: Place
    known: Place
    whole: bool

    @property
    def spoken(self) -> str:
        """What it is called in a sentence."""
        return spoken(self.label, self.name)


def spoken(label: int, name: str) -> str:
    """What an action is called in a sentence."""
    return name or f"action {label}"


def seconds(place: Place) -> float:
    """Time of a place."""
    return place[1] / 1e9
