"""When it is worth while to connect again and go on."""

from __future__ import annotations

from kineseg._errors import Cancelled, ClientClosed, Internal, KinesegError, Timeout, Unavailable

# What a server says that is going, or has lost its store; another one may go on in its place, or it itself later.
_GOING = {"SERVER_LOADING", "SERVER_DRAINING", "SERVER_FAILED", "STORE_UNREACHABLE"}


def may_pass(error: KinesegError) -> bool:
    """Whether the same may succeed later."""
    return error.retryable


def may_go_on(error: KinesegError) -> bool:
    """Whether a call that ended so may be gone on with by another one: its connection broke, or its server went away.

    What a kineseg server says has a reason; what has none comes from the transport, or from a proxy.
    """
    if isinstance(error, ClientClosed):
        return False
    if error.reason:
        return error.reason in _GOING
    return isinstance(error, Unavailable | Cancelled | Internal | Timeout)


def is_silence(error: KinesegError) -> bool:
    """Whether no one answered in time: no server said so."""
    return isinstance(error, Timeout) and not error.reason
