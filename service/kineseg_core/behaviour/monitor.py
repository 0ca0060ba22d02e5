"""Watches what is done in one stream and reports what is unusual, under a budget of reports an hour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from kineseg_core.anomalies.kinds import AnomalyKind
from kineseg_core.behaviour.cycles.pairs import limb_pairs
from kineseg_core.behaviour.cycles.watch import CycleWatch
from kineseg_core.behaviour.finding import Action, OpenAction
from kineseg_core.behaviour.long_action import LongAction
from kineseg_core.behaviour.new_action import NewAction
from kineseg_core.behaviour.reports import Reports
from kineseg_core.behaviour.short_action import ShortAction
from kineseg_core.behaviour.unusual_order import UnusualOrder
from kineseg_core.intake.watch import AnomalyFound, Place
from kineseg_core.kept.declared import keeps

_LOOK_NS = 250_000_000
"""So often it is looked whether an action goes on for too long."""
_OF_ACTIONS = 4
"""Kinds that need nothing but segments."""


@keeps("_reports _new _order _long _short _cycles _open _ended _is_cut _looked_ns")
class BehaviourMonitor:
    """Takes frames and final segments, and gives reports; they depend on nothing later. Picklable.

    What is said of a frame goes in by `push`, `begins`, `ends` and `merged`, in any order; then comes `settle`.

    Args:
        reports_per_hour: How many an hour may be about nothing.
        channels: Names of a frame's numbers; empty: cycles are not watched.
        rate_hz: Frames a second.
        latency_s: After which it is certain that no boundary lies before.
        joints: What the source calls the joints that channels name; None: it sends these channels.
    """

    _open: OpenAction | None
    _ended: list[Action]

    def __init__(
        self,
        reports_per_hour: float,
        channels: Sequence[str] = (),
        rate_hz: float = 30.0,
        latency_s: float = 4.0,
        joints: Mapping[str, str] | None = None,
    ) -> None:
        pairs = limb_pairs(channels, joints)
        share = 1.0 / (_OF_ACTIONS + bool(channels) + bool(pairs))
        self._reports = Reports(reports_per_hour, of_joints=joints is not None)
        self._new, self._order = NewAction(share), UnusualOrder(share)
        self._long, self._short = LongAction(share), ShortAction(share)
        self._cycles = CycleWatch(len(channels), rate_hz, latency_s, pairs, share) if channels else None
        self._open = None
        self._ended = []
        self._is_cut = True  # what begins next is cut off there
        self._looked_ns = 0

    @property
    def raised(self) -> set[int]:
        """Numbers of the reports that go on."""
        return self._reports.raised

    @property
    def warming_up(self) -> tuple[str, ...]:
        """``"behaviour"``, as long as no action has come often enough to know what is usual of it."""
        return () if self._long.knows_any else ("behaviour",)

    def push(self, frame: NDArray[np.floating], place: Place) -> None:
        """Takes a frame (C,) that begins there."""
        if self._cycles is not None:
            self._cycles.push(frame, place)

    def begins(self, label: int, name: str, start: Place) -> None:
        """An action certainly begins there, or the one that began there is now known to have this label."""
        whole = not self._is_cut if self._open is None or self._open.start != start else self._open.whole
        self._is_cut = False
        self._open = OpenAction(label, name, start, whole)

    def ends(self, label: int, name: str, start: Place, end: Place, now: Place, *, cut: bool = False) -> None:
        """An action is over, for certain; `cut` off there, if the stream ends or pauses."""
        begun_whole = self._open is not None and self._open.whole
        self._ended.append(Action(label, name, start, end, now, whole=begun_whole and not cut))
        self._open = None

    def merged(self, label: int, into: int) -> None:
        """Both labels were one."""
        for kind in (self._new, self._order, self._long, self._short):
            kind.merge(label, into)
        if self._cycles is not None:
            self._cycles.merge(label, into)
        self._ended = [_relabelled(action, label, into) for action in self._ended]
        if self._open is not None and self._open.label == label:
            self._open = OpenAction(into, self._open.name, self._open.start, self._open.whole)

    def settle(self, now: Place, *, wavers: bool = False) -> list[AnomalyFound]:
        """All that this frame has decided has been taken.

        Args:
            now: The frame.
            wavers: The action that goes on may be over: another has begun, provisionally.

        Returns:
            What is raised, updated and cleared.
        """
        found = [each for action in self._ended for each in self._over(action, now)]
        self._ended.clear()
        if self._open is not None and now[1] - self._looked_ns >= _LOOK_NS:
            self._looked_ns = now[1]
            if self._open.whole and not wavers:
                found += self._reports.on(self._long.going_on(self._open, now), now)
            if self._cycles is not None:
                found += self._cycles.going_on(self._open, now, self._reports)
        return found

    def restart(self, now: Place) -> list[AnomalyFound]:
        """The stream was interrupted, and what went on has been ended."""
        found = self.settle(now)
        found += self._reports.over(AnomalyKind.UNUSUAL_ORDER, now, now)
        self._order.interrupt()
        self._is_cut = True
        if self._cycles is not None:
            self._cycles.restart()
        return found

    def finish(self, end: Place, now: Place) -> list[AnomalyFound]:
        """The stream has ended before `end`, with the frame `now`: clears what goes on."""
        return [*self.settle(now), *self._reports.finish(end, now)]

    def _over(self, action: Action, now: Place) -> list[AnomalyFound]:
        found: list[AnomalyFound] = []
        reports = self._reports
        if action.whole and not reports.is_open(AnomalyKind.LONG_ACTION):
            found += reports.on(self._long.ended(action), now)
        found += reports.over(AnomalyKind.LONG_ACTION, now, action.end, self._long.summed_up(action))
        if action.whole:
            self._long.learn(action)
            found += reports.single(self._short.ended(action), now, action.end)
        found += reports.single(self._new.ended(action), now, action.end)
        found += self._ordered(action, now)
        if self._cycles is not None:
            found += self._cycles.ended(action, now, reports)
        return found

    def _ordered(self, action: Action, now: Place) -> list[AnomalyFound]:
        """One that comes too early is followed by others in unusual order, which is one report."""
        finding, reports = self._order.ended(action), self._reports
        if finding is None or (reports.is_open(finding.kind) and reports.calm(finding.nats, now)):
            return reports.over(AnomalyKind.UNUSUAL_ORDER, now, action.start)
        return reports.on(finding, now)


def _relabelled(action: Action, label: int, into: int) -> Action:
    if action.label != label:
        return action
    return Action(into, action.name, action.start, action.end, action.known, action.whole)
