"""Frames of several streams that are sent at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Generic, TypeAlias, TypeVar

from numpy.typing import ArrayLike

from kineseg._chunker import Batch
from kineseg._errors import KinesegError, UsageError
from kineseg._member_protocol import MemberProtocol
from kineseg._stream_life import StreamState

Handle = TypeVar("Handle")
Value = TypeVar("Value")
Part: TypeAlias = tuple[ArrayLike, ArrayLike | None, ArrayLike | None, int | None]
PerStream: TypeAlias = Mapping[Handle, Value] | Value | None
"""A value for each stream, or one for all."""


class Sending(Generic[Handle]):
    """One `send` to several streams: each takes its frames as it can, and none keeps another from it.

    Args:
        parts: The streams, and the frames, timestamps (seconds, or nanoseconds) and first frame for each, as for
            `StreamLife.check`.

    Raises:
        InvalidRequest: A value cannot be used; nothing was sent.
        StreamBusy: Somebody else sends to one of the streams.
    """

    def __init__(self, parts: Iterable[tuple[MemberProtocol[Handle], Part]]) -> None:
        self._error: KinesegError | None = None
        self._left: list[tuple[MemberProtocol[Handle], Batch]] = []
        self._occupied: list[MemberProtocol[Handle]] = []
        try:
            for member, part in parts:
                member.occupy("sending to")
                self._occupied.append(member)
                if member.state is StreamState.OPEN:
                    self._left.append((member, member.check(*part)))
                else:
                    self._note(member)
        except BaseException:
            self.end()
            raise

    def admit(self) -> bool:
        """Take as many frames as may be under way; True once all are taken, but those of streams that have ended."""
        left = []
        for member, batch in self._left:
            if member.state is not StreamState.OPEN:
                self._note(member)
            elif not member.admit(batch):
                left.append((member, batch))
        self._left = left
        return not left

    def end(self) -> None:
        """The send is over, however it went."""
        for member in self._occupied:
            member.vacate("sending to")
        self._occupied.clear()

    def raise_first(self) -> None:
        """Raise why the first stream that took no frames did not, if there is any."""
        if self._error is not None:
            raise self._error

    def _note(self, member: MemberProtocol[Handle]) -> None:
        try:
            member.require_open()
        except KinesegError as error:
            self._error = self._error or error


def parts_of(
    frames: Mapping[Handle, ArrayLike],
    timestamps: PerStream[Handle, ArrayLike],
    timestamps_ns: PerStream[Handle, ArrayLike],
    first_frame: PerStream[Handle, int],
) -> Iterator[tuple[Handle, Part]]:
    """What is sent to each stream: what is no mapping is for all of them.

    Raises:
        UsageError: A mapping is also of a stream to which nothing is sent.
    """
    for name, values in (("timestamps", timestamps), ("timestamps_ns", timestamps_ns), ("first_frame", first_frame)):
        if isinstance(values, Mapping) and not values.keys() <= frames.keys():
            strange = next(iter(values.keys() - frames.keys()))
            raise UsageError(f"{name} has {strange!r}, to which no frames are sent: give its frames, too")

    def of(handle: Handle, value: Mapping[Handle, Any] | Any) -> Any:
        return value.get(handle) if isinstance(value, Mapping) else value

    for handle, rows in frames.items():
        yield handle, (rows, of(handle, timestamps), of(handle, timestamps_ns), of(handle, first_frame))
