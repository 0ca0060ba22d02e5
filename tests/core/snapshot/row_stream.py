"""A stream whose segmenter has a row in a table, as on a server, without the server."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from kineseg_core.boundary_network import BoundaryNetwork
from kineseg_core.errors import StepFailed
from kineseg_core.events import EndReason, Output
from kineseg_core.generic import scratch_bundle
from kineseg_core.inference.bundle import Bundle
from kineseg_core.inference.providers import open_cpu
from kineseg_core.inference.state_table import HostTable
from kineseg_core.intake.missing import ValuesMissing
from kineseg_core.intake.resampling import ModelFrames
from kineseg_core.intake.taken import ChunkEnd, GapFound, Taken
from kineseg_core.intake.watch import AnomalyFound
from kineseg_core.opening import Opener
from kineseg_core.segmenting import new_table, table_plan
from kineseg_core.session import End, Session
from kineseg_core.session.quiet_rows import QuietRows
from kineseg_core.snapshot import Snapshot, SnapshotWriter

from tests.core.snapshot.scenes import taught

ROWS = 3


class RowStream:
    """One stream, in one of the rows of tables that it alone uses."""

    def __init__(self, opener: Opener, session: Session, bundle: Bundle, row: int) -> None:
        self.session, self._row, self._opener = session, row, opener
        self._network = BoundaryNetwork(opener.network)
        self.states = HostTable(bundle, open_cpu(bundle.graph, threads=1), slots=ROWS, max_batch=ROWS)
        self.table = new_table(table_plan(session.segmenter_plan), ROWS, ROWS)
        for column in self.table.columns:  # whatever was there before
            column.view(np.uint8)[...] = 0x55
        session.take_row(self.table, row, QuietRows(ROWS))
        self._slots = np.array([row])

    @classmethod
    def resumed(cls, snapshot: Snapshot, opener: Opener, row: int) -> RowStream:
        session = snapshot.reopened(opener, taught)
        plan = session.config.plan
        bundle = opener.bundle(session.config.model) if plan is None else scratch_bundle(plan)
        assert bundle is not None
        stream = cls(opener, session, bundle, row)
        snapshot.resume(session)
        stream.states.put(row, snapshot.state_of(bundle.state_size))
        return stream

    def snapshot(self) -> bytes:
        writer = SnapshotWriter(self.session, self._opener)
        return b"".join(writer.whole(writer.received(), self.states.get(self._row)))

    def take(self, first_frame: int, data: bytes, times_ns: tuple[int, ...], out: list[Output]) -> None:
        self._through(self.session.take(first_frame, data, times_ns), out)

    def finish(self, out: list[Output]) -> None:
        self._through(self.session.end(EndReason.COMPLETED), out)

    def _through(self, items: Iterable[Taken | End], out: list[Output]) -> None:
        for item in items:
            match item:
                case ModelFrames():
                    for at in range(len(item.decided)):
                        frame = item.frames[at : at + 1]
                        stepped = self.states.step(self._slots, frame)
                        if stepped.bad_rows:  # as the engine does
                            raise StepFailed("the model's output is not finite")
                        follows = self.table.step(
                            self._slots, frame, stepped.embedding, stepped.surprise, self._network
                        )
                        step = stepped.one(0)
                        self.session.advance(item, at, step, follows.get(0, ()), out)
                case GapFound():
                    if item.cuts:
                        self.states.reset(self._row)
                    self.session.gap(item, out)
                case ValuesMissing():
                    self.session.missing(item, out)
                case AnomalyFound():
                    self.session.anomaly(item, out)
                case ChunkEnd():
                    self.session.ack(item, out)
                case End():
                    self.session.finish(item, out)
