"""A stream that shares its call with others: what comes for it is kept until its turn, within a window."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from time import monotonic
from typing import Protocol

from kineseg_core.errors import CoreError, StepFailed
from kineseg_core.events import Ack, EndReason, Output
from kineseg_core.intake.taken import Taken
from kineseg_core.intake.together import SentChunk
from kineseg_core.session import Session

from kineseg_service.config import Settings
from kineseg_service.errors import WindowExceeded
from kineseg_service.logs import get_logger
from kineseg_service.scheduler.deliveries import Delivery
from kineseg_service.scheduler.engine import Engine
from kineseg_service.scheduler.scheduled import Item, ScheduledStream, weight
from kineseg_service.streams.open_stream import PIECE, OpenStream
from kineseg_service.streams.resumable import Seen

_log = get_logger(__name__)
# However wide its frames are, no more bytes of them than this are under way.
_WINDOW_BYTES = 1 << 20


class Owner(Protocol):
    """The call that a member belongs to."""

    def delivered(self, member: MemberStream, delivery: Delivery) -> None:
        """The engine has got further with a member; acknowledgements are not among what it gives."""

    def acknowledged(self, member: MemberStream, frames: int) -> None:
        """All that follows from a member's first so many frames has been delivered."""

    def gave_up(self, member: MemberStream, error: CoreError) -> None:
        """A member cannot go on, or its client takes nothing."""

    def lost(self, member: MemberStream, error: CoreError) -> None:
        """A member goes on in another call; what has not been sent of it is to be given to `hold`."""


class Turns(Protocol):
    """What gives members their turns, see `Feeder`."""

    def add(self, member: MemberStream) -> None:
        """The member has something to take."""


@dataclass(frozen=True, slots=True)
class _End:
    """Nothing more comes after what is kept before this."""

    reason: EndReason
    error: CoreError | None


