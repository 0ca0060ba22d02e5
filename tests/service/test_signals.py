"""A server process ends well when it is asked to, also in event loops that know no signals, as those of Windows."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

PROCESS = """
import asyncio, signal, sys
from kineseg_service.signals import end_signals

class WithoutSignals(asyncio.SelectorEventLoop):
    def add_signal_handler(self, *_):
        raise NotImplementedError

def handlers():
    return [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]

async def main():
    before = handlers()
    with end_signals() as asked:
        print("ready", flush=True)
        await asked.wait()
    return handlers() == before

# What starts it may ignore them, as a shell does for what it puts in the background.
signal.signal(signal.SIGTERM, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)
before = handlers()
with asyncio.Runner(loop_factory={"usual": None, "without": WithoutSignals}[sys.argv[1]]) as runner:
    at_once = runner.run(main())
# A loop with handlers of its own gives them up when it closes.
print(at_once if sys.argv[1] == "without" else handlers() == before)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no signals to other processes")
@pytest.mark.parametrize("loop", ["usual", "without"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_loop_that_waits_wakes_up_and_leaves_the_handlers_as_they_were(loop: str, number: signal.Signals) -> None:
    command = [sys.executable, "-c", PROCESS, loop]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        out, errors = process.communicate(timeout=300)
    assert (process.returncode, errors) == (0, "")
    assert out == "True\n"
