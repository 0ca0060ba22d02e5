"""What is asked of alarms about faults that were put in: found, soon, before the worst, by the right name and place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from evaluation.alerts.joints import with_neighbours
from evaluation.alerts.results import MIDDLE, Outcome, SetResult
from evaluation.alerts.stream import AlertStream

OLD_KINDS = (
    "gap", "frozen", "jitter", "swapped", "occluded", "spike", "stalled", "late", "rescaled", "drift", "tremor",
)  # fmt: skip
"""The kinds of body faults that there were before the monitor."""
EXACT_KINDS = ("gap", "occluded", "stalled", "frozen", "looped", "unit")
"""What a rule can tell without any doubt."""
SOON_S = 0.3
AHEAD_S = 4.0

# By the name of the fault, the kinds that the monitor may call it; equal names go without saying.
_SAME = {
    "axis_flip": {"axes"},
    "rescaled": {"scale"},
    "limb_late": {"late"},
    "lag": {"late"},
    "slip": {"drift"},
    "growing_tremor": {"tremor"},
    "growing_jitter": {"jitter"},
    "offset": {"level"},
    "sign_flip": {"axes"},
}
_WHOLE = {"gap", "stalled", "looped", "unit", "axis_flip", "rescaled"}  # of a body there is no one joint to be named

Test = Callable[[Outcome], bool]


@dataclass(frozen=True)
class Share:
    """So many of so many."""

    right: int
    of: int

    @property
    def value(self) -> float | None:
        """From 0 to 1; None of none."""
        return self.right / self.of if self.of else None

    def __add__(self, other: Share) -> Share:
        return Share(self.right + other.right, self.of + other.of)


def share(outcomes: Sequence[Outcome], test: Test, among: Test = lambda _: True) -> Share:
    """How many of those that are `among` pass a test."""
    asked = [outcome for outcome in outcomes if among(outcome)]
    return Share(sum(map(test, asked)), len(asked))


def found(outcome: Outcome) -> bool:
    """Whether there was an alarm."""
    return outcome.found


def of_kinds(names: Sequence[str]) -> Test:
    """Whether the fault is of one of the kinds."""
    return lambda outcome: outcome.trial.kind.name in names


def grows(outcome: Outcome) -> bool:
    """Whether the fault grows."""
    return outcome.trial.kind.grows


def delay_s(outcome: Outcome) -> float | None:
    """From when the fault could be seen to its alarm: of a gap, from the first frame after it."""
    return None if outcome.at_s is None else max(0.0, outcome.at_s - float(outcome.trial.times[0]))


def warning_s(outcome: Outcome) -> float | None:
    """From the alarm to the fault's end, where one that grows is at its worst."""
    return None if outcome.at_s is None else outcome.trial.stop_s - outcome.at_s


def ahead(outcome: Outcome) -> bool:
    """Whether there was an alarm early enough before the worst."""
    warned = warning_s(outcome)
    return warned is not None and warned >= AHEAD_S - 1e-6


def soon(rate: float) -> Test:
    """Whether there was an alarm within `SOON_S` and a frame."""

    def test(outcome: Outcome) -> bool:
        delay = delay_s(outcome)
        return delay is not None and delay <= SOON_S + 1.0 / rate + 1e-6

    return test


def kind_right(outcome: Outcome) -> bool:
    """Whether an alarm was called what it was."""
    name = outcome.trial.kind.name
    return outcome.alarm is not None and outcome.alarm.kind in {name, *_SAME.get(name, ())}


def has_place(stream: AlertStream) -> Test:
    """Whether a found fault is at one joint or channel, or at a few, so that these can be named."""

    def test(outcome: Outcome) -> bool:
        name = outcome.trial.kind.name
        return (
            outcome.alarm is not None
            and len(outcome.trial.units) < len(stream.units)
            and name not in (_WHOLE if stream.is_body else _WHOLE - {"unit"})
        )

    return test


def place_right(stream: AlertStream) -> Test:
    """Whether at least half of what an alarm named is where the fault is, or next to it."""

    def test(outcome: Outcome) -> bool:
        if outcome.alarm is None or not outcome.alarm.units:
            return False
        near = with_neighbours(stream, outcome.trial.units)
        return float(np.mean([unit in near for unit in outcome.alarm.units])) >= 0.5

    return test


def kinds_right(result: SetResult) -> Share:
    """Of the faults that were found at the middle budget."""
    return share(result.stated_outcomes[MIDDLE], kind_right, found)


def places_right(result: SetResult) -> Share:
    """Of the faults of one place that were found at the middle budget."""
    outcomes = iter(result.stated_outcomes[MIDDLE])
    total = Share(0, 0)
    for stream, trials in zip(result.streams, result.trials, strict=True):
        total += share([next(outcomes) for _ in trials], place_right(stream), has_place(stream))
    return total


def exact_soon(result: SetResult, kinds: Sequence[str] = EXACT_KINDS) -> Share:
    """Of the faults that a rule can tell, those found within `SOON_S` at the middle budget."""
    outcomes = iter(result.stated_outcomes[MIDDLE])
    total = Share(0, 0)
    for stream, trials in zip(result.streams, result.trials, strict=True):
        total += share([next(outcomes) for _ in trials], soon(stream.recording.rate), of_kinds(kinds))
    return total


def median(values: Sequence[float | None]) -> float | None:
    """Of those that there are."""
    known = [value for value in values if value is not None]
    return float(np.median(known)) if known else None
