"""What other threads want of the engine's, in the order in which they asked."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

Command = Callable[[], None]


class Inbox:
    """Commands for one thread. Any thread may post; one takes, or another one in its place while that waits."""

    def __init__(self) -> None:
        self._commands: deque[Command] = deque()
        self._filled = threading.Condition()
        self._waiting = False
        self._lent = False
        self._more = False
        self._urgent = False
        self._stopping = False
        self._closed = False

    @property
    def urgent(self) -> bool:
        """Something is there that is not to wait."""
        return self._urgent

    def post(self, command: Command, *, urgent: bool = False) -> bool:
        """Queues a command; False when the inbox is closed, so that no one will take it.

        `urgent`: what is there is not left to gather any longer, see `gather`.
        """
        with self._filled:
            if self._closed:
                return False
            self._commands.append(command)
            self._urgent |= urgent
            if urgent or (self._waiting and not self._lent):
                self._filled.notify()
            return True

    def stop(self) -> None:
        """Nothing more is to be waited for: what is there is the last."""
        with self._filled:
            self._stopping = True
            self._filled.notify()

    def wait(self) -> None:
        """Returns once something is there, or nothing more is to be waited for."""
        with self._filled:
            self._waiting = True
            while self._lent or not (self._commands or self._more or self._stopping or self._closed):
                self._filled.wait()
            self._waiting = self._more = False

    def gather(self, most_s: float) -> None:
        """Returns after so many seconds, or once something urgent is there; meanwhile nothing else wakes the caller."""
        with self._filled:
            self._filled.wait_for(lambda: self._urgent or self._stopping or self._closed, most_s)

    def lend(self) -> bool:
        """Lets the caller do what the thread would, if that waits and nothing is there; it waits on until
        `give_back`."""
        with self._filled:
            if not self._waiting or self._lent or self._commands or self._stopping or self._closed:
                return False
            self._lent = True
            return True

    def give_back(self, *, more: bool) -> None:
        """The caller is through with that; `more`: the thread has something to do, even if nothing is there."""
        with self._filled:
            self._lent, self._more = False, more
            if more or self._commands or self._stopping or self._closed:
                self._filled.notify()

    def take(self) -> list[Command] | None:
        """All that is there; None at the end, once there is nothing left."""
        with self._filled:
            if (self._stopping or self._closed) and not self._commands:
                return None
            commands = list(self._commands)
            self._commands.clear()
            self._urgent = False
            return commands

    def close(self) -> list[Command]:
        """Takes what is there, and lets no one post any more."""
        with self._filled:
            self._closed = True
            commands = list(self._commands)
            self._commands.clear()
            return commands
