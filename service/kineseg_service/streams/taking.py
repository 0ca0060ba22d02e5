"""An open stream whose chunks are kept until its turn, within a window."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Protocol

from kineseg_core.errors import CoreError, StepFailed
from kineseg_core.events import EndReason
from kineseg_core.intake.taken import Taken
from kineseg_core.intake.together import SentChunk
from kineseg_core.session import Session

from kineseg_service.config import Settings
from kineseg_service.errors import WindowExceeded
from kineseg_service.logs import get_logger
from kineseg_service.scheduler.engine import Engine
from kineseg_service.scheduler.scheduled import Item, ScheduledStream, weight
from kineseg_service.streams.open_stream import PIECE, OpenStream

_log = get_logger(__name__)
# However wide its frames are, no more bytes of them than this are under way.
_WINDOW_BYTES = 1 << 20


class Turns(Protocol):
    """What gives streams their turns, see `Feeder`."""

    def add(self, member: TakingStream) -> None:
        """The stream has something to take."""


@dataclass(frozen=True, slots=True)
class _End:
    """Nothing more comes after what is kept before this."""

    reason: EndReason
    error: CoreError | None


class TakingStream(OpenStream):
    """What comes of one stream, and what is taken of that when.

    Args:
        feeder: What gives it its turns.

    Attributes:
        intake: Of its session.
        frame_bytes: The size of a frame as it is sent.
        kind: See `OfKind`.
        window_frames: So many frames may have come and not be acknowledged.
        queued: It stands in the feeder's line.
        came: When that came which `take` has taken first, by `time.monotonic`.
    """

    __slots__ = (
        "_began_at", "_feeder", "_finishing", "_kept", "_sizes", "_taking", "_under_way",
        "came", "frame_bytes", "intake", "kind", "queued", "window_frames",
    )  # fmt: skip

    def __init__(
        self, session: Session, stream: ScheduledStream, engine: Engine, settings: Settings, feeder: Turns
    ) -> None:
        super().__init__(session, stream, engine, settings)
        self.queued = False
        self.intake = session.intake
        self.frame_bytes = self.intake.frame_bytes
        self.kind = self.intake.of_kind.kind
        self.window_frames = max(1, min(settings.window_frames, _WINDOW_BYTES // self.frame_bytes))
        self._feeder = feeder
        # Lists, not queues: hardly anything is in them, and an empty queue takes ten times the room of a list.
        self._under_way = 0
        self._sizes: list[int] = []  # of the chunks that are under way, oldest first
        self._kept: list[tuple[SentChunk, float] | _End] = []  # with when they came
        self._taking: Iterator[Taken] | None = None  # the rest of a chunk
        self._began_at = 0.0  # when that chunk came
        self.came = 0.0
        self._finishing = False

    def offer(self, first_frame: int, data: bytes, capture_times_ns: Sequence[int], frames: int, now: float) -> bool:
        """Keeps a chunk of so many frames, which comes `now`, until its turn; passed over when the stream has been
        ended.

        More than the window allows ends the stream, after what came before.

        Returns:
            Whether it has been kept: the member is to be given to `Feeder.offered`.
        """
        if self._finishing or self._ending:
            return False
        self.stream.ahead = self._credit.spend(frames, now)
        frames = frames or 1
        if self._under_way + frames > self.window_frames:
            most = self.window_frames
            message = (
                f"{self._under_way} frames are under way and {frames} more have come, {most} may be: wait for "
                "acknowledgements before sending more"
            )
            self.finish(EndReason.REJECTED, WindowExceeded(message, field="data", maximum=most))
            return False
        self._under_way += frames
        self._sizes.append(frames)
        self.active_at = now
        self.let_wait(first_frame, data, capture_times_ns, now)
        return True

    def let_wait(self, first_frame: int, data: bytes, capture_times_ns: Sequence[int], now: float) -> None:
        """Keeps a chunk that has been counted until its turn."""
        self._kept.append(((self.intake, first_frame, data, capture_times_ns), now))

    def comes_at_once(self, size: int, now: float) -> bool:
        """Whether a chunk of so many bytes, without capture times, may be taken as it comes, by `take_plain`: nothing
        waits before it, there is room, and others need not go before it. It is counted then, and nothing else happens
        otherwise.

        What comes of it is for `took_at_once` or `began_at_once`; if nothing of it is taken, it is for `let_wait`.
        """
        frames, rest = divmod(size, self.frame_bytes)
        stream, watch = self.stream, self._watch
        if (
            self._kept
            or self._taking is not None
            or self._finishing
            or rest
            or not 0 < frames <= self.intake.most_plain
            or self._under_way + frames > self.window_frames
            or self._submitted - stream.passed >= self._queue_frames
            or (watch is not None and watch.busy)
            or not self._credit.covers(frames, now)
        ):
            return False
        stream.ahead = False
        self._under_way += frames
        self._sizes.append(frames)
        self.active_at = now
        return True

    def took_at_once(self, frames: int) -> None:
        """So many frames of the model have come of such a chunk, and nothing else."""
        self._submitted += frames + 1

    def began_at_once(self, taken: Iterable[Taken], now: float) -> None:
        """Such a chunk gives this."""
        self._taking, self._began_at = iter(taken), now

    def finish(self, reason: EndReason, error: CoreError | None = None) -> None:
        """Ends the stream after all that is kept has been taken; only the first call counts."""
        if not self._finishing:
            self._finishing = True
            self._kept.append(_End(reason, error))
            self._feeder.add(self)

    @property
    def finishing(self) -> bool:
        """Nothing more comes after what is kept."""
        return self._finishing

    @property
    def can_take(self) -> bool:
        """Something is kept, and there is room for it."""
        if not self._kept and self._taking is None:
            return False
        return not self._ending and self._submitted - self.stream.passed < self._queue_frames

    @property
    def _mid_chunk(self) -> bool:
        return self._taking is not None

    def next_chunk(self) -> SentChunk | None:
        """The next chunk, where one is next, nothing of it is taken yet, and there is room: `took`, or `begun` and then
        `take`, may be called with what it gives."""
        if self._taking is not None or not self._kept or self._ending:
            return None
        if self._submitted - self.stream.passed >= self._queue_frames:
            return None
        entry = self._kept[0]
        return None if isinstance(entry, _End) else entry[0]

    def took(self, frames: int) -> float:
        """The next chunk has been taken, and so many frames of the model have come of it; when it came."""
        entry = self._kept.pop(0)
        assert not isinstance(entry, _End)
        self._submitted += frames + 1
        return entry[1]

    def begun(self, taken: Iterable[Taken]) -> None:
        """The next chunk gives this."""
        entry = self._kept.pop(0)
        assert not isinstance(entry, _End)
        self._taking, self._began_at = iter(taken), entry[1]

    def take(self, until: float) -> list[Item]:
        """Takes what is kept, in order: some of it, until `until` by `time.monotonic`; for the engine."""
        items: list[Item] = []
        size = 0
        most = min(PIECE, self._queue_frames - (self._submitted - self.stream.passed))
        if most <= 0:
            return items
        taking, self._taking = self._taking, None
        self.came = monotonic() if taking is None else self._began_at
        try:
            while size < most and not self._ending:
                if taking is None:
                    if not self._kept:
                        break
                    taking = self._next(items)
                for item in taking:
                    items.append(item)
                    size += weight(item)
                    if size >= most or monotonic() >= until:
                        self._taking = taking
                        return items
                taking = None
        except CoreError as error:
            items += self._end_input(EndReason.REJECTED, error)
        except Exception:
            failure = StepFailed("the stream could not be read")
            _log.exception("reading failed", session=self.session_id, error_id=failure.error_id)
            items += self._end_input(EndReason.REJECTED, failure)
        finally:
            self._submitted += size
        if self._to_keep is not None:
            items += self._wanted_snapshot()
        return items

    def _gone_through(self) -> None:
        """The oldest chunk that is under way has."""
        self._under_way -= self._sizes.pop(0)

    def _go_on(self, passed: int) -> None:
        """Takes more in its turn, if there is anything and there is room; `passed`: see `Delivery`."""
        if (self._kept or self._taking is not None) and self._submitted - passed <= self._queue_frames // 2:
            self._feeder.add(self)

    def _take_no_more(self) -> None:
        """Of what is kept nothing will be taken here, but the rest of a chunk that has begun to be."""
        if self._taking is not None:
            self._take_rest(self._taking)
        for entry in self._kept:
            if not isinstance(entry, _End):
                self._under_way -= self._sizes.pop()
        self._kept.clear()
        self._finishing = self._ending

    def _take_rest(self, taking: Iterator[Taken]) -> None:
        self._taking = None
        try:
            rest: list[Item] = list(taking)
        except Exception:
            failure = StepFailed("the stream could not be read")
            _log.exception("reading failed", session=self.session_id, error_id=failure.error_id)
            rest = self._end_input(EndReason.REJECTED, failure)
        self._submitted += sum(map(weight, rest))
        self._engine.submit(self.stream, [*rest, *self._wanted_snapshot()], self._began_at)

    def _next(self, items: list[Item]) -> Iterator[Taken]:
        """What the next chunk gives; nothing at the end, whose own items are added at once."""
        entry = self._kept.pop(0)
        if isinstance(entry, _End):
            items += self._end_input(entry.reason, entry.error)
            return iter(())
        chunk, self._began_at = entry
        if not items:
            self.came = self._began_at
        return self.session.take(*chunk[1:])

    def _end_input(self, reason: EndReason, error: CoreError | None) -> list[Item]:
        self._drop()
        return super()._end_input(reason, error)

    def _stop(self, error: CoreError) -> None:
        self._drop()
        super()._stop(error)

    def _drop(self) -> None:
        """What has not been taken never will be."""
        self._finishing = True
        self._kept.clear()
        self._taking = None
