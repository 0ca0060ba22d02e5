"""A stream that shares its call with others: what it gives goes out by that, and is held while it has none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from time import monotonic
from typing import Protocol

from kineseg_core.errors import CoreError
from kineseg_core.events import Ack, Output
from kineseg_core.session import Session

from kineseg_service.config import Settings
from kineseg_service.scheduler.deliveries import Delivery
from kineseg_service.scheduler.engine import Engine
from kineseg_service.scheduler.scheduled import ScheduledStream
from kineseg_service.streams.resumable import Seen
from kineseg_service.streams.taking import TakingStream, Turns


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


class MemberStream(TakingStream):
    """An open stream of a call of many.

    Args:
        number: Which it is in its call.
        owner: That call.
        feeder: What gives it its turns.

    Attributes:
        number: Which it is in its call.
        acked: All that follows from so many of its frames has been given; its client hears of that, or has.
    """

    __slots__ = ("_held", "_owner", "_unsent", "acked", "number")

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
        super().__init__(session, stream, engine, settings, feeder)
        self.number = number
        self.acked = 0
        self._owner: Owner | None = owner
        self._held: list[Output] = []  # what it has given while it had no call
        self._unsent: list[Output] = []  # what its call has been given and has not sent

    @property
    def attached(self) -> bool:
        """Whether it has a call."""
        return self._owner is not None

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
        if self._owner is not None:
            self._go_on(delivery.passed)

    def through(self, frames: int, passed: int, now: float) -> None:
        """See `OpenStream`."""
        self.active_at = now
        self._gone_through()
        self.acked = frames
        if self._owner is not None:
            self._owner.acknowledged(self, frames)
            if self._kept:
                self._go_on(passed)

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
        self._take_no_more()

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
