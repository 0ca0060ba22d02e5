"""A relay in a process of its own, which may be killed: events on standard input, and what it has taken on its output.

python -m tests.sinks.relay_process SPOOL URL...
"""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from kineseg.sinks import Relay, SinkEvent, open_sink

PATIENCE_S = 300.0


class RelayProcess:
    """A process with a relay, fed from a list as from a log: from its cursor on.

    Args:
        spool: Its file.
        urls: Its sinks.
    """

    def __init__(self, spool: Path, urls: Sequence[str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.sinks.relay_process", str(spool), *urls],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        self.taken = self._answer()

    def feed(self, events: Sequence[SinkEvent]) -> None:
        """Give it those that it has not taken yet; it has them when this returns."""
        assert self._process.stdin is not None
        for event in events[self.taken :]:
            self._process.stdin.write(event.json + "\n")
        while self.taken < len(events):
            self.taken = self._answer()

    def feed_and_kill(self, events: Sequence[SinkEvent]) -> None:
        """Give them to it, and kill it when it has taken some of them."""
        half = self.taken + (len(events) - self.taken) // 2
        self.feed(events[:half])
        assert self._process.stdin is not None
        self._process.stdin.write("".join(event.json + "\n" for event in events[half:]))
        self.kill()

    def kill(self) -> None:
        self._process.kill()
        self._wait()

    def _wait(self) -> int:
        status = self._process.wait(PATIENCE_S)
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            with contextlib.suppress(BrokenPipeError):
                pipe.close()
        return status

    def end(self) -> None:
        """No more events: it delivers what waits, and ends."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        assert self._wait() == 0

    def _answer(self) -> int:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the relay has ended"
        return int(line)


async def main(spool: str, urls: list[str]) -> None:
    loop = asyncio.get_running_loop()
    sinks = [open_sink(url) for url in urls]
    async with Relay(sinks, Path(spool), lambda what: print(what, file=sys.stderr), grace_s=PATIENCE_S) as relay:
        taken = int(relay.cursor or "0")
        print(taken, flush=True)
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            taken += 1
            relay.take([SinkEvent.from_json(line)], str(taken))
            print(taken, flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2:]))
