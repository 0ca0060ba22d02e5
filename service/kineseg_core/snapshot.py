"""A stream as bytes: all that it has come to know, for another process or another day to go on from.

A snapshot says how its stream was opened, and holds what each object of its session keeps (`kept`). To go on, the
session is opened again in the same way, by what is there, and then filled. So a snapshot can make nothing but plain
values and arrays, of the classes, shapes and kinds of numbers that the opened session has; and it is refused where
anything that decides is another: the layout, the arithmetic, the model, or the boundary network.

A session has two halves that may have a thread each (see `Session`): `SnapshotWriter.received` is for the receiver's,
after a whole chunk; `SnapshotWriter.whole` for the processor's, once all of that chunk has gone through.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from kineseg_core.errors import BadSnapshot, CoreError
from kineseg_core.inference.state_table import F32
from kineseg_core.kept import MisfitError, Reader, Writer
from kineseg_core.kept.sealing import MOST_BYTES, Pieces, packed, packed_pieces, unpacked, unsealed
from kineseg_core.kept.sparse import dense, sparse
from kineseg_core.naming import KnownNames
from kineseg_core.opening import Opener
from kineseg_core.request import StreamRequest
from kineseg_core.session import Session

LAYOUT = 12
"""Of what is kept; raised with every change of what a class keeps, see `tests/core/snapshot/layout.py`."""
ARITHMETIC = 9
"""Raised with every change after which the same frames give other events."""
_LONGEST_GAP_S = 60.0
"""No server fills longer ones."""


Received: TypeAlias = tuple[int, bytes, bytes]
"""How many frames have been taken, and what the receiving half knows then: its tree, packed, and its arrays."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A snapshot that has been read.

    Attributes:
        request: How the stream was opened, see `Session.request`.
        stream_id, opened_unix_ns: Of its configuration.
        max_gap_s: Up to which gaps are filled in it.
        frames: How many of its frames have been taken in, and are not to be sent again.
        last_seq: Number of its last event.
    """

    request: StreamRequest
    stream_id: str
    opened_unix_ns: int
    max_gap_s: float
    frames: int
    last_seq: int
    _model_state: F32
    _fingerprint: list[Any]
    _received: bytes
    _decided: bytes
    _blob: bytes

    @classmethod
    def read(cls, data: bytes) -> Snapshot:
        """Reads what `SnapshotWriter.whole` and `kept.sealing.sealed` have made.

        Raises:
            BadSnapshot: It is none, or damaged.
        """
        return cls.of(unsealed(data))

    @classmethod
    def of(cls, payload: bytes) -> Snapshot:
        """The same of what is not sealed.

        Raises:
            BadSnapshot: It is none.
        """
        parts = unpacked(payload, MOST_BYTES)
        if not isinstance(parts, list) or len(parts) != 6 or not all(isinstance(part, bytes) for part in parts):
            raise BadSnapshot("it has other parts than the state of a stream has")
        begin, progress = unpacked(parts[0]), unpacked(parts[1])
        try:
            layout, arithmetic, fingerprint, tree, stream_id, opened, max_gap_s = begin
            _check_version("layout", layout, LAYOUT)
            _check_version("arithmetic", arithmetic, ARITHMETIC)
            request = Reader(b"").value(tree)
            frames, last_seq = progress
            state = np.frombuffer(parts[5], np.float32)
        except (MisfitError, TypeError, ValueError) as error:
            raise BadSnapshot(f"what it says of its stream cannot be read ({error})") from error
        said = request, stream_id, opened, max_gap_s, frames, last_seq
        if tuple(map(type, said)) != (StreamRequest, str, int, float, int, int):
            raise BadSnapshot("what it says of its stream is of another kind")
        if not 0.0 <= max_gap_s <= _LONGEST_GAP_S:
            raise BadSnapshot(
                f"its max_gap_s is {max_gap_s:g}, and no longer gaps are filled than of {_LONGEST_GAP_S:g} s"
            )
        return cls(*said, state, fingerprint, *parts[2:5])

    def reopened(self, opener: Opener, taught: Callable[[str], KnownNames] = lambda model: KnownNames()) -> Session:
        """The session that goes on, with all that its receiving half knows; `resume` does the rest.

        Args:
            opener: Where it is opened again.
            taught: See `Opener.session`.

        Raises:
            BadSnapshot: The stream cannot go on here; says why.
        """
        model = self.request.model
        if _fingerprint(opener, model) != self._fingerprint:
            raise BadSnapshot(f"model {model[:64]!r}, or what finds its boundaries, is another one here and now")
        try:
            session = opener.again(self.request, self.stream_id, self.opened_unix_ns, self.max_gap_s, taught)
        except CoreError as error:
            raise BadSnapshot(f"its stream cannot be opened here: {error.message}") from error
        except (TypeError, ValueError, LookupError, AttributeError, ArithmeticError) as error:
            raise BadSnapshot(f"its stream cannot be opened anywhere ({error})") from error
        self._fill(session.intake, self._received)
        return session

    def resume(self, session: Session) -> None:
        """Fills the deciding half of a session from `reopened`, which has its row by now if it is to have one.

        Raises:
            BadSnapshot: It does not fit; the session is not to be used.
        """
        session.settle_in()
        self._fill(session, self._decided)

    def state_of(self, size: int) -> F32:
        """``(S,)`` the model's state.

        Raises:
            BadSnapshot: It has not `size` finite numbers.
        """
        if len(self._model_state) != size or not np.isfinite(self._model_state).all():
            raise BadSnapshot(f"the model's state has not the {size} finite numbers that it should have")
        return self._model_state

    def _fill(self, fresh: object, tree: bytes) -> None:
        try:
            Reader(dense(self._blob)).into(fresh, unpacked(tree))
        except MisfitError as error:
            raise BadSnapshot(f"it does not fit: {error}") from error


class SnapshotWriter:
    """Writes snapshots of one stream, in pieces that are made where what they are of belongs to.

    Args:
        session: The stream's.
        opener: Where it was opened.
    """

    def __init__(self, session: Session, opener: Opener) -> None:
        config = session.config
        self._session = session
        fingerprint, request = _fingerprint(opener, config.model), Writer().tree(session.request)
        opened = config.stream_id, config.opened_unix_ns, session.intake.filled_gap_s
        self._begin = packed([LAYOUT, ARITHMETIC, fingerprint, request, *opened])

    def received(self) -> Received:
        """What the receiving half knows now, between two chunks: for `whole`."""
        intake = self._session.intake
        intake.catch_up()
        writer = Writer()
        return intake.received, packed(writer.tree(intake)), writer.blob

    def whole(self, received: Received, model_state: F32) -> Pieces:
        """The snapshot, once all that was received until then has gone through; to be `sealed`.

        Args:
            received: From `received`.
            model_state: ``(S,)``
        """
        frames, tree, blob = received
        self._session.settle_in()
        progress = packed([frames, self._session.progress.last_seq])
        writer = Writer()
        writer.place(blob, len(blob))
        decided = packed(writer.tree(self._session))
        return packed_pieces(
            [[self._begin], [progress], [tree], [decided], sparse(writer.blob), [model_state.tobytes()]]
        )


def _fingerprint(opener: Opener, model: str) -> list[str]:
    """Of all that decides in a stream of a model, and is no code."""
    bundle = opener.bundle(model)
    own = [] if bundle is None else [bundle.sha256, bundle.manifest_sha256]
    return [model, *own, opener.network.sha256]


def _check_version(what: str, found: object, expected: int) -> None:
    if found != expected:
        raise BadSnapshot(f"its {what} is version {found!s:.16}, and this version of kineseg has {expected}")
