"""The connections of a client: another one takes the place of one on which no answer has come in time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar
from weakref import WeakSet

Channel = TypeVar("Channel", bound=Hashable)
Call = TypeVar("Call", bound=Hashable)


class Connections(Generic[Channel, Call]):
    """A channel to each address, and those before it that calls still go by.

    A network may lose a connection so that neither end hears of it: gRPC goes on with it for as long as its keepalive
    takes, and each call on it waits in vain. A channel has one connection; so who waited in vain gets another channel.
    Calls that go well by the one before it keep that, and gRPC ends it when nothing holds it any more.

    Args:
        make: Makes a channel to an address.
    """

    def __init__(self, make: Callable[[str], Channel]) -> None:
        self._make = make
        self._current: dict[str, Channel] = {}
        self._calls: dict[Call, Channel] = {}  # that live, and what they go by
        self._made: WeakSet[Channel] = WeakSet()
        self._lock = threading.Lock()

    def to(self, address: str) -> Channel:
        """What the next call to an address goes by."""
        with self._lock:
            channel = self._current.get(address)
            if channel is None:
                channel = self._current[address] = self._make(address)
                self._made.add(channel)
            return channel

    def begins(self, call: Call, channel: Channel) -> None:
        """A call goes by that channel."""
        with self._lock:
            self._calls[call] = channel

    def ends(self, call: Call) -> None:
        """It does no more."""
        with self._lock:
            channel = self._calls.pop(call, None)
        del channel  # perhaps the last that held it, and what gRPC does then need not wait for others

    def renew(self, channel: Channel) -> None:
        """No answer has come by it in time: calls that begin from now on go by another one."""
        with self._lock:
            self._current = {address: other for address, other in self._current.items() if other is not channel}

    def renew_for(self, call: Call) -> None:
        """The same of what a call goes by."""
        with self._lock:
            channel = self._calls.get(call)
        if channel is not None:
            self.renew(channel)

    def calls(self) -> list[Call]:
        """Those that live."""
        with self._lock:
            return list(self._calls)

    def forget(self) -> list[Channel]:
        """Forgets all channels, which are to be closed."""
        with self._lock:
            self._current.clear()
            return list(self._made)
