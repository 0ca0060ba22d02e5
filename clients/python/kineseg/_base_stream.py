"""What the synchronous and the asynchronous stream share: what can be asked of a stream at any time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import grpc

from kineseg._config import Limits, StreamConfig
from kineseg._errors import KinesegError, StreamClosed
from kineseg._events import Summary
from kineseg._info import Opened
from kineseg._protocol import StreamProtocol
from kineseg._retry import Tries, delays
from kineseg._silence import Silence
from kineseg._stream_life import StreamLife, StreamState


class Cancellable(Protocol):
    """A call."""

    def cancel(self) -> object:
        """Ends it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallSettings:
    """What a stream needs to know of its client.

    Attributes:
        timeout: Seconds that opening may take.
        retries: How often opening is tried again.
        limits: How much may be under way or unread.
        error: The SDK's error for gRPC's.
        is_closed: Whether the client was closed.
        addresses: How many servers there are to ask.
        address: The one that is asked now.
        move_on: If that is the one given, the next one is asked from now on.
        renew: No answer has come to a call in time: others go by another connection from now on.
    """

    timeout: float
    retries: int
    limits: Limits
    error: Callable[[grpc.RpcError], KinesegError]
    is_closed: Callable[[], bool]
    addresses: int = 1
    address: Callable[[], str] = lambda: ""
    move_on: Callable[[str], None] = lambda address: None
    renew: Callable[[Any], None] = lambda call: None

    def tries(self) -> Tries:
        """Those of one opening."""
        return Tries(delays(self.retries), self)

    def abandon(self, call: Cancellable) -> None:
        """Ends a call whose server has been silent for too long: its connection may be dead without a word."""
        self.renew(call)
        call.cancel()


class StreamView:
    """What can be asked of a stream at any time, whatever carries it."""

    _protocol: StreamLife

    @property
    def config(self) -> StreamConfig:
        """What was asked for."""
        return self._protocol.config

    @property
    def state(self) -> StreamState:
        """Where the stream stands."""
        return self._protocol.state

    @property
    def opened(self) -> Opened:
        """What the server said when it opened the stream.

        Raises:
            StreamClosed: It has not.
        """
        if self._protocol.opened is None:
            raise StreamClosed("the stream is not open: enter it with `with` (or `async with`), or call open()")
        return self._protocol.opened

    @property
    def stream_id(self) -> str:
        """The stream's id; raises what `opened` raises."""
        return self.opened.stream_id

    @property
    def session_id(self) -> str:
        """Name of the session; raises what `opened` raises."""
        return self.opened.session_id

    @property
    def summary(self) -> Summary | None:
        """The last event, once it has arrived, read or not."""
        return self._protocol.summary

    @property
    def profile(self) -> dict[str, Any] | None:
        """What the stream has taught about its source, for `StreamConfig.profile` of the next one.

        Plain values, for ``json.dump``. None before the stream's end, and without `StreamConfig.return_profile`.
        """
        return self._protocol.profile

    @property
    def error(self) -> KinesegError | None:
        """What ended the stream, if it failed."""
        return self._protocol.error

    @property
    def away_s(self) -> float:
        """For how many seconds there has been no connection, which is made anew; 0 where there is one."""
        protocol = self._protocol
        return 0.0 if protocol.outage is None or protocol.over else protocol.outage.away_s

    @property
    def frames_sent(self) -> int:
        """Index after the last frame that `send` has taken."""
        return self._protocol.frames_sent

    @property
    def frames_processed(self) -> int:
        """Index after the last frame that the server has acknowledged: what came before it has been processed."""
        return self._protocol.frames_processed

    def __repr__(self) -> str:
        name = self._protocol.opened.session_id if self._protocol.opened else self.config.session_id
        return f"<{type(self).__name__} {name or 'unnamed'} ({self.state.value}, {self.frames_sent} frames sent)>"


class BaseStream(StreamView):
    """One stream with a call of its own; made by a client's ``stream()``."""

    _protocol: StreamProtocol

    def __init__(self, config: StreamConfig, settings: CallSettings) -> None:
        self._settings = settings
        self._begun = False
        self._protocol = StreamProtocol(config, settings.limits, settings.addresses)
        self._silence = Silence(settings.limits)

    def _left_s(self) -> float:
        return self._silence.left(self._protocol)

    def _begin(self) -> None:
        if self._begun:
            raise StreamClosed(f"a stream is opened once, and this one is {self.state.value}")
        self._begun = True

    def _new_attempt(self) -> StreamProtocol:
        self._protocol = StreamProtocol(self.config, self._settings.limits, self._settings.addresses)
        self._protocol.start()
        return self._protocol
