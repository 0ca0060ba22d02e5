"""One stream in this process: its session and its model's state, advanced in the caller's thread."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypedDict

import numpy as np

from kineseg_core.boundary_network import BoundaryNetwork, NetworkFile
from kineseg_core.errors import InvalidFrame, StepFailed
from kineseg_core.events import EndReason, Output
from kineseg_core.generic import scratch_bundle
from kineseg_core.inference.bundle import Bundle
from kineseg_core.inference.providers import open_cpu
from kineseg_core.inference.state_table import F32, HostTable
from kineseg_core.intake.missing import ValuesMissing
from kineseg_core.intake.resampling import ModelFrames
from kineseg_core.intake.taken import ChunkEnd, GapFound, Taken
from kineseg_core.intake.watch import AnomalyFound
from kineseg_core.naming import KnownNames
from kineseg_core.opening import Opener
from kineseg_core.session import End, Session
from kineseg_core.snapshot import Snapshot, SnapshotWriter

# As many rows as a server has by default: where a row's bits depend on its batch, this pads as the server does.
_ROWS = 128
_SLOT = np.zeros(1, np.int64)


class InProcessState(TypedDict):
    """All that a stream has come to know; plain values and picklable objects."""

    session: Session
    model_state: F32


class InProcessStream:
    """A stream and the model that it alone uses, on the CPU: what a server does for many, without one.

    It gives the same outputs as a server. Not for two threads at a time.

    Args:
        session: From `Opener.session`.
        bundle: The session's model; none for the built-in one.
        network: The boundary network, see `Opener.network`.

    Raises:
        BadBundle: The model's graph cannot be opened.
    """

    def __init__(self, session: Session, bundle: Bundle | None, network: NetworkFile) -> None:
        plan = session.config.plan
        if bundle is None:
            assert plan is not None  # the only model without a bundle of its own
            bundle = scratch_bundle(plan)
        self.session = session
        self._network = BoundaryNetwork(network)
        self.bundle = bundle
        self._table = HostTable(bundle, open_cpu(bundle.graph, threads=1), slots=1, max_batch=_ROWS)

    @classmethod
    def restored(cls, state: InProcessState, bundle: Bundle | None, network: NetworkFile) -> InProcessStream:
        """A stream that goes on where another one was when it gave its `state`."""
        stream = cls(state["session"], bundle, network)
        stream._table.put(0, state["model_state"])
        return stream

    @classmethod
    def resumed(
        cls, snapshot: Snapshot, opener: Opener, taught: Callable[[str], KnownNames] = lambda model: KnownNames()
    ) -> InProcessStream:
        """A stream that goes on where another one was, perhaps in another process, when it gave a `snapshot`.

        Args:
            snapshot: That.
            opener: Where it is opened again.
            taught: See `Opener.session`.

        Raises:
            BadSnapshot: It cannot go on here; says why.
        """
        session = snapshot.reopened(opener, taught)
        stream = cls(session, opener.bundle(session.config.model), opener.network)
        snapshot.resume(session)
        stream._table.put(0, snapshot.state_of(stream.bundle.state_size))
        return stream

    def snapshot(self, opener: Opener) -> bytes:
        """Where the stream stands, between two chunks, for `resumed`; to be sealed. `opener`: Where it was opened."""
        writer = SnapshotWriter(self.session, opener)
        return b"".join(writer.whole(writer.received(), self._table.get(0)))

    @property
    def state(self) -> InProcessState:
        """Where the stream stands, for `restored`."""
        return {"session": self.session, "model_state": self._table.get(0)}

    def take(self, first_frame: int, data: bytes, capture_times_ns: Sequence[int], out: list[Output]) -> None:
        """Takes a chunk, see `Intake.take`, and appends what follows from it to `out`.

        Raises:
            InvalidFrame: The chunk is malformed, or its times contradict the rate; nothing of it has been taken.
            StepFailed: The model's output is not finite; the stream cannot go on.
        """
        self._through(self.session.take(first_frame, data, capture_times_ns), out)

    def finish(self, out: list[Output]) -> None:
        """Ends the stream and appends what is left to `out`, the summary last; nothing can be taken afterwards.

        Raises:
            InvalidFrame: The capture times of the whole, short stream contradict its rate; `out` has what is left.
        """
        try:
            self.session.intake.check_end()
        except InvalidFrame:
            self._through(self.session.end(EndReason.REJECTED), out)
            raise
        self._through(self.session.end(EndReason.COMPLETED), out)

    def _through(self, items: Iterable[Taken | End], out: list[Output]) -> None:
        for item in items:
            match item:
                case ModelFrames():
                    self._step(item, out)
                case GapFound():
                    if item.cuts:
                        self._table.reset(0)
                    self.session.gap(item, out)
                case ValuesMissing():
                    self.session.missing(item, out)
                case AnomalyFound():
                    self.session.anomaly(item, out)
                case ChunkEnd():
                    self.session.ack(item, out)
                case End():
                    self.session.finish(item, out)

    def _step(self, block: ModelFrames, out: list[Output]) -> None:
        for at in range(len(block.decided)):
            stepped = self._table.step(_SLOT, block.frames[at : at + 1])
            if stepped.bad_rows:
                raise StepFailed("the model's output is not finite")
            step = stepped.one(0)
            self.session.step(block, at, step, self._network, out)
