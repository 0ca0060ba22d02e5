"""Segments a stream once, and shows what came of it to monitors with different budgets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import kineseg
import numpy as np
from kineseg.motion import Joints
from kineseg_core.behaviour import BehaviourMonitor
from kineseg_core.events import AnomalyRaised
from kineseg_core.intake.source_pose import canonical_source
from kineseg_core.intake.watch import AnomalyFound, Place
from numpy.typing import NDArray

from evaluation.behaviour.watch import Report

_CHUNK = 900
_LATENCY_S = 4.0


class SegmentedStream:
    """A stream of joints that went through the shipped model, at the rate of that, so that frames are the model's.

    Args:
        positions: ``(T, J, 3)``
        joints: Whose they are.
        rate_hz: Frames a second, those of the model.
    """

    def __init__(self, positions: NDArray[np.float64], joints: Joints, rate_hz: float) -> None:
        pose = canonical_source(joints, rate_hz)
        self._rate_hz = rate_hz
        self._channels = pose.channels
        self._places: list[Place] = [(at, round(at * 1e9 / rate_hz)) for at in range(len(positions))]
        times_ns = np.array([ns for _, ns in self._places], np.int64)
        self._frames, _ = pose.push(positions, times_ns, has_holes=bool(np.isnan(positions).any()))
        self._events: dict[int, list[kineseg.Event]] = defaultdict(list)
        stream = kineseg.Segmenter.load("motion", rate=rate_hz, joints=joints, latency_s=_LATENCY_S)
        for item in self._items(stream, positions):
            if isinstance(item, kineseg.Event):
                self._events[item.decided_frame].append(item)

    def reports(self, per_hour: float) -> list[Report]:
        """What is reported of it at that budget."""
        monitor = BehaviourMonitor(per_hour, self._channels, self._rate_hz, _LATENCY_S)
        found: list[AnomalyFound] = []
        provisional: set[int] = set()
        for at, now in enumerate(self._places):
            monitor.push(self._frames[at], now)
            for event in self._events.get(at, ()):
                self._tell(monitor, event, now, provisional)
            found += monitor.settle(now, wavers=bool(provisional))
        return [
            Report(each.detail.anomaly_kind.value, each.time_ns / 1e9, each.decided_ns / 1e9)
            for each in found
            if isinstance(each.detail, AnomalyRaised)
        ]

    @staticmethod
    def _items(stream: kineseg.Segmenter, positions: NDArray[np.float64]) -> Iterator[object]:
        for first in range(0, len(positions), _CHUNK):
            yield from stream.update(positions[first : first + _CHUNK])
        yield from stream.finish()

    def _tell(self, monitor: BehaviourMonitor, event: kineseg.Event, now: Place, provisional: set[int]) -> None:
        match event:
            case kineseg.SegmentStarted(confirmed=True) | kineseg.SegmentUpdated(confirmed=True):
                provisional.discard(event.segment_id)
                monitor.begins(event.label, "", self._places[event.frame])
            case kineseg.SegmentStarted():
                provisional.add(event.segment_id)
            case kineseg.SegmentRetracted():
                provisional.discard(event.segment_id)
            case kineseg.SegmentClosed() if event.end_frame < len(self._places):
                end = self._places[event.end_frame]
                monitor.ends(event.label, "", self._places[event.start_frame], end, now)
            case kineseg.LabelsMerged():
                monitor.merged(event.label, event.into)
