"""The synchronous watch: events of many sessions."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, Self

import grpc

from kineseg._base_stream import CallSettings
from kineseg._errors import ClientClosed, KinesegError, Timeout
from kineseg._events import WatchedEvent
from kineseg._resuming import may_go_on, may_pass
from kineseg._retry import Tries, delays, delays_for
from kineseg._watch_position import WatchPosition
from kineseg.v1 import segmentation_pb2 as pb

Connect = Callable[[pb.WatchEventsRequest], "grpc._CallIterator[pb.WatchEventsResponse]"]


class Watch(Iterator[WatchedEvent]):
    """Events of many sessions as they are decided; made by `Client.watch`, and subscribed from then on.

    Iteration ends when the watch is closed or the server shuts down, and raises the error if the call ends otherwise.
    Leaving it closes it.
    """

    def __init__(
        self, connect: Connect, request: pb.WatchEventsRequest, settings: CallSettings, *, resume: bool
    ) -> None:
        self._connect = connect
        self._settings = settings
        self._resume = resume
        self._position = WatchPosition(request)
        self._closed = False
        self._call: grpc._CallIterator[pb.WatchEventsResponse] | None = None
        self._subscribe(delays(settings.retries), may_pass)

    @property
    def cursor(self) -> str:
        """Where it goes on, for another watch; empty if the server keeps no events."""
        return self._position.cursor

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __next__(self) -> WatchedEvent:
        while True:
            assert self._call is not None  # subscribed
            try:
                watched = self._position.receive(next(self._call))
            except grpc.RpcError as error:
                self._go_on(error)
                continue
            if watched is not None:
                return watched

    def close(self) -> None:
        """Stop watching; another thread that waits for the next event stops too."""
        self._closed = True
        if self._call is not None:
            self._call.cancel()

    def _go_on(self, ended: grpc.RpcError) -> None:
        """The call has ended: connects again if that is worth while, and raises what ended it otherwise."""
        if self._closed:
            raise StopIteration from None
        error = self._settings.error(ended)
        try:
            if not (self._resume and self.cursor and may_go_on(error)):
                raise error from ended
            self._subscribe(delays_for(self._settings.limits.reconnect_s), may_go_on)
        except BaseException:
            was_closed, self._closed = self._closed, True
            if was_closed:
                raise StopIteration from None
            raise

    def _subscribe(self, waits: Iterator[float], worth_another: Callable[[KinesegError], bool]) -> None:
        tries = Tries(waits, self._settings, lambda error: not self._closed and worth_another(error))
        while True:
            with tries:
                call = self._call = self._subscribed()
                break
            time.sleep(tries.wait_s)
        if self._closed:
            call.cancel()

    def _subscribed(self) -> grpc._CallIterator[pb.WatchEventsResponse]:
        """A call that the server has answered: it sends its first metadata once it has begun to watch."""
        try:
            call = self._connect(self._position.request())
        except ValueError as error:  # gRPC's word for a channel that another thread closed
            raise ClientClosed(f"the client was closed: {error}") from error
        begun = threading.Event()
        metadata: list[Any] = []

        def wait() -> None:
            metadata.extend(call.initial_metadata() or ())
            begun.set()

        # gRPC waits for metadata without a limit, and the call itself must not have one.
        threading.Thread(target=wait, name="kineseg-watch", daemon=True).start()
        try:
            if not begun.wait(self._settings.timeout):
                self._settings.renew(call)
                raise Timeout(f"the server did not begin to watch in {self._settings.timeout:g} s")
        except BaseException:
            call.cancel()
            raise
        if not call.is_active() and call.code() is not grpc.StatusCode.OK:
            raise self._settings.error(call)  # type: ignore[arg-type]  # a call that failed is its own error
        self._position.begin(metadata)
        return call