class MemberStream(OpenStream):
    """An open stream of a call of many.

    Args:
        number: Which it is in its call.
        owner: That call.
        feeder: What gives it its turns.

    Attributes:
        number: Which it is in its call.
        intake: Of its session.
        frame_bytes: The size of a frame as it is sent.
        kind: See `OfKind`.
        window_frames: So many frames may have come and not be acknowledged.
        queued: It stands in the feeder's line.
        acked: All that follows from so many of its frames has been given; its client hears of that, or has.
        came: When that came which `take` has taken first, by `time.monotonic`.
    """

    __slots__ = (
        "_began_at", "_feeder", "_finishing", "_held", "_kept", "_owner", "_sizes", "_taking", "_under_way",
        "_unsent", "acked", "came", "frame_bytes", "intake", "kind", "number", "queued", "window_frames",
    )  # fmt: skip

    def __init__(
        self,
        session: Session,
        stream: ScheduledStream,
        engine: Engine,
        settings: Settings,
        number: int,
        owner: Owner,
        feeder: Turns,
    ) -> None:
        super().__init__(session, stream, engine, settings)
        self.number = number
        self.queued = False
        self.intake = session.intake
        self.frame_bytes = self.intake.frame_bytes
        self.kind = self.intake.of_kind.kind
        self.window_frames = max(1, min(settings.window_frames, _WINDOW_BYTES // self.frame_bytes))
        self.acked = 0
        self._owner: Owner | None = owner
        self._feeder = feeder
        self._held: list[Output] = []  # what it has given while it had no call
        # Lists, not queues: hardly anything is in them, and an empty queue takes ten times the room of a list.
        self._unsent: list[Output] = []  # what its call has been given and has not sent
        self._under_way = 0
        self._sizes: list[int] = []  # of the chunks that are under way, oldest first
        self.came = 0.0
        self._began_at = 0.0  # when the chunk came that is being taken
        self._kept: list[tuple[SentChunk, float] | _End] = []  # with when they came
        self._taking: Iterator[Taken] | None = None  # the rest of a chunk
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
    def attached(self) -> bool:
        """Whether it has a call."""
        return self._owner is not None

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

    def written(self, outputs: int) -> None:
        """The client has taken so many outputs."""
        self._written(outputs)

    def deliver(self, delivery: Delivery) -> None:
        """The engine has got further."""
        delivery, acks = self._without_acks(self._unseen(delivery))
        super().deliver(delivery)
        self._written(len(acks))
        if self._owner is None:
            self._held += delivery.outputs
        else:
            self._unsent.extend(delivery.outputs)
            if delivery.outputs or delivery.summary is not None or delivery.error is not None:
                self._owner.delivered(self, delivery)
        for ack in acks:
            self.through(ack.frames, delivery.passed, self.active_at)
        self._go_on(delivery.passed)

    def through(self, frames: int, passed: int, now: float) -> None:
        """See `OpenStream`."""
        self.active_at = now
        self._under_way -= self._sizes.pop(0)
        self.acked = frames
        if self._owner is not None:
            self._owner.acknowledged(self, frames)
        if self._kept:
            self._go_on(passed)

    def _go_on(self, passed: int) -> None:
        """Takes more, if there is anything and there is room."""
        if self._owner is None:
            return
        if (self._kept or self._taking is not None) and self._submitted - passed <= self._queue_frames // 2:
            self._feeder.add(self)

    def acknowledge(self, ack: Ack) -> None:
        """Its client is to hear of this."""
        if self._owner is not None:
            self._owner.acknowledged(self, ack.frames)

    def give_up(self, error: CoreError) -> None:
        """It cannot go on, or its client takes nothing: it leaves its call with this error."""
        self.given_up = True
        if self._owner is not None:
            self._owner.gave_up(self, error)

    def sent(self, outputs: Sequence[Output]) -> None:
        """These are being sent."""
        for output in outputs:
            self._unsent.pop(0)
            if self.resumable is not None:
                self.resumable.sent.add(output)

    def hold(self, outputs: Sequence[Output]) -> None:
        """Its call is over without having sent these."""
        self._held += outputs
        self._unsent.clear()

    def park(self) -> None:
        """Its call has broken: what has begun to be taken is, and its client sends the rest again."""
        self._owner = None
        self.queued = False
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

    def unsent(self) -> list[Output]:
        """What has been held, or has not been sent by its call, and how far it has come."""
        given = [*self._held, *self._unsent]
        return [*given, Ack(self.acked)] if self.acked else given

    def resume(self, seen: Seen) -> None:
        """What its client has not seen comes next."""
        assert self.resumable is not None
        again = self.resumable.sent.since(seen)
        self.resumable.sent.take_back(len(again))
        self.resumable.seen = seen
        self._held = [*again, *self._held]
        self._again += len(again)
        self.active_at = monotonic()

    def attach(self, number: int, owner: Owner, feeder: Turns) -> Delivery:
        """It belongs to another call from now on; what that is to send first, besides how far it has come."""
        self.number, self._owner, self._feeder = number, owner, feeder
        held, self._held = self._held, []
        backlog = self._unseen(Delivery(self.stream, held, self.stream.passed))
        self._unsent.extend(backlog.outputs)
        return backlog

    def detach(self, error: CoreError) -> None:
        """Takes it from its call, which lets go of it at once."""
        if self._owner is not None:
            self._owner.lost(self, error)

    def _unseen(self, delivery: Delivery) -> Delivery:
        """The same without what the client had seen before it came back."""
        if self.resumable is None or self.resumable.seen == Seen():
            return delivery
        outputs = [output for output in delivery.outputs if not self.resumable.seen.covers(output)]
        self._written(len(delivery.outputs) - len(outputs))
        return replace(delivery, outputs=outputs)

    @staticmethod
    def _without_acks(delivery: Delivery) -> tuple[Delivery, list[Ack]]:
        """The same without acknowledgements, and these."""
        acks = [output for output in delivery.outputs if isinstance(output, Ack)]
        if acks:
            delivery = replace(delivery, outputs=[each for each in delivery.outputs if not isinstance(each, Ack)])
        return delivery, acks

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
