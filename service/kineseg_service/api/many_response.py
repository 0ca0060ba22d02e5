"""What has come of many sessions, collected into one `SegmentManyResponse`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kineseg.v1 import segmentation_pb2 as pb
from kineseg_core.errors import CoreError
from kineseg_core.events import Ack, Event, FrameResult, Output, Profile

from kineseg_service.api import convert
from kineseg_service.api.codes import code_of, error_info

# A message is full from this size on; what a client takes at most is 4 MiB where it does not say otherwise.
_FULL_BYTES = 1 << 20
# About what an output takes besides what can be long in it, and what a session takes in the columns.
_OUTPUT_BYTES, _ACK_BYTES = 256, 16


class Collected:
    """A message that is being filled."""

    def __init__(self) -> None:
        self._message = pb.SegmentManyResponse()
        self._acked: dict[int, int] = {}
        self._durable: dict[int, int] = {}  # of those that are kept in a store
        self._bytes = 0

    @property
    def is_full(self) -> bool:
        """What is still to come goes into the next message."""
        return self._bytes >= _FULL_BYTES

    def add_opened(self, number: int, opened: pb.Opened, window_frames: int) -> None:
        """A session has been opened."""
        self._message.opened.add(session=number, opened=opened, window_frames=window_frames)
        self._bytes += opened.ByteSize()

    def add_outputs(self, number: int, outputs: Sequence[Output], start: int) -> int:
        """A session has given something.

        Args:
            number: Its number.
            outputs: What it has given.
            start: From here on it is new.

        Returns:
            Up to which they have found room.
        """
        for at in range(start, len(outputs)):
            output = outputs[at]
            if isinstance(output, Ack):
                self.add_acknowledged({number: output.frames}, {})
            elif self._bytes >= _FULL_BYTES:
                return at
            else:
                self._add(number, output)
        return len(outputs)

    def add_acknowledged(self, acked: Mapping[int, int], durable: Mapping[int, int]) -> None:
        """Sessions have come so far, in frames, and so far in a store, those that are kept in one; by their numbers."""
        self._acked.update(acked)
        self._durable.update(durable)
        self._bytes += _ACK_BYTES * len(acked)

    def add_closed(self, number: int, error: CoreError | None) -> None:
        """A session is over; `error` is why, unless it ended well."""
        self._message.closed.add(session=number, failure=None if error is None else failure_message(error))
        self._bytes += _OUTPUT_BYTES

    def message(self) -> pb.SegmentManyResponse:
        """The message."""
        self._message.acked_sessions.extend(self._acked.keys())
        self._message.acked_frames.extend(self._acked.values())
        if self._durable:
            self._message.durable_frames.extend(
                self._durable.get(number, acked) for number, acked in self._acked.items()
            )
        return self._message

    def _add(self, number: int, output: Event | FrameResult | Profile) -> None:
        if isinstance(output, Event):
            message = pb.SessionOutput(session=number, event=convert.event_message(output))
            self._bytes += _OUTPUT_BYTES + message.ByteSize()
        elif isinstance(output, FrameResult):
            message = pb.SessionOutput(session=number, frame_result=convert.frame_result_message(output))
            self._bytes += _OUTPUT_BYTES + 4 * len(output.embedding)
        else:
            message = pb.SessionOutput(session=number, profile=pb.Profile(json=output.json))
            self._bytes += _OUTPUT_BYTES + len(output.json)
        self._message.outputs.append(message)


def failure_message(error: CoreError) -> pb.SessionFailure:
    """How a call of the session's own would have ended."""
    info = error_info(error)
    return pb.SessionFailure(
        code=code_of(type(error)).value[0], message=error.message, reason=info.reason, metadata=info.metadata
    )
