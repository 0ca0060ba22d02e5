"""Many streams that are opened, end or are left in the same moment: a chunk of another goes through in between.

A server is stopped at the first of them until all others, and the chunk, have come.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest
from kineseg_core.opening import Opener
from kineseg_core.session import Session
from kineseg_service.streams.live import LiveStreams
from kineseg_service.streams.together import Together

from tests.service.conftest import Serve
from tests.service.talk import Call, Stub, chunk, config, motion, until
from tests.service.talk_many import Many, opens

STREAMS = 40
FEW = 20
FRAMES = motion(30)
NUMBERS = range(1, STREAMS + 1)


class Order:
    """What the server has done, in order, from when it is to stop at the next of that."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self._stops = False
        self._stopped, self._goes_on = threading.Event(), threading.Event()

    def begin(self) -> None:
        self.seen.clear()
        self._stopped.clear()
        self._goes_on.clear()
        self._stops = True

    def saw(self, what: str) -> None:
        if self._stops and what != "chunk":
            self._stops = False
            self._stopped.set()
            assert self._goes_on.wait(60.0)
        self.seen.append(what)

    def go_on(self) -> None:
        """Once it has stopped, and what has been sent by now has come."""
        assert self._stopped.wait(60.0)
        time.sleep(2.0)  # there is nothing to see it by
        self._goes_on.set()

    @property
    def before_the_chunk(self) -> int:
        until(lambda: "chunk" in self.seen, "the chunk goes through")
        return self.seen.index("chunk")


@pytest.fixture
def order(monkeypatch: pytest.MonkeyPatch) -> Order:
    order = Order()

    def see(kind: type, name: str, what: str) -> None:
        real: Callable[..., object] = getattr(kind, name)

        def seen(self: object, *args: object) -> object:
            order.saw(what)
            return real(self, *args)

        monkeypatch.setattr(kind, name, seen)

    see(Opener, "session", "opened")
    see(Session, "end", "ended")
    see(LiveStreams, "close", "left")
    see(Together, "take", "chunk")  # and hands it to the engine
    return order


@pytest.fixture(scope="module")
def stub(serve: Serve) -> Iterator[Stub]:
    with serve() as (_, stub):
        yield stub


@pytest.fixture
def other(stub: Stub) -> Iterator[Call]:
    """A stream that is open already."""
    call = Call(stub, config())
    call.opened()
    call.send(chunk(0, FRAMES[:5]))
    call.read_ack()
    yield call
    call.half_close()
    call.rest()


def test_opened_by_calls_of_their_own(stub: Stub, order: Order, other: Call) -> None:
    calls = [Call(stub, None) for _ in range(STREAMS)]
    order.begin()
    for call in calls:
        call.send(config())
    other.send(chunk(5, FRAMES[5:10]))
    order.go_on()
    assert order.before_the_chunk <= FEW
    for call in calls:
        call.opened()
        call.half_close()
        call.rest()


@pytest.mark.parametrize("fields", [{}, {"model": "unknown"}], ids=["opened", "refused"])
def test_asked_for_by_one_call(stub: Stub, order: Order, other: Call, fields: dict[str, object]) -> None:
    order.begin()
    many = Many(stub, opens(*NUMBERS, **fields))  # type: ignore[arg-type]
    other.send(chunk(5, FRAMES[5:10]))
    order.go_on()
    assert order.before_the_chunk <= FEW
    many.until_opened(*NUMBERS)
    many.finish()


@pytest.mark.parametrize("leave", [Call.cancel, Call.half_close])
def test_calls_of_their_own_are_over(stub: Stub, order: Order, other: Call, leave: Callable[[Call], None]) -> None:
    calls = [Call(stub, config()) for _ in range(STREAMS)]
    for call in calls:
        call.opened()
    order.begin()
    for call in calls:
        leave(call)
    other.send(chunk(5, FRAMES[5:10]))
    order.go_on()
    assert order.before_the_chunk <= FEW
    for call in calls:
        call.rest()
    until(lambda: order.seen.count("left") == STREAMS, "all are left")


@pytest.mark.parametrize("leave", [Many.cancel, Many.half_close])
def test_a_call_of_many_is_over(stub: Stub, order: Order, other: Call, leave: Callable[[Many], None]) -> None:
    many = Many(stub, opens(*NUMBERS))
    many.until_opened(*NUMBERS)
    order.begin()
    leave(many)
    other.send(chunk(5, FRAMES[5:10]))
    order.go_on()
    assert order.before_the_chunk <= FEW
    until(lambda: order.seen.count("left") == STREAMS, "all are left")
