"""What is shown of one stream: its latest frames, results and events, within bounds."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from kineseg._events import Event, FrameResult, Gap, Summary
from kineseg.page.body import SIGNALS, BodyTrack, skeleton
from kineseg.page.health import HealthMeter
from kineseg.page.log import Log
from kineseg.page.plane import Plane
from kineseg.page.stream_info import StreamInfo

_MOST_SIGNALS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much of a stream is kept for pages.

    Attributes:
        kept_s: For so long frames and results are kept, seconds of the stream.
        poses_per_s: So many frames a second are shown, at most.
        results_per_s: So many results of the model, at most; of those between, the greatest surprise.
        events: So many events are kept.
    """

    kept_s: float = 300.0
    poses_per_s: float = 20.0
    results_per_s: float = 15.0
    events: int = 5000

    @property
    def frames(self) -> int:
        """So many frames are kept."""
        return max(2, round(self.kept_s * self.poses_per_s))

    @property
    def results(self) -> int:
        """So many results are kept."""
        return max(2, round(self.kept_s * self.results_per_s))


class Feed:
    """Where one stream's owner puts what is to be shown. May be used in any thread.

    Made by `Hub.open`. Frames come thinned to `Limits.poses_per_s`, so they may be given as they are.

    Attributes:
        wanted: Whether it is shown; always, here.
    """

    wanted = True

    def __init__(self, info: StreamInfo, limits: Limits, changed: Callable[[], None]) -> None:
        self.info = info
        self.frames: Log[list[Any]] = Log(limits.frames)
        self.results: Log[list[Any]] = Log(limits.results)
        self.events: Log[dict[str, Any]] = Log(limits.events)
        self.plane = Plane(limits.results)
        self.health = HealthMeter()
        self.ended = ""
        self.lock = threading.RLock()
        self._limits = limits
        self._changed = changed
        self._body = BodyTrack(info.channels) if BodyTrack.fits(info.channels) else None
        self._shown = range(min(len(info.channels), _MOST_SIGNALS))
        self._next_pose_s = self._next_result_s = -np.inf
        self._peak = (0.0, 0.0)

    def describe(self) -> dict[str, Any]:
        """The stream, for JSON."""
        signals = SIGNALS if self._body else [self.info.channels[i] for i in self._shown]
        return {
            **self.info.to_dict(),
            "body": skeleton() if self._body else None,
            "signals": list(signals),
            "ended": self.ended,
        }

    def poses(self, frames: ArrayLike, times_s: Sequence[float]) -> None:
        """The next frames, ``(T, C)`` in the channels of the stream, and ``(T,)`` seconds since its first frame."""
        values = np.asarray(frames, dtype=np.float64)
        with self.lock:
            rows = self._due(times_s)
            if not rows:
                return
            times = [float(times_s[row]) for row in rows]
            shown = values[rows]
            poses: Sequence[list[float]] = [[]] * len(rows)
            if self._body is not None:
                poses, curves = self._body.push(shown, times)
            else:
                curves = shown[:, self._shown]
            for time_s, pose, curve in zip(times, poses, curves.tolist(), strict=True):
                self.frames.append([round(time_s, 3), pose, [_number(value) for value in curve]])
        self._changed()

    def result(self, result: FrameResult) -> None:
        """What the model computed for the next of its frames."""
        with self.lock:
            self._peak = max(self._peak, (result.anomaly_score, result.surprise))
            if result.time_s < self._next_result_s:
                return
            self._next_result_s = result.time_s + 0.9 / self._limits.results_per_s
            place = self.plane.push(result.embedding, result.time_s)
            score, surprise = self._peak
            self._peak = (0.0, 0.0)
            self.results.append(
                [round(result.time_s, 3), round(score, 2), round(surprise, 4), result.label, *(place or ())]
            )
        self._changed()

    def event(self, event: Event) -> None:
        """The stream's next event."""
        values = event.to_dict()
        values.pop("embedding", None)
        with self.lock:
            self.events.append(values)
            if isinstance(event, Gap):
                self.health.lost(event.missing_frames)
            if isinstance(event, Summary):
                self.ended = str(event.reason)
        self._changed()

    def named(self, segment_id: int, name: str) -> None:
        """Somebody has named a segment here, which its own events never say, since a closed segment does not change."""
        with self.lock:
            self.events.append({"kind": "named_here", "segment_id": segment_id, "name": name})
        self._changed()

    def arrived(self, frames: int, captured_s: float | None = None, at_s: float | None = None) -> None:
        """So many frames have come, see `HealthMeter.arrived`."""
        with self.lock:
            self.health.arrived(frames, captured_s, at_s)

    def decided(self, delay_s: float) -> None:
        """The server was through with frames so long after they had come."""
        with self.lock:
            self.health.decided(delay_s)

    def end(self, why: str = "ended") -> None:
        """Nothing more comes; what there is stays until the hub drops it."""
        with self.lock:
            self.ended = self.ended or why
        self._changed()

    def _due(self, times_s: Sequence[float]) -> list[int]:
        rows = []
        for row, time_s in enumerate(times_s):
            if time_s >= self._next_pose_s:
                rows.append(row)
                # A little early, so that a source a trifle faster than this is not halved.
                self._next_pose_s = time_s + 0.9 / self._limits.poses_per_s
        return rows


def _number(value: float) -> float | None:
    """With as many digits as a screen shows; None: there is none."""
    return float(f"{value:.5g}") if np.isfinite(value) else None
