"""Turns on a wheel: each has its own about every so often, not too soon, and no longer once it is off."""

from __future__ import annotations

import asyncio
from collections import Counter
from functools import partial

from kineseg_service.streams.wheel import Wheel


def test_all_have_their_turns_and_many_have_theirs_together() -> None:
    turns, rounds = Counter[int](), list[set[int]]()

    async def go() -> None:
        loop, wheel, enough = asyncio.get_running_loop(), Wheel(0.2), asyncio.Event()
        goes_on = False

        def over() -> None:
            nonlocal goes_on
            goes_on = False

        def turn(number: int) -> None:
            nonlocal goes_on
            if not goes_on:
                goes_on = True
                rounds.append(set())
                loop.call_soon(over)
            rounds[-1].add(number)
            turns[number] += 1
            if len(turns) == 320 and min(turns.values()) == 3:
                enough.set()

        of_all = [partial(turn, number) for number in range(320)]
        for each in of_all:
            wheel.add(each)
        await asyncio.wait_for(enough.wait(), 60)
        for each in of_all:
            wheel.remove(each)
        before = turns.copy()
        await asyncio.sleep(0.3)
        assert turns == before

    asyncio.run(go())
    assert max(turns.values()) <= min(turns.values()) + 1
    assert {len(each) for each in rounds} == {10}


def test_one_that_fails_or_leaves_in_its_turn_holds_up_no_other() -> None:
    async def go() -> None:
        wheel, came, both = Wheel(0.05), Counter[str](), asyncio.Event()

        def fails() -> None:
            came["fails"] += 1
            raise RuntimeError("it has a fault")

        def leaves() -> None:
            came["leaves"] += 1
            wheel.remove(leaves)

        def goes_on() -> None:
            came["goes on"] += 1
            if came["goes on"] > 2 and came["fails"] > 2:
                both.set()

        for each in (fails, leaves, goes_on):
            wheel.add(each)
        await asyncio.wait_for(both.wait(), 60)
        assert came["leaves"] == 1

    asyncio.run(go())
