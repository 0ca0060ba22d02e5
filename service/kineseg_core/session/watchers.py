"""What watches a stream: its source, the names of its segments, and what is done in them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kineseg_core.behaviour import BehaviourMonitor
from kineseg_core.events import (
    Detail,
    LabelsMerged,
    SegmentClosed,
    SegmentRetracted,
    SegmentStarted,
    SegmentUpdated,
)
from kineseg_core.intake.clock import SECOND
from kineseg_core.intake.watch import AnomalyFound, Place
from kineseg_core.kept.declared import keeps
from kineseg_core.rules.watch import RuleWatch
from kineseg_core.session.anomaly_ids import AnomalyIds

_LOOKS_S = 1.0  # how often the name of a segment that has none is looked for, where rules wait for it
_SOURCE, _RULES, _BEHAVIOUR = "source", "rules", "behaviour"


class OpenSegment(NamedTuple):
    """The segment that goes on, certainly.

    Attributes:
        segment_id: Its number.
        frames: Of the model, so far.
        begins: Its first frame and when that was.
        name: Gives what it is called as far as is known; empty: nothing.
    """

    segment_id: int
    frames: int
    begins: Place
    name: Callable[[], str]


@keeps("_rules _behaviour _ids", fixed="_looks_every")
class Watchers:
    """The anomalies of one stream, whoever finds them, numbered together. Picklable.

    Args:
        rules: What watches names; none: nothing does.
        behaviour: What watches what is done; none: nothing does.
        model_rate_hz: The model's frames a second.
    """

    def __init__(self, rules: RuleWatch | None, behaviour: BehaviourMonitor | None, model_rate_hz: float) -> None:
        self._rules = rules
        self._behaviour = behaviour
        self._looks_every = max(1, round(_LOOKS_S * model_rate_hz))
        self._ids = AnomalyIds()

    def check_kept(self) -> None:
        """Raises `ValueError` unless all alerts and reports that go on have been raised."""
        raised = {_RULES: self._rules, _BEHAVIOUR: self._behaviour}
        if not all(each is None or self._ids.knows(watcher, each.raised) for watcher, each in raised.items()):
            raise ValueError("an anomaly goes on that has not been raised")

    @property
    def any(self) -> bool:
        """Whether names or what is done are watched."""
        return self._rules is not None or self._behaviour is not None

    @property
    def count(self) -> int:
        """How many anomalies were raised."""
        return self._ids.count

    @property
    def warming_up(self) -> tuple[str, ...]:
        """What of behaviour is not watched yet."""
        return () if self._behaviour is None else self._behaviour.warming_up

    def of_source(self, found: AnomalyFound) -> AnomalyFound:
        """What was found in what the source sends."""
        (numbered,) = self._numbered(_SOURCE, [found])
        return numbered

    def push(self, frame: NDArray[np.float32], begins: Place) -> None:
        """The model's next frame."""
        if self._behaviour is not None:
            self._behaviour.push(frame, begins)

    def learn(self, detail: Detail, begins: Place, now: Place, *, cut: bool) -> list[AnomalyFound]:
        """What was decided of a segment, which begins there; `cut`: by a gap, or the end of the stream."""
        if self._behaviour is not None:
            _behaves(self._behaviour, detail, begins, now, cut=cut)
        return [] if self._rules is None else self._numbered(_RULES, _is_named(self._rules, detail, begins, now))

    def settle(
        self, now: Place, frames: int, running: Callable[[], OpenSegment | None], *, wavers: bool
    ) -> list[AnomalyFound]:
        """All that the model's newest frame decides is decided.

        Args:
            now: That frame.
            frames: How many there have been.
            running: Gives the segment that goes on.
            wavers: Whether a segment is provisional.
        """
        found = []
        if self._rules is not None:
            if frames % self._looks_every == 0:
                found += self._numbered(_RULES, self._look(self._rules, running(), now))
            found += self._numbered(_RULES, self._rules.advance(now))
        if self._behaviour is not None:
            found += self._numbered(_BEHAVIOUR, self._behaviour.settle(now, wavers=wavers))
        return found

    def restart(self, now: Place) -> list[AnomalyFound]:
        """The stream goes on after a gap."""
        return [] if self._behaviour is None else self._numbered(_BEHAVIOUR, self._behaviour.restart(now))

    def finish(self, end: Place, now: Place) -> list[AnomalyFound]:
        """The stream is over: so are its anomalies."""
        found = [] if self._rules is None else self._numbered(_RULES, self._rules.finish(end, now))
        return (
            found if self._behaviour is None else found + self._numbered(_BEHAVIOUR, self._behaviour.finish(end, now))
        )

    def _look(self, rules: RuleWatch, running: OpenSegment | None, now: Place) -> list[AnomalyFound]:
        """A segment that had no name when it began may be known by now."""
        if running is None or running.frames < self._looks_every or not rules.is_unnamed(running.segment_id):
            return []
        name = running.name()
        return rules.runs(running.segment_id, name, running.begins, now) if name else []

    def _numbered(self, watcher: str, reports: Sequence[AnomalyFound]) -> list[AnomalyFound]:
        return [replace(found, detail=self._ids.numbered(watcher, found.detail)) for found in reports]


def _behaves(behaviour: BehaviourMonitor, detail: Detail, begins: Place, decided: Place, *, cut: bool) -> None:
    """What is certain of a segment goes to what watches behaviour."""
    match detail:
        case SegmentStarted(confirmed=True) | SegmentUpdated(confirmed=True):
            behaviour.begins(detail.label, detail.name, begins)
        case SegmentClosed():
            end = detail.end_frame, round(detail.end_time_s * SECOND)
            behaviour.ends(detail.label, detail.name, begins, end, decided, cut=cut)
        case LabelsMerged():
            behaviour.merged(detail.label, detail.into)


def _is_named(rules: RuleWatch, detail: Detail, begins: Place, now: Place) -> list[AnomalyFound]:
    """What becomes known of a segment's name goes to what watches names."""
    match detail:
        case SegmentStarted() | SegmentUpdated():
            return rules.runs(detail.segment_id, detail.name, begins, now, confirmed=detail.confirmed)
        case SegmentRetracted():
            return rules.retracted(detail.segment_id, now)
        case SegmentClosed():
            end = detail.end_frame, round(detail.end_time_s * SECOND)
            return rules.closed(detail.segment_id, detail.name, begins, end, now)
    return []
