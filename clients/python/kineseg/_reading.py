"""How threads send and read calls, one after the other, for as long as another one follows."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import grpc

from kineseg._errors import ClientClosed, KinesegError
from kineseg._following import Followed, Following, failure_of
from kineseg._waiting import Waiting

AnyCall: TypeAlias = "grpc._CallIterator[Any]"


class Reading(Waiting):
    """A part of what has calls, for threads.

    Attributes:
        _connect: Makes a call in which these messages are sent.
    """

    _connect: Callable[[Iterator[Any]], AnyCall]
    _call: AnyCall | None

    def _begin_reading(self, followed: Followed) -> threading.Thread:
        """Makes a call; what reads it, and those that follow it."""
        number = followed.begin_call()
        call = self._call_of(followed, number)
        reader = threading.Thread(
            target=self._receive, args=(followed, number, call), name="kineseg-reader", daemon=True
        )
        reader.start()
        return reader

    def _call_of(self, followed: Followed, number: int) -> AnyCall:
        call = self._call = self._connect(self._requests(followed, number))
        return call

    def _end_call(self) -> None:
        if self._call is not None:
            self._call.cancel()

    def _end_call_soon(self, in_s: float) -> None:
        """The server ends the call when it has heard that all is given up; but not if it never does."""
        timer = threading.Timer(in_s, self._end_call)
        timer.daemon = True
        timer.start()

    def _ask_again(self, number: int) -> float | None:
        """Something may be due to be asked for again; seconds after which it may be next, if ever."""
        return None

    def _requests(self, followed: Followed, number: int) -> Iterator[Any]:
        """What gRPC's thread sends in a call."""
        while True:
            with self._queued:
                while True:
                    wait_s = self._ask_again(number)
                    if followed.request_ready(number):
                        break
                    self._queued.wait(wait_s)
                request = followed.next_request(number)
            if request is None:
                return
            yield request

    def _receive(self, followed: Followed, number: int, call: AnyCall) -> None:
        """What the reader's thread does."""
        following = Following(followed, self._settings)
        failure = self._read(followed, number, call)
        while True:
            call.cancel()
            with self._arrived:
                wait_s = following.wait_s(failure, number)
                self._arrived.notify_all()
                self._queued.notify_all()
                if wait_s is None:
                    return
                self._arrived.wait_for(lambda: followed.over, wait_s)
                if followed.over:
                    return
                number = followed.begin_call()
            patience_s = following.patience_s()
            try:
                call = self._call_of(followed, number)
            except (KinesegError, ValueError) as error:  # gRPC's word for a channel that another thread closed
                failure = error if isinstance(error, KinesegError) else ClientClosed()
                continue
            opening = threading.Timer(patience_s, self._settings.abandon, (call,))
            opening.daemon = True
            opening.start()
            failure = self._read(followed, number, call, opening)
            opening.cancel()

    def _read(
        self, followed: Followed, number: int, call: AnyCall, opening: threading.Timer | None = None
    ) -> KinesegError | None:
        """Takes what comes in a call, to its end; how it ended, unless well. The first message cancels `opening`."""
        try:
            for response in call:
                if opening is not None:
                    opening.cancel()
                with self._arrived:
                    followed.receive(response, number)
                    self._arrived.notify_all()
                    self._queued.notify_all()
        except Exception as error:
            return failure_of(error, self._settings.error)
        return None
