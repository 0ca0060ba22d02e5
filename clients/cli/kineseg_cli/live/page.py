"""A live source on a page."""

from __future__ import annotations

import time
import uuid
from collections import deque
from dataclasses import dataclass, field

import numpy as np
from kineseg import Event, FrameResult
from kineseg.motion import CANONICAL_CHANNELS, Canonicalizer, MotionError
from kineseg.page import Feed, Hub, StreamInfo
from kineseg.sources import Frames, Health, SourceInfo
from numpy.typing import NDArray

from kineseg_cli.live.engines import Choices
from kineseg_cli.live.listener import LiveStream, Silent

# What is allowed where nothing else was asked for.
USUAL_ALARMS_PER_HOUR = 2.0
_MOST_UNDECIDED = 2000  # chunks whose results have not come yet


@dataclass(eq=False)
class _Shown:
    """One stream on the page.

    Attributes:
        feed: Where it is shown.
        body: Makes poses of its joints; None: its channels are shown as they are.
        first_ns: Capture time of its first frame.
        undecided: Of chunks, the time of the last frame in seconds of the stream, and when it came.
    """

    feed: Feed
    body: Canonicalizer | None
    first_ns: int | None = None
    undecided: deque[tuple[float, int]] = field(default_factory=lambda: deque(maxlen=_MOST_UNDECIDED))

    def values(self, frames: Frames, times_s: NDArray[np.float64]) -> NDArray[np.floating]:
        """What of these frames is shown, ``(T, C)``."""
        if self.body is not None:
            return self.body.push(frames.values, times_s)
        return frames.values.reshape(frames.n_frames, -1)


class PageView(Silent):
    """Shows what it hears on a page.

    Args:
        hub: The page's.
        where: What the source is, for people.
        choices: How streams are segmented.
        name: What a performer without a name is called.
        synthetic: The motion was made up by a program.
        speed: How many times faster than it was captured it comes.
    """

    def __init__(
        self,
        hub: Hub,
        where: str,
        choices: Choices,
        *,
        name: str = "source",
        synthetic: bool = False,
        speed: float = 1.0,
    ) -> None:
        self._hub = hub
        self._where = where
        self._choices = choices
        self._name = name
        self._synthetic = synthetic
        self._speed = speed
        self._shown: dict[LiveStream, _Shown] = {}
        self._of_performer: dict[str, LiveStream] = {}

    def opened(self, stream: LiveStream) -> None:
        """Shows it."""
        before = self._of_performer.get(stream.performer)
        if before is not None:
            self._shown.pop(before).feed.end("followed by another")
        self._of_performer[stream.performer] = stream
        body = _canonicalizer(stream.info)
        in_force = stream.opened or self._choices
        info = StreamInfo(
            stream=stream.stream_id or str(uuid.uuid4()),
            name=stream.performer or self._name,
            model=stream.model,
            rate_hz=stream.info.rate * self._speed,
            channels=CANONICAL_CHANNELS if body else _channels(stream.info),
            source=self._where,
            boundary_threshold=in_force.boundary_threshold or 0.0,
            alarms_per_hour=in_force.alarms_per_hour or USUAL_ALARMS_PER_HOUR,
            reports_per_hour=in_force.reports_per_hour or 0.0,
            synthetic=self._synthetic,
        )
        self._shown[stream] = _Shown(self._hub.open(info), body)

    def frames(self, stream: LiveStream, frames: Frames) -> None:
        """Shows them."""
        shown = self._shown.get(stream)
        if shown is None or not frames.n_frames:
            return
        if shown.first_ns is None:
            shown.first_ns = int(frames.capture_times_ns[0])
        times_s = (frames.capture_times_ns - shown.first_ns) / 1e9
        shown.feed.arrived(frames.n_frames, float(frames.capture_times_ns[-1] / 1e9 / self._speed))
        shown.undecided.append((float(times_s[-1]), frames.received_ns))
        shown.feed.poses(shown.values(frames, times_s), times_s.tolist())

    def item(self, stream: LiveStream, item: Event | FrameResult) -> None:
        """Shows it."""
        shown = self._shown.get(stream)
        if shown is None:
            return
        if isinstance(item, Event):
            shown.feed.event(item)
            return
        shown.feed.result(item)
        while shown.undecided and shown.undecided[0][0] <= item.time_s + 1e-6:
            _, received_ns = shown.undecided.popleft()
            shown.feed.decided((time.monotonic_ns() - received_ns) / 1e9)

    def away(self, seconds: float) -> None:
        """Says that nothing is decided."""
        self._hub.notice(f"no connection to the server for {seconds:.0f} s: trying again" if seconds else "", "server")

    def health(self, health: Health, silence: str) -> None:
        """Says what is wrong where nothing comes."""
        self._hub.notice(silence)


def _canonicalizer(info: SourceInfo) -> Canonicalizer | None:
    """What makes poses of the joints of a source, as far as they are those of a body."""
    joints = info.joints
    if joints is None:
        return None
    try:
        return Canonicalizer(
            joints.names, info.rate, skeleton=joints.skeleton, up=joints.up, mapping=dict(joints.mapping)
        )
    except MotionError:
        return None


def _channels(info: SourceInfo) -> tuple[str, ...]:
    if info.joints is None:
        return info.channels
    return tuple(f"{joint}.{axis}" for joint in info.joints.names for axis in "xyz")
