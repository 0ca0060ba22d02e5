"""What is kept of a stream in a store: its snapshot, or how it ended, and what its client may not have got yet."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from kineseg_core.errors import BadSnapshot, CoreError
from kineseg_core.events import Ack, Event, FrameResult, Output, Profile
from kineseg_core.kept import MisfitError, Reader, Writer
from kineseg_core.kept.sealing import MOST_BYTES, Pieces, packed, packed_pieces, unpacked

from kineseg_service.streams.resumable import Seen, Sent

_VERSION = 3
IN_FLIGHT_S = 30.0
"""What was sent longer ago has come, or its client has said by now that it has not."""
_OF_ERRORS = ("field", "reason", "minimum", "maximum", "error_id", "limit", "retry_after_s")


@dataclass(frozen=True, slots=True)
class Record:
    """See above.

    Attributes:
        ack_interval_s: For how long its acknowledgements may be held back.
        before: What lies before `outputs`, and is not kept.
        outputs: What was given last, up to where the snapshot is.
        snapshot: Of its session.
    """

    ack_interval_s: float
    before: Seen
    outputs: list[Output]
    snapshot: bytes

    def written(self) -> bytes:
        """The same as bytes."""
        outputs = map(written_output, self.outputs)
        return b"".join(record_of(self.ack_interval_s, self.before, outputs, [self.snapshot]))


@dataclass(frozen=True, slots=True)
class Ended:
    """What is kept of a stream that has come to its end.

    Attributes:
        before, outputs: See `Record`.
        described: What its client got when it was opened.
        received: The frame that would come next.
        error: What it has ended with, unless well.
    """

    before: Seen
    outputs: list[Output]
    described: bytes
    received: int
    error: CoreError | None

    def written(self) -> bytes:
        """The same as bytes."""
        error = None if self.error is None else [type(self.error).__name__, self.error.message, *_said(self.error)]
        outputs = map(written_output, self.outputs)
        return b"".join(_written(self.before, outputs, [self.received, error], [self.described]))


def read_record(data: bytes) -> Record | Ended:
    """What was written.

    Raises:
        BadSnapshot: It is nothing that this version has written.
    """
    try:
        tree, rest = unpacked(data, MOST_BYTES)
        version, seq, result_frame, written, more = Reader(b"").value(unpacked(tree))
        before, outputs = Seen(int(seq), int(result_frame)), [_read_output(each) for each in written]
        if version == _VERSION and isinstance(more, list):
            received, error = more
            return Ended(before, outputs, bytes(rest), int(received), None if error is None else _error(*error))
        if version == _VERSION:
            return Record(float(more), before, outputs, bytes(rest))
    except (MisfitError, LookupError, TypeError, ValueError) as error:
        raise BadSnapshot(f"it is no record of a stream ({error})") from error
    raise BadSnapshot(f"it is of version {version!s:.16}, and this version of kineseg has {_VERSION}")


def moved(generation: int, record: bytes) -> bytes:
    """What one process of a server gives another of a stream: its generation in the store, and what is kept of it."""
    return packed([generation, record])


def read_moved(data: bytes) -> tuple[int, bytes]:
    """The same again."""
    generation, record = unpacked(data, MOST_BYTES)
    return generation, record


def record_of(ack_interval_s: float, before: Seen, outputs: Iterable[bytes], snapshot: Pieces) -> Pieces:
    """A `Record` of outputs that have been written already, see `written_output`."""
    return _written(before, outputs, ack_interval_s, snapshot)


def written_output(output: Output) -> bytes:
    """An output as it lies in a record."""
    writer = Writer()
    tree = packed(writer.tree(output))
    return packed([tree, writer.blob])


def in_flight_since_ns() -> int:
    """What was sent before this moment, Unix nanoseconds, is not needed any more."""
    return time.time_ns() - round(IN_FLIGHT_S * 1e9)


def still_needed(sent: Sent, unsent: Sequence[Output], since_ns: int) -> tuple[Seen, list[Output]]:
    """What was sent from `since_ns` on or was not yet, and how far a client must have come that needs no more."""
    outputs: list[Output] = []
    newest_first = chain(reversed(unsent), sent.newest_first())
    before = sent.trimmed
    for output in newest_first:
        if isinstance(output, Event) and output.emitted_unix_ns < since_ns:
            has_results = sent.has_results or any(isinstance(each, FrameResult) for each in unsent)
            results = (each.frame for each in newest_first if isinstance(each, FrameResult)) if has_results else ()
            before = Seen(output.seq, next(iter(results), before.result_frame))
            break
        if not isinstance(output, Ack):
            outputs.append(output)
    return before, outputs[::-1]


def _written(before: Seen, outputs: Iterable[bytes], more: object, rest: Pieces) -> Pieces:
    said = [_VERSION, before.seq, before.result_frame, [*outputs], more]
    return packed_pieces([[packed(Writer().tree(said))], rest])


def _read_output(data: bytes) -> Output:
    tree, blob = unpacked(data)
    return _checked(Reader(blob).value(unpacked(tree)))


def _checked(output: object) -> Output:
    if not isinstance(output, Event | FrameResult | Profile):
        raise TypeError(f"a {type(output).__name__} is no output")
    return output


def _said(error: CoreError) -> list[object]:
    return [getattr(error, name) for name in _OF_ERRORS]


def _error(kind: str, message: str, *said: object) -> CoreError:
    """An error as it was; it is of a class that there is, and nothing of that class is run."""
    [found] = [each for each in _kinds(CoreError) if each.__name__ == kind]
    error = found.__new__(found)
    CoreError.__init__(error, str(message))
    for name, value in zip(_OF_ERRORS, said, strict=True):
        if value is not None and not isinstance(value, str | int | float):
            raise TypeError(f"{name} of an error is a {type(value).__name__}")
        setattr(error, name, value)
    return error


def _kinds(of: type[CoreError]) -> Iterator[type[CoreError]]:
    yield of
    for each in of.__subclasses__():
        yield from _kinds(each)
