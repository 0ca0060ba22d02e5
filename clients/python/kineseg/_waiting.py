"""How threads wait for a call: until something has come of it, or its server has been silent for too long."""

from __future__ import annotations

import sys
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable

from kineseg._base_stream import CallSettings, Cancellable

# On Windows a thread that waits hears of Ctrl-C only when it has waited (Python before 3.14).
LONGEST_WAIT_S = 0.5 if sys.platform == "win32" else threading.TIMEOUT_MAX


class Waiting(ABC):
    """A part of what has a call, for threads.

    Attributes:
        _settings: What is known of the client.
        _call: The call, once there is one.
        _arrived: Callers wait for what the reader brings.
        _queued: The sending thread waits for what callers queue; of the same lock.
    """

    _settings: CallSettings
    _call: Cancellable | None
    _arrived: threading.Condition
    _queued: threading.Condition

    def _wait(self, ready: Callable[[], bool], timeout: float = threading.TIMEOUT_MAX) -> None:
        until = time.monotonic() + timeout
        while not ready() and (left := until - time.monotonic()) > 0:
            self._queued.notify_all()
            self._arrived.wait(min(self._give_up_silent(), left, LONGEST_WAIT_S))

    def _give_up_silent(self) -> float:
        """Seconds to wait at most for the server; a call whose server has been silent for too long is over."""
        left = self._left_s()
        if left == 0.0:
            self._arrived.notify_all()
            self._queued.notify_all()
            if self._call is not None:
                self._settings.abandon(self._call)
        return left

    @abstractmethod
    def _left_s(self) -> float:
        """How long the server may go on being silent, see `Silence.left`."""
