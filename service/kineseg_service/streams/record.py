"""What is kept of an open stream in a store: its snapshot, and what its client may not have got yet."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

from kineseg_core.errors import BadSnapshot
from kineseg_core.events import Ack, Event, FrameResult, Output
from kineseg_core.kept import MisfitError, Reader, Writer
from kineseg_core.kept.sealing import MOST_BYTES, packed, unpacked

from kineseg_service.streams.resumable import Seen

_VERSION = 1
IN_FLIGHT_S = 30.0
"""What was sent longer ago has come, or its client has told by now that it has not."""


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
        writer = Writer()
        said = [_VERSION, self.ack_interval_s, self.before.seq, self.before.result_frame, self.outputs]
        return packed([packed(writer.tree(said)), writer.blob, self.snapshot])

    @classmethod
    def read(cls, data: bytes) -> Record:
        """What was written.

        Raises:
            BadSnapshot: It is nothing that this version has written.
        """
        try:
            tree, blob, snapshot = unpacked(data, MOST_BYTES)
            version, interval_s, seq, result_frame, outputs = Reader(blob).value(unpacked(tree))
        except (MisfitError, TypeError, ValueError) as error:
            raise BadSnapshot(f"it is no record of a stream ({error})") from error
        if version != _VERSION:
            raise BadSnapshot(f"it is of version {version!s:.16}, and this version of kineseg has {_VERSION}")
        return cls(float(interval_s), Seen(int(seq), int(result_frame)), list(outputs), bytes(snapshot))


def still_needed(before: Seen, sent: Iterable[Output], unsent: Iterable[Output]) -> tuple[Seen, list[Output]]:
    """What was sent within `IN_FLIGHT_S` or was not yet, and how far a client must have come that needs no more."""
    since_ns = time.time_ns() - round(IN_FLIGHT_S * 1e9)
    outputs: list[Output] = [output for output in (*sent, *unsent) if not isinstance(output, Ack)]
    kept_from = len(outputs)
    for at in range(len(outputs) - 1, -1, -1):
        output = outputs[at]
        if isinstance(output, Event) and output.emitted_unix_ns < since_ns:
            break
        kept_from = at
    for output in outputs[:kept_from]:
        if isinstance(output, Event):
            before = Seen(output.seq, before.result_frame)
        elif isinstance(output, FrameResult):
            before = Seen(before.seq, output.frame)
    return before, outputs[kept_from:]
