"""Anomalies of what a source sends: every frame is watched as it came, before anything is filled or made of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from kineseg.motion import Joints, tree_of
from numpy.typing import NDArray

from kineseg_core.anomalies import (
    AnomalyBudget,
    AnomalyEvent,
    AnomalyMonitor,
    Cleared,
    Raised,
    WatchedSource,
    push_many,
)
from kineseg_core.anomalies.score.kind import StreamKind
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


class SentFrames(NamedTuple):
    """Consecutive frames of a source.

    Attributes:
        first: Number of the first of them.
        frames: ``(n, U)`` channels or ``(n, J, 3)`` positions; NaN: missing.
        times_ns: ``(n,)`` increasing.
    """

    first: int
    frames: NDArray[np.floating]
    times_ns: NDArray[np.int64]


Found = Mapping[int, Sequence[AnomalyFound]]
"""By row what is found with that frame."""


class Watched(NamedTuple):
    """What `SourceWatch.push_alike` knows a watch by, so that one of which nothing comes is not looked at.

    Attributes:
        watch, monitor: It, and what it is made of.
        distance: See `AnomalyMonitor`.
    """

    watch: SourceWatch
    monitor: AnomalyMonitor
    distance: int


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

    __slots__ = ("_begun", "_monitor", "_places")

    _begun: dict[int, tuple[float, Place]]  # of open anomalies: since when, and which frame that is

    def __init__(self, source: WatchedSource, budget: AnomalyBudget, profile: Mapping[str, Any] | None = None) -> None:
        self._monitor = AnomalyMonitor(source, budget, profile=profile)
        self._places = RecentPlaces(source.rate_hz)
        self._begun = {}

    @property
    def watched(self) -> Watched:
        """It, for `push_alike`; the same as long as it is there."""
        return Watched(self, self._monitor, self._monitor.distance)

    @property
    def kind(self) -> StreamKind:
        """Of its source; `push_alike` takes frames of those that have the same."""
        return self._monitor.kind

    @property
    def busy(self) -> bool:
        """See `AnomalyMonitor.busy`."""
        return self._monitor.busy

    @property
    def warming_up(self) -> tuple[str, ...]:
        """What is not watched yet, see `AnomalyMonitor.warming_up`."""
        return self._monitor.warming_up

    def follow(self, received: int) -> None:
        """All frames before number `received` have been watched, see `RecentPlaces.follow`."""
        self._places.follow(received)

    def catch_up(self) -> None:
        """Takes what has only been counted, see `RecentPlaces.follow`."""
        self._places.catch_up()

    def profile(self) -> dict[str, Any]:
        """What the stream has taught about its source so far, see `AnomalyMonitor.profile`."""
        return self._monitor.profile()

    def push(self, sent: SentFrames) -> Found:
        """Takes consecutive frames.

        Returns:
            By row what is found with that frame.
        """
        events = self._monitor.push(sent.frames, sent.times_ns / SECOND)
        return self._placed(sent.first, sent.times_ns.tolist(), 0, events)

    @staticmethod
    def push_many(watches: Sequence[SourceWatch], sent: Sequence[SentFrames]) -> list[Found | Exception]:
        """Takes frames of many streams; all is as if each had been given its own.

        Args:
            watches: Each once.
            sent: What comes for each.

        Returns:
            For each what its `push` would have returned or raised.
        """
        found: list[Found | Exception] = [{}] * len(watches)
        alike: dict[StreamKind, list[int]] = {}
        for place, watch in enumerate(watches):
            alike.setdefault(watch.kind, []).append(place)
        for places in alike.values():
            parts = [sent[place] for place in places]
            ends = np.cumsum([len(part.times_ns) for part in parts])
            events = push_many(
                [watches[place]._monitor for place in places],
                np.concatenate([part.frames for part in parts], dtype=np.float64),
                np.concatenate([part.times_ns for part in parts]) / SECOND,
                ends,
            )
            for at, (place, part, end) in enumerate(zip(places, parts, ends.tolist(), strict=True)):
                times_ns = part.times_ns.tolist()
                found[place] = watches[place]._found_in(part.first, times_ns, end - len(times_ns), events.get(at, ()))
        return found

    @staticmethod
    def push_alike(
        watched: Sequence[Watched],
        firsts: NDArray[np.int64],
        frames: NDArray[np.float64],
        times_ns: NDArray[np.int64],
        ends: NDArray[np.int64],
    ) -> dict[int, Found | Exception]:
        """Takes frames of streams of one kind that come at the sources' own pace, see `push_many`.

        Watches of which nothing comes are not looked at: they do not know how far they have come until `follow`.

        Args:
            watched: N, each once.
            firsts: ``(N,)`` number of the first frame that comes for each.
            frames: ``(n, U)`` or ``(n, J, 3)`` C-contiguous, stream after stream.
            times_ns: ``(n,)``
            ends: ``(N,)`` the row behind the last one of each.

        Returns:
            What it gives by place, where that is anything.
        """
        watches, monitors, distances = zip(*watched, strict=True)
        events = push_many(monitors, frames, times_ns / SECOND, ends, distances)
        found: dict[int, Found | Exception] = {}
        for at, of_it in events.items():
            begin, end = int(ends[at - 1]) if at else 0, int(ends[at])
            watch, first = watches[at], int(firsts[at])
            watch.follow(first)
            found[at] = watch._found_in(first, times_ns[begin:end].tolist(), begin, of_it)
        return found

    def _found_in(
        self, first: int, times_ns: Sequence[int], begin: int, events: Sequence[tuple[int, AnomalyEvent]] | Exception
    ) -> Found | Exception:
        """See `_placed`; what could not be watched gives its error."""
        return events if isinstance(events, Exception) else self._placed(first, times_ns, begin, events)

    def _placed(
        self, first: int, times_ns: Sequence[int], begin: int, events: Sequence[tuple[int, AnomalyEvent]]
    ) -> Found:
        """The events of frames from number `first` on, by row of these; `begin` is the first one among the rows that
        came with the events."""
        if not events:
            self._places.extend(first, times_ns)
            return {}
        found: dict[int, list[AnomalyFound]] = {}
        known = 0
        for each, event in events:
            row = each - begin
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
