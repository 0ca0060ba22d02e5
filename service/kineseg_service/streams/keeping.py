"""Open streams are kept in a store every few seconds, see `Due`, and at once when their server goes: they outlive it.

No one waits for the store. How far a stream is safe is known once its state has been written; its client hears with
the next acknowledgement, and keeps what comes after that.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from kineseg_core.events import Ack
from kineseg_core.kept.sealing import Pieces
from kineseg_core.opening import Opener
from kineseg_core.session import Session
from kineseg_core.snapshot import SnapshotWriter

from kineseg_service.errors import StoreUnreachable
from kineseg_service.logs import get_logger
from kineseg_service.scheduler.scheduled import Keep
from kineseg_service.stores.store import FIRST, Key, StoreFailed, Taken, Write
from kineseg_service.stores.writer import StoreWriter
from kineseg_service.streams.due import Due, most_turns
from kineseg_service.streams.resumable import Resumable
from kineseg_service.streams.wheel import Wheel
from kineseg_service.streams.written_outputs import WrittenOutputs

if TYPE_CHECKING:
    from kineseg_service.stores.sealing import Seal

_log = get_logger(__name__)
_LOOK_S = 20.0
"""So often a store is asked whether it works, while no stream needs it."""
_NO_STREAM = Key("", "")
_GRACE_S = 60.0
"""A stream is kept for so long beyond the time for which it may be resumed: its server has to be missed first."""


class KeptStream(Protocol):
    """What is asked of a stream that is kept, see `OpenStream`."""

    session: Session
    resumable: Resumable | None

    @property
    def stream_id(self) -> str: ...

    def keep(self, snapshot: Callable[[], Keep]) -> None: ...

    def record(self, snapshot: Pieces, written: WrittenOutputs) -> Pieces: ...

    def acknowledge(self, ack: Ack) -> None: ...


class Beside:
    """What is kept of one stream, beside it.

    Args:
        keeping: What keeps it.
        live: The stream.
        tenant: Whose it is.
        taken_over: Is called when another server has it now.
        generation: That its owner has.
        durable: So many of its frames are in the store.

    Attributes:
        generation: That.
        durable: The same, as it goes on.
    """

    def __init__(
        self,
        keeping: Keeping,
        live: KeptStream,
        tenant: str,
        taken_over: Callable[[], object],
        generation: int,
        durable: int,
    ) -> None:
        assert live.resumable is not None
        self.durable = durable
        self._keeping = keeping
        self._live = live
        self._taken_over = taken_over
        self._key = Key(tenant, live.stream_id)
        self.generation = generation
        self._proof = proof_of(live.resumable.token)
        self._writer = SnapshotWriter(live.session, keeping.opener)
        self._outputs = WrittenOutputs()
        self._due = Due(live.session.intake.frame_bytes, keeping.most_turns)
        self._is_first = True
        self._then: Callable[[], object] | None = None
        self._is_over = False

    def begin(self, *, is_kept: bool) -> None:
        """Keeps it from now on, and at once unless it is in the store already."""
        if not is_kept:
            self._live.keep(self._snapshot)
        self._keeping.wheel.add(self._turn)

    def last(self, then: Callable[[], object]) -> None:
        """The stream takes nothing more here: it is kept once more, and then something is done."""
        self._then = then
        self._stop()
        self._live.keep(self._snapshot)

    def forget(self) -> None:
        """The stream is over: nothing of it is kept, unless that has been said to `last` or `ended`."""
        self._stop()
        if self._then is None:
            self._over(None)

    def ended(self, end: bytes) -> None:
        """It has come to its end, which its client may not have got, and which is kept."""
        self._over(end)

    def let_go(self) -> None:
        """Another process of the server has it, and keeps it from now on."""
        self._stop()
        self._then = self._then or (lambda: None)
        self._is_over = True

    def _over(self, data: bytes | None) -> None:
        self.let_go()
        kept: Pieces | None = None if data is None else [data]
        self._keeping.write(self._key, self.generation, self._proof, kept, lambda fine: None)

    def _stop(self) -> None:
        self._keeping.wheel.remove(self._turn)

    def _turn(self) -> None:
        if self._due.at_turn(self._live.session.intake.received):
            self._live.keep(self._snapshot)

    def _snapshot(self) -> Keep:
        received = self._writer.received()
        frames, is_last = received[0], self._then is not None
        at_once, self._is_first = self._is_first or is_last, False
        self._due.begun(frames)
        return Keep(self._writer, received, lambda payload: self._there(frames, payload, is_last, at_once))

    def _there(self, frames: int, payload: Pieces, is_last: bool, at_once: bool) -> None:
        if self._is_over:
            return
        record = self._live.record(payload, self._outputs)
        self._due.written(sum(map(len, record)))

        def written(fine: bool) -> None:
            self._written(frames, is_last, fine)

        if not self._keeping.write(self._key, self.generation, self._proof, record, written, at_once=at_once):
            self._due.failed()
            if is_last and self._then is not None:
                self._then()

    def _written(self, frames: int, is_last: bool, fine: bool) -> None:
        if self._is_over:
            return
        if fine:
            self.durable = max(self.durable, frames)
            if is_last and self._then is not None:
                self._then()
            elif 0 < frames == self._live.session.intake.received:  # no other acknowledgement will say so
                self._live.acknowledge(Ack(frames))
            return
        self._stop()
        self._then = self._then or (lambda: None)
        self._taken_over()


class Keeping:
    """Keeps the streams of a server. To be used in one event loop.

    Args:
        writer: The store's; what it answers is to come in the loop.
        opener: Where sessions are opened.
        seal: Of what lies in the store.
        every_s: So often a stream is kept, about, of which much comes.
        keep_s: For so long after that it may be resumed.

    Attributes:
        opener, wheel: Where sessions are opened, and what gives their streams turns.
        most_turns: See `Due`.
    """

    def __init__(self, writer: StoreWriter, opener: Opener, seal: Seal, every_s: float, keep_s: float) -> None:
        self.opener = opener
        self.wheel = Wheel(every_s)
        self._writer = writer
        self._seal = seal
        self.most_turns = most_turns(every_s)
        self._keep_s = keep_s + self.most_turns * every_s + _GRACE_S

    def begin(
        self,
        live: KeptStream,
        tenant: str,
        taken_over: Callable[[], object],
        generation: int = FIRST,
        durable: int | None = None,
    ) -> Beside:
        """A stream is open, here from now on. For arguments see `Beside`; no `durable`: it is not in the store."""
        beside = Beside(self, live, tenant, taken_over, generation, durable or 0)
        beside.begin(is_kept=durable is not None)
        return beside

    async def take(self, tenant: str, stream_id: str, token: str) -> tuple[int, bytes] | None:
        """Takes a stream over from whoever had it.

        Returns:
            Its generation from now on, and what was kept of it, see `read_record`; none: there is nothing.

        Raises:
            BadSnapshot: What was kept cannot be read.
            StoreUnreachable: It is not known what there is.
        """
        key, proof = Key(tenant, stream_id), proof_of(token)
        try:
            taken: Taken | None = await asyncio.wrap_future(self._writer.take(key, proof))
        except StoreFailed as error:
            _log.warning("the store cannot be asked for a stream", stream=stream_id, error=str(error))
            raise StoreUnreachable(
                "the stream may lie in the server's store, which cannot be asked now; try again",
                field="resume.stream_id",
            ) from error
        return None if taken is None else (taken.generation, self._seal.unsealed(key, proof, taken.data))

    def write(
        self,
        key: Key,
        generation: int,
        proof: bytes,
        data: Pieces | None,
        written: Callable[[bool], None],
        *,
        at_once: bool = False,
    ) -> bool:
        """Has it written soon, or at once; false: it will not be."""
        sealed = None if data is None else self._seal.sealed(key, proof, data)
        return self._writer.put(Write(key, generation, proof, sealed, self._keep_s), written, at_once=at_once)

    async def watch_store(self) -> None:
        """Finds out whether the store works, at once and every now and then, until it is cancelled.

        It asks for a stream that there is not, while nothing waits to be written.
        """
        while True:
            if not self._writer.waiting:  # else writing shows it: of a full disk one can read
                with contextlib.suppress(StoreFailed):  # which the writer has said
                    await asyncio.wrap_future(self._writer.take(_NO_STREAM, b""))
            await asyncio.sleep(_LOOK_S)

    async def flush(self, timeout_s: float) -> None:
        """Waits until all is written, for so long at most."""
        if not await asyncio.to_thread(self._writer.flush, timeout_s):
            _log.warning("streams could not be kept in time", waiting=self._writer.waiting)


def proof_of(token: str) -> bytes:
    """What shows that somebody has a token, without giving it away."""
    return hashlib.sha256(token.encode()).digest()
