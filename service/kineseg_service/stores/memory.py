"""A store in the memory of this process, which ends with it: for servers that others never take over from."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Sequence
from time import monotonic

from kineseg_service.stores.store import Key, Taken, Write


class MemoryStore:
    """See `Store`.

    Args:
        clock: Gives seconds that pass.
    """

    name = "memory"

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._kept: dict[Key, tuple[int, bytes, bytes | memoryview | None, float]] = {}

    def write(self, writes: Sequence[Write]) -> set[Key]:
        """See `Store`."""
        now = self._clock()
        for key in [key for key, (*_, until) in self._kept.items() if until <= now]:
            del self._kept[key]
        fenced = set()
        for write in writes:
            known = self._kept.get(write.key)
            if known is not None and known[0] > write.generation:
                fenced.add(write.key)
            else:
                self._kept[write.key] = write.generation, write.proof, write.data, now + write.keep_s
        return fenced

    def take(self, key: Key, proof: bytes) -> Taken | None:
        """See `Store`."""
        generation, wanted, data, until = self._kept.get(key, (0, b"", None, 0.0))
        if data is None or until <= self._clock() or not hmac.compare_digest(wanted, proof):
            return None
        self._kept[key] = generation + 1, wanted, data, until
        return Taken(generation + 1, bytes(data))

    def close(self) -> None:
        """See `Store`."""
        self._kept.clear()
