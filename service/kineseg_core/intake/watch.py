"""Anomalies of what a source sends: every frame is watched as it came, before anything is filled or made of it."""

from __future__ import annotations

import itertools
from array import array
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
from kineseg_core.intake.recent_places import LONGEST_NS, RecentPlaces
from kineseg_core.intake.recent_places import Place as Place
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
        watch, monitor, places: It, and what it is made of.
        distance: See `AnomalyMonitor`.
    """

    watch: SourceWatch
    monitor: AnomalyMonitor
    places: RecentPlaces
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
        return Watched(self, self._monitor, self._places, self._monitor.distance)

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
            others = SourceWatch.push_alike(
                [watches[place].watched for place in places],
                [part.first for part in parts],
                np.concatenate([part.frames for part in parts], dtype=np.float64),
                np.concatenate([part.times_ns for part in parts]),
                [len(part.times_ns) for part in parts],
            )
            for at, each in others.items():
                found[places[at]] = each
        return found

    @staticmethod
    def push_alike(
        watched: Sequence[Watched],
        numbers: Sequence[int],
        frames: NDArray[np.float64],
        times_ns: NDArray[np.int64],
        sizes: Sequence[int],
    ) -> dict[int, Found | Exception]:
        """Takes frames of streams of one kind, see `push_many`; what it gives by place, where that is anything.

        Args:
            watched: N, each once.
            numbers: N, of the first frame that comes for each.
            frames: ``(n, U)`` or ``(n, J, 3)`` C-contiguous, stream after stream.
            times_ns: ``(n,)``
            sizes: N, how many come for each.
        """
        found: dict[int, Found | Exception] = {}
        ends = np.array([*itertools.accumulate(sizes)])
        watches, monitors, places, distances = zip(*watched, strict=True)
        events = push_many(monitors, frames, times_ns / SECOND, ends, distances)
        steps_ns = _steps(times_ns, ends, [known.last_ns for known in places])
        begin = 0
        for at, (known, number, size, newest) in enumerate(
            zip(places, numbers, sizes, times_ns[ends - 1].tolist(), strict=True)
        ):
            came, end = events.get(at), begin + size
            if came is None:
                if not known.follow(number, steps_ns[begin:end], newest):
                    known.extend(number, times_ns[begin:end].tolist())
            elif isinstance(came, Exception):
                found[at] = came
            else:
                found[at] = watches[at]._placed(number, times_ns[begin:end].tolist(), begin, came)
            begin = end
        return found

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


def _steps(times_ns: NDArray[np.int64], ends: NDArray[np.int64], before_ns: list[int]) -> array[int]:
    """From each time of many streams to the next one, for `RecentPlaces.follow`; none where some are too long.

    Args:
        times_ns: ``(n,)`` stream after stream.
        ends: ``(N,)`` behind the last of each stream; none is without any.
        before_ns: The newest time of each before that.
    """
    steps = np.empty_like(times_ns)
    np.subtract(times_ns[1:], times_ns[:-1], out=steps[1:])
    steps[0] = times_ns[0] - before_ns[0]
    steps[ends[:-1]] = times_ns[ends[:-1]] - before_ns[1:]
    fit = steps.min() >= 0 and steps.max() <= LONGEST_NS
    return array("I", steps.astype(np.uint32).tobytes() if fit else b"")


def joints_source(joints: Joints, rate_hz: float) -> WatchedSource:
    """A body, or any other joints; where no parents are given, names say how they hang together."""
    return WatchedSource.of_joints(joints.names, joints.parents or tree_of(joints.names, joints.mapping), rate_hz)
