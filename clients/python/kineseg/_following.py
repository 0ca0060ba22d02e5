"""What follows when a call of a stream, or of many, has ended: another one, at which server and when; or it is over."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import grpc

from kineseg._base_stream import CallSettings
from kineseg._errors import Internal, KinesegError
from kineseg._resume import Outage

BROKEN = "INTERNAL"
"""The reason of the SDK's own faults: another call would meet them, too."""


class Followed(Protocol):
    """What goes on from call to call. Where a call is said, nothing is done once another one has followed it."""

    outage: Outage | None

    @property
    def over(self) -> bool:
        """Whether nothing more will come."""

    @property
    def resumes(self) -> bool:
        """Whether another call can go on with what this one has begun."""

    def begin_call(self) -> int:
        """Another call is made; the number that it goes by here."""

    def request_ready(self, call: int) -> bool:
        """Whether `next_request` has an answer."""

    def next_request(self, call: int) -> Any:
        """The next message to send in a call; none: nothing more is sent in it."""

    def receive(self, response: Any, call: int) -> None:
        """A message has come in a call."""

    def broke(self, failure: KinesegError | None, call: int) -> Outage | None:
        """A call has ended, or an attempt to make another; the outage in which to make one. None: it is over."""

    def next_attempt_s(self) -> float | None:
        """Seconds to wait before another call is made; None: it is over."""

    def finish(self, error: KinesegError | None, call: int | None = None) -> None:
        """It is over; `error` says why unless it ended well."""


class Following:
    """Decides it, after each call.

    Args:
        followed: What goes on.
        settings: What is known of the client.
    """

    def __init__(self, followed: Followed, settings: CallSettings) -> None:
        self._followed = followed
        self._settings = settings
        self._address = settings.address()
        self._outage: Outage | None = None
        self._moves = False

    def wait_s(self, failure: KinesegError | None, call: int) -> float | None:
        """A call has ended so, or could not be made; seconds to wait before another one. None: it is over."""
        # A connection that broke may be made anew; a server that has said why it does not go on would say so again.
        self._moves = self._followed.outage is not None or (failure is not None and failure.reason != "")
        self._outage = self._followed.broke(failure, call)
        return None if self._outage is None else self._followed.next_attempt_s()

    def patience_s(self) -> float:
        """Another call is made, to who is asked from now on; seconds to wait for the first answer."""
        assert self._outage is not None
        if self._moves:
            self._settings.move_on(self._address)
        self._address = self._settings.address()
        return self._outage.patience_s(self._settings.limits.stall_s, self._settings.timeout)


def failure_of(error: Exception, describe: Callable[[grpc.RpcError], KinesegError]) -> KinesegError:
    """How a call ended in whose reading this was raised; whatever it is, the callers must not wait for ever.

    Args:
        error: That.
        describe: The SDK's error for gRPC's.
    """
    if isinstance(error, grpc.RpcError):
        return describe(error)
    if isinstance(error, Internal):  # what came is not what the contract says may come
        error.reason = error.reason or BROKEN
    if isinstance(error, KinesegError):
        return error
    failure = Internal(f"reading failed: {error!r}", reason=BROKEN)
    failure.__cause__ = error
    return failure
