"""What a page is shown of a server's streams, taken where all of them pass: opened, frames, deliveries, gone.

A server without a page has no onlooker, and does nothing of this.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Protocol

from kineseg import Event as SdkEvent
from kineseg import FrameResult as SdkFrameResult
from kineseg._local import to_sdk
from kineseg.page import StreamInfo
from kineseg.page.hub import Teach
from kineseg_core.boundary_network import BoundaryNetwork
from kineseg_core.events import Event, FrameResult
from kineseg_core.inference.decoder import Decoder
from kineseg_core.intake.clock import SECOND
from kineseg_core.intake.resampling import ModelFrames
from numpy.typing import ArrayLike

from kineseg_service.logs import harmless
from kineseg_service.metrics import Metrics
from kineseg_service.scheduler.chunk_queue import SentChunks
from kineseg_service.scheduler.deliveries import Delivery
from kineseg_service.scheduler.engine import Engine
from kineseg_service.scheduler.scheduled import AnySubmitted, Item, ScheduledStream, weight
from kineseg_service.streams.open_stream import OpenStream

_MOST_UNDER_WAY = 256


class PageFeed(Protocol):
    """Where one stream is shown, see `kineseg.page.Feed`."""

    @property
    def info(self) -> StreamInfo:
        """What it is."""

    @property
    def wanted(self) -> bool:
        """Whether it is shown at all."""

    def poses(self, frames: ArrayLike, times_s: Sequence[float]) -> None:
        """The next frames."""

    def result(self, result: SdkFrameResult) -> None:
        """The next result."""

    def event(self, event: SdkEvent) -> None:
        """The next event."""

    def arrived(self, frames: int, captured_s: float | None = None) -> None:
        """Frames have come."""

    def decided(self, delay_s: float) -> None:
        """Frames are through."""

    def end(self, why: str = "ended") -> None:
        """Nothing more comes."""


class Page(Protocol):
    """What streams are shown on: a `kineseg.page.Hub`, or one that is somewhere else."""

    teach: Teach | None

    @property
    def has_room(self) -> bool:
        """Whether one more stream is shown."""

    def open(self, info: StreamInfo) -> PageFeed:
        """A stream has begun."""

    def get(self, stream: str, tenant: str | None = None) -> PageFeed | None:
        """One of them."""

    def pass_over(self, count: int) -> None:
        """So many are not shown."""


@dataclass(eq=False)
class _Shown:
    """One stream on the page.

    Attributes:
        feed: Where it is shown.
        submitted: How much of it was submitted, by `weight`.
        received: How many of its client's frames had come then.
        under_way: Of what was submitted, up to where, and when.
    """

    feed: PageFeed
    submitted: int = 0
    received: int = 0
    under_way: deque[tuple[int, float]] = field(default_factory=lambda: deque(maxlen=_MOST_UNDER_WAY))


class Onlooker:
    """Shows the streams of a server on a page. To be used in one event loop.

    Args:
        page: The page.
    """

    def __init__(self, page: Page) -> None:
        self._page = page
        self._shown: dict[ScheduledStream, _Shown] = {}
        self._passed_over: set[ScheduledStream] = set()

    def opened(self, tenant: str, live: OpenStream) -> None:
        """A stream was opened."""
        with harmless("the page"):
            if not self._page.has_room:
                self._passed_over.add(live.stream)
                self._page.pass_over(len(self._passed_over))
                return
            config, intake = live.session.config, live.session.intake
            info = StreamInfo(
                stream=config.stream_id,
                name=config.session_id,
                tenant=tenant,
                model=config.model,
                rate_hz=config.frame_rate_hz,
                channels=tuple(intake.channels),
                boundary_threshold=config.boundary_threshold,
                alarms_per_hour=config.alarms_per_hour,
                reports_per_hour=config.reports_per_hour,
                source=f"tenant {tenant}" if tenant else "",
            )
            self._shown[live.stream] = _Shown(self._page.open(info))

    def taken(self, stream: ScheduledStream, items: Sequence[Item]) -> None:
        """Frames have come, and go to the engine."""
        shown = self._shown.get(stream)
        if shown is None or not shown.feed.wanted:
            return
        with harmless("the page"):
            received = stream.session.intake.received
            shown.submitted += sum(map(weight, items))
            shown.under_way.append((shown.submitted, monotonic()))
            shown.feed.arrived(received - shown.received, stream.session.intake.last_ns / SECOND)
            shown.received = received
            for item in items:
                if isinstance(item, ModelFrames):
                    shown.feed.poses(item.frames, [ns / SECOND for ns in item.start_ns])

    def delivered(self, delivery: Delivery) -> None:
        """The engine has got further with a stream."""
        shown = self._shown.get(delivery.stream)
        if shown is None or not shown.feed.wanted:
            return
        with harmless("the page"):
            now = monotonic()
            while shown.under_way and shown.under_way[0][0] <= delivery.passed:
                shown.feed.decided(now - shown.under_way.popleft()[1])
            for output in delivery.outputs:
                if isinstance(output, Event):
                    shown.feed.event(to_sdk(output))
                elif isinstance(output, FrameResult):
                    shown.feed.result(to_sdk(output))

    def gone(self, stream: ScheduledStream) -> None:
        """A stream is over for its client."""
        with harmless("the page"):
            shown = self._shown.pop(stream, None)
            if shown is not None:
                shown.feed.end("cancelled")
            if stream in self._passed_over:
                self._passed_over.discard(stream)
                self._page.pass_over(len(self._passed_over))


class ShownEngine(Engine):
    """An engine whose streams an onlooker sees.

    Args:
        onlooker: Sees what is submitted.
    """

    def __init__(
        self,
        onlooker: Onlooker,
        decoders: Mapping[str, Decoder],
        network: BoundaryNetwork,
        metrics: Metrics,
        queue_responses: int,
        tick_s: float,
    ) -> None:
        super().__init__(decoders, network, metrics, queue_responses, tick_s)
        self._onlooker = onlooker

    def submit(self, stream: ScheduledStream, items: Sequence[Item], came: float | None = None) -> None:
        """See `Engine.submit`."""
        self._onlooker.taken(stream, items)
        super().submit(stream, items, came)

    def submit_many(self, taken: Sequence[AnySubmitted], *, gathered: bool = False, chunks: int | None = None) -> None:
        """See `Engine.submit_many`."""
        for each in taken:
            if isinstance(each, SentChunks):
                for chunk, stream in enumerate(each.streams):
                    self._onlooker.taken(stream, each.chunks.items(chunk))
            else:
                self._onlooker.taken(*each[:2])
        super().submit_many(taken, gathered=gathered, chunks=chunks)

    def abandon(self, stream: ScheduledStream, then: Callable[[], None]) -> None:
        """See `Engine.abandon`."""
        self._onlooker.gone(stream)
        super().abandon(stream, then)
