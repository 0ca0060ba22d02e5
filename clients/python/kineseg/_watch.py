"""The synchronous watch: events of many sessions."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Self

import grpc

from kineseg import _wire as wire
from kineseg._base_stream import CallSettings
from kineseg._errors import ClientClosed, KinesegError, Timeout
from kineseg._events import WatchedEvent
from kineseg._retry import delays
from kineseg.v1 import segmentation_pb2 as pb


class Watch(Iterator[WatchedEvent]):
    """Events of many sessions as they are decided; made by `Client.watch`, and subscribed from then on.

    Iteration ends when the watch is closed, and raises the error if the call ends otherwise. Leaving it closes it.
    """

    def __init__(
        self, connect: Callable[[], grpc._CallIterator[pb.WatchEventsResponse]], settings: CallSettings
    ) -> None:
        self._settings = settings
        self._closed = False
        for delay in (*delays(settings.retries), None):
            try:
                self._call = self._subscribed(connect)
                break
            except KinesegError as error:
                if delay is None or not error.retryable:
                    raise
            time.sleep(delay)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __next__(self) -> WatchedEvent:
        try:
            return wire.watched_from_wire(next(self._call))
        except grpc.RpcError as error:
            if self._closed:
                raise StopIteration from None
            self._closed = True
            raise self._settings.error(error) from error

    def close(self) -> None:
        """Stop watching; another thread that waits for the next event stops too."""
        self._closed = True
        self._call.cancel()

    def _subscribed(
        self, connect: Callable[[], grpc._CallIterator[pb.WatchEventsResponse]]
    ) -> grpc._CallIterator[pb.WatchEventsResponse]:
        """A call that the server has answered: it sends its first metadata once it has begun to watch."""
        try:
            call = connect()
        except ValueError as error:  # gRPC's word for a channel that another thread closed
            raise ClientClosed(f"the client was closed: {error}") from error
        begun = threading.Event()

        def wait() -> None:
            call.initial_metadata()
            begun.set()

        # gRPC waits for metadata without a limit, and the call itself must not have one.
        threading.Thread(target=wait, name="kineseg-watch", daemon=True).start()
        try:
            if not begun.wait(self._settings.timeout):
                raise Timeout(f"the server did not begin to watch in {self._settings.timeout:g} s")
        except BaseException:
            call.cancel()
            raise
        if not call.is_active() and call.code() is not grpc.StatusCode.OK:
            raise self._settings.error(call)  # type: ignore[arg-type]  # a call that failed is its own error
        return call
