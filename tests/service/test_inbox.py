"""What waits for the engine's thread may be done by another in its place, and never by both at a time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Thread

from kineseg_service.scheduler.inbox import Inbox

from tests.service.talk import PATIENCE_S, until


def test_no_one_takes_the_place_of_a_thread_that_does_not_wait() -> None:
    inbox = Inbox()
    assert not inbox.lend()
    inbox.post(lambda: None)
    inbox.wait()
    assert not inbox.lend()


def test_what_is_posted_meanwhile_comes_after_what_another_does_in_the_threads_place() -> None:
    inbox = Inbox()
    with ThreadPoolExecutor(1) as thread:
        waits = thread.submit(inbox.wait)
        until(inbox.lend, "the thread waits")
        assert not inbox.lend()
        inbox.post(lambda: None)
        assert not waits.done()
        inbox.give_back(more=False)
        waits.result(PATIENCE_S)
        assert len(inbox.take() or ()) == 1


def test_a_thread_goes_on_with_what_another_has_left_to_it() -> None:
    inbox = Inbox()
    with ThreadPoolExecutor(1) as thread:
        waits = thread.submit(inbox.wait)
        until(inbox.lend, "the thread waits")
        inbox.give_back(more=True)
        waits.result(PATIENCE_S)
        assert inbox.take() == []


def test_each_of_many_has_its_turn_alone_and_none_is_lost() -> None:
    inbox = Inbox()
    inside, done = [0], [0]

    def act() -> None:
        inside[0] += 1
        assert inside[0] == 1
        done[0] += 1
        inside[0] -= 1

    def serve() -> None:
        while True:
            inbox.wait()
            if (commands := inbox.take()) is None:
                return
            for command in commands:
                command()

    def ask() -> None:
        for _ in range(500):
            if inbox.lend():
                act()
                inbox.give_back(more=False)
            else:
                inbox.post(act)

    server = Thread(target=serve)
    server.start()
    with ThreadPoolExecutor(3) as askers:
        for asked in [askers.submit(ask) for _ in range(3)]:
            asked.result(PATIENCE_S)
    inbox.stop()
    server.join(PATIENCE_S)
    assert done == [1500]


def test_what_is_urgent_ends_the_gathering_and_nothing_else_does() -> None:
    inbox = Inbox()
    with ThreadPoolExecutor(1) as thread:
        gathers = thread.submit(inbox.gather, PATIENCE_S)
        inbox.post(lambda: None)
        assert not gathers.done()
        inbox.post(lambda: None, urgent=True)
        gathers.result(PATIENCE_S / 2)
        assert inbox.urgent
        assert len(inbox.take() or ()) == 2
        assert not inbox.urgent
