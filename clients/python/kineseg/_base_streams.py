"""What the synchronous and the asynchronous streams of one call share."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Generic, TypeVar

from numpy.typing import ArrayLike

from kineseg._base_stream import CallSettings, Cancellable, StreamView
from kineseg._config import StreamConfig
from kineseg._errors import InvalidRequest, Timeout, UsageError
from kineseg._many_protocol import ManyProtocol
from kineseg._member_protocol import MemberProtocol
from kineseg._sending import PerStream, Sending, parts_of
from kineseg._silence import Silence


class BaseSharedStream(StreamView):
    """One stream of a call of many."""

    _protocol: MemberProtocol[BaseSharedStream]

    def __init__(self, config: StreamConfig, owner: object) -> None:
        self._config = config
        self._owner = owner

    @property
    def config(self) -> StreamConfig:
        """What was asked for."""
        return self._config


Shared = TypeVar("Shared", bound=BaseSharedStream)


class BaseStreams(Generic[Shared]):
    """Streams that share a call; made by a client's ``streams()``."""

    _call: Cancellable | None

    def __init__(self, settings: CallSettings, configure: Callable[..., StreamConfig]) -> None:
        self._settings = settings
        self._configure = configure
        self._protocol: ManyProtocol[BaseSharedStream] = ManyProtocol(
            settings.limits, settings.timeout, settings.addresses
        )
        self._silence = Silence(settings.limits)

    def _left_s(self) -> float:
        return self._silence.left(self._protocol)

    def _open_unanswered(self, opening: Opening) -> None:
        """Where streams could not be opened in time: others are not asked for over the same connection."""
        if not opening.is_late or self._call is None:
            return
        if self._protocol.count_open():  # which find out for themselves
            self._settings.renew(self._call)
        else:
            self._protocol.finish(None)
            self._settings.abandon(self._call)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} ({self._protocol.count_open()} open)>"

    def _configs(self, configs: Iterable[StreamConfig]) -> list[StreamConfig]:
        if not isinstance(configs, Iterable):
            raise InvalidRequest(
                f"configs must be a sequence of StreamConfig, got one {type(configs).__name__}: open() opens one",
                field="configs",
            )
        return [self._configure(config, {}) for config in configs]

    def _attempt(self, streams: list[Shared]) -> list[MemberProtocol[BaseSharedStream]]:
        """The streams are about to be asked for, perhaps again."""
        for stream in streams:
            stream._protocol = MemberProtocol(stream.config, self._settings.limits, self._protocol, stream)
        return [stream._protocol for stream in streams]

    def _sending(
        self,
        frames: Mapping[Shared, ArrayLike],
        timestamps: PerStream[Shared, ArrayLike],
        timestamps_ns: PerStream[Shared, ArrayLike],
        first_frame: PerStream[Shared, int],
    ) -> Sending[BaseSharedStream]:
        if not isinstance(frames, Mapping):
            raise InvalidRequest("frames must be a mapping of streams to their frames", field="frames")
        for stream in frames:
            if not isinstance(stream, BaseSharedStream) or stream._owner is not self:
                raise UsageError(f"{stream!r} is not a stream that was opened here")
        parts = parts_of(frames, timestamps, timestamps_ns, first_frame)
        return Sending((stream._protocol, part) for stream, part in parts)


class Opening:
    """How long the opening of streams may take: as long as the server goes on answering.

    Args:
        members: What is being opened.
        protocol: What they belong to.
        timeout: Seconds that the server may be silent.

    Attributes:
        is_late: It was silent for longer.
    """

    def __init__(
        self,
        members: list[MemberProtocol[BaseSharedStream]],
        protocol: ManyProtocol[BaseSharedStream],
        timeout: float,
    ) -> None:
        self._left = members
        self._protocol = protocol
        self._timeout = timeout
        self.is_late = False
        self._answers = protocol.answers
        self._until = time.monotonic() + timeout

    def decided(self) -> bool:
        """Whether it is known of each stream if it could be opened."""
        self._left = [member for member in self._left if not member.decided_opening]
        return not self._left

    def left_s(self) -> float:
        """Seconds to wait at most; at 0 what is left could not be opened."""
        if self._answers != self._protocol.answers:
            self._answers, self._until = self._protocol.answers, time.monotonic() + self._timeout
        left = self._until - time.monotonic()
        if left > 0:
            return left
        self.is_late = True
        self.give_up(Timeout(f"the server did not open the stream in {self._timeout:g} s"))
        return 0.0

    def give_up(self, error: Timeout | None = None) -> None:
        """What is left is not to be opened."""
        for member in self._left:
            if not member.decided_opening:
                self._protocol.give_up(member, error)
