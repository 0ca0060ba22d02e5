"""Anomalies of what a source sends: every frame is watched as it came, before anything is filled or made of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from kineseg.motion import Joints, tree_of
from numpy.typing import NDArray

from kineseg_core.anomalies import AnomalyBudget, AnomalyEvent, AnomalyMonitor, Cleared, Raised, WatchedSource
from kineseg_core.events import AnomalyCleared, AnomalyRaised, AnomalyUpdated
from kineseg_core.intake.clock import SECOND
from kineseg_core.intake.recent_places import Place as Place
from kineseg_core.intake.recent_places import RecentPlaces
from kineseg_core.kept.declared import keeps


@dataclass(frozen=True, slots=True)
class AnomalyFound:
    """An anomaly is raised, updated or cleared with the frame `decided`; it began at `frame`."""

    detail: AnomalyRaised | AnomalyUpdated | AnomalyCleared
    frame: int
    time_ns: int
    decided: int
    decided_ns: int


@keeps("_monitor _places _begun")
class SourceWatch:
    """Watches the source of one stream. Picklable.

    Args:
        source: What its frames are.
        budget: How many alarms an hour may be false.
        profile: What an earlier stream of the same source has taught.

    Raises:
        InvalidRequest: The profile is of another source, or none.
    """

    def __init__(self, source: WatchedSource, budget: AnomalyBudget, profile: Mapping[str, Any] | None = None) -> None:
        self._monitor = AnomalyMonitor(source, budget, profile=profile)
        self._places = RecentPlaces(source.rate_hz)
        self._begun: dict[int, tuple[float, Place]] = {}  # of open anomalies: since when, and which frame that is

    @property
    def warming_up(self) -> tuple[str, ...]:
        """What is not watched yet, see `AnomalyMonitor.warming_up`."""
        return self._monitor.warming_up

    def profile(self) -> dict[str, Any]:
        """What the stream has taught about its source so far, see `AnomalyMonitor.profile`."""
        return self._monitor.profile()

    def push(self, first: int, frames: NDArray[np.floating], times_ns: Sequence[int]) -> dict[int, list[AnomalyFound]]:
        """Takes consecutive frames.

        Args:
            first: Number of the first of them.
            frames: ``(n, U)`` channels or ``(n, J, 3)`` positions; NaN: missing.
            times_ns: n times, increasing.

        Returns:
            By row what is found with that frame.
        """
        found: dict[int, list[AnomalyFound]] = {}
        known = 0
        for row, event in self._monitor.push(frames, np.array(times_ns, np.float64) / SECOND):
            self._places.extend(first + known, times_ns[known : row + 1])
            known = row + 1
            found.setdefault(row, []).append(self._found(event, (first + row, times_ns[row])))
        self._places.extend(first + known, times_ns[known:])
        return found

    def finish(self, end: Place) -> list[AnomalyFound]:
        """The stream has ended before this frame and time: clears what goes on."""
        return [self._found(event, self._places.last, end) for event in self._monitor.finish()]

    def _found(self, event: AnomalyEvent, at: Place, end: Place | None = None) -> AnomalyFound:
        number = event.anomaly_id
        known = self._begun.get(number)
        if known is None or known[0] != event.since_s:
            known = self._begun[number] = event.since_s, self._places.nearest(event.since_s)
        frame, since_ns = known[1]
        of = event.kind.anomaly_class
        about = (number, event.kind, event.severity_h, event.text)
        source = self._monitor.source
        units = () if 1 < len(event.units) == len(source.names) else event.units
        channels, joints = (units, ()) if source.parents is None else ((), units)
        detail: AnomalyRaised | AnomalyUpdated | AnomalyCleared
        if isinstance(event, Cleared):
            del self._begun[number]
            end_frame, end_ns = end or self._places.nearest(event.end_s)
            lasted_s = (end_ns - since_ns) / SECOND
            detail = AnomalyCleared(*about, end_frame, end_ns / SECOND, lasted_s, channels, joints, anomaly_class=of)
        else:
            kind = AnomalyRaised if isinstance(event, Raised) else AnomalyUpdated
            detail = kind(*about, channels, joints, anomaly_class=of)
        return AnomalyFound(detail, frame, since_ns, *at)


def joints_source(joints: Joints, rate_hz: float) -> WatchedSource:
    """A body, or any other joints; where no parents are given, names say how they hang together."""
    return WatchedSource.of_joints(joints.names, joints.parents or tree_of(joints.names, joints.mapping), rate_hz)
