"""Who makes trouble leaves the cores to the others, and what is compared goes before what else runs."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys

import pytest

from evaluation.chaos.beside import going_on
from evaluation.chaos.first import before_others

pytestmark = pytest.mark.skipif(not hasattr(os, "SCHED_IDLE"), reason="of Linux")


def test_trouble_is_made_when_no_one_else_has_something_to_do() -> None:
    seen = []

    async def work(stop: asyncio.Event) -> None:
        seen.append(os.sched_getscheduler(0))
        await stop.wait()

    with going_on(work):
        pass
    assert seen == [os.SCHED_IDLE]
    assert os.sched_getscheduler(0) != os.SCHED_IDLE


def test_what_is_started_first_goes_first_where_it_may() -> None:
    policy = os.sched_getscheduler(0)
    with before_others() as first:
        asked = [sys.executable, "-c", "import os; print(os.sched_getscheduler(0))"]
        started = int(subprocess.run(asked, capture_output=True, text=True, check=True).stdout)
        assert started == (os.SCHED_FIFO if first else policy)
    assert os.sched_getscheduler(0) == policy
