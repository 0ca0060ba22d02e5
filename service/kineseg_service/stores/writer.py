"""The one thread that talks to a store, so that no one ever waits for it.

Of each stream the newest state is written, and those that wait go together. While the store cannot be reached, they
wait; it is tried again, and whoever wants to know hears when it fails and when it works again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future

from kineseg_service.logs import get_logger, harmless
from kineseg_service.stores.store import Key, Store, StoreFailed, Taken, Write

_log = get_logger(__name__)
_LEAST_PAUSE_S, _LONGEST_PAUSE_S = 0.25, 10.0
# What comes within so long goes together: of a thousand streams 200 states come a second, and in a file a transaction
# costs more than another state.
_GATHER_S = 0.25
MOST_WAITING_BYTES = 512 << 20

Written = Callable[[bool], None]
"""Is called when a state has been written; or, given false, when the stream is another owner's by now."""


def _ignore(fine: bool) -> None:
    """What is done by who need not know."""


def _here(answers: Callable[[], None]) -> None:
    """Where all is done in the writer's thread."""
    answers()


class StoreWriter:
    """Writes to a store, and takes streams over from it.

    Args:
        store: Used by this thread alone.
        on_health: Is called in the thread when the store begins to fail, or to work again.
        answer: Is given there, once a round, what calls all that wait for that; perhaps in another thread.
        most_bytes: So much may wait; what is more is not kept, and is no loss of what was kept before.
    """

    def __init__(
        self,
        store: Store,
        on_health: Callable[[bool], None] = _ignore,
        answer: Callable[[Callable[[], None]], object] = _here,
        most_bytes: int = MOST_WAITING_BYTES,
    ) -> None:
        self._store = store
        self._on_health = on_health
        self._answer = answer
        self._most_bytes = most_bytes
        self._asked = threading.Condition()
        self._waiting: dict[Key, tuple[Write, Written]] = {}
        self._bytes = 0
        self._takes: list[tuple[Key, bytes, Future[Taken | None]]] = []
        self._writes = False  # a round goes on
        self._due = 0.0  # when the next one begins, by `time.monotonic`, if anything waits then
        self._stopping = False
        self._failing = False
        self._thread = threading.Thread(target=self._run, name="kineseg-store", daemon=True)
        self._thread.start()

    @property
    def failing(self) -> bool:
        """Whether the store did not work when it was tried last."""
        return self._failing

    @property
    def waiting(self) -> int:
        """How many states wait to be written."""
        return len(self._waiting)

    def put(self, write: Write, written: Written = _ignore, *, at_once: bool = False) -> bool:
        """Has a state written in place of the one before, soon; false: too much waits already. For any thread.

        Args:
            write: What.
            written: Is called when it has been, or cannot be; see `answer`.
            at_once: Without waiting for what else may come.
        """
        size = len(write.data or b"")
        with self._asked:
            before = self._waiting.get(write.key)
            own = len(before[0].data or b"") if before else 0
            if size and self._bytes - own + size > self._most_bytes:
                return False
            if before is not None and before[0].generation > write.generation:
                return True  # the newer owner is this server, too
            is_first = not self._waiting
            self._waiting[write.key] = write, written
            self._bytes += size - own
            if at_once:
                self._hurry()
            elif is_first:
                self._asked.notify_all()
        return True

    def take(self, key: Key, proof: bytes) -> Future[Taken | None]:
        """Takes a stream over, see `Store.take`; what waits to be written of it is written first. For any thread."""
        future: Future[Taken | None] = Future()
        with self._asked:
            if self._stopping:
                future.set_exception(StoreFailed("the server is shutting down"))
            else:
                self._takes.append((key, proof, future))
                self._asked.notify_all()
        return future

    def flush(self, timeout_s: float) -> bool:
        """Waits until nothing waits to be written; false: it still does."""
        with self._asked:
            self._hurry()
            return self._asked.wait_for(lambda: not (self._writes or self._waiting), timeout_s)

    def stop(self, timeout_s: float) -> None:
        """Writes what waits, for so long at most, and lets go of the store."""
        self.flush(timeout_s)
        with self._asked:
            self._stopping = True
            self._asked.notify_all()
        self._thread.join(timeout_s + _LEAST_PAUSE_S)

    def _hurry(self) -> None:
        """The next round is due now; but a store that fails is left alone for its while."""
        if not self._failing:
            self._due = 0.0
        self._asked.notify_all()

    # The thread.

    def _run(self) -> None:
        pause_s = 0.0
        while self._wait():
            fine = self._round()
            pause_s = 0.0 if fine else min(max(_LEAST_PAUSE_S, 2.0 * pause_s), _LONGEST_PAUSE_S)
            with self._asked:
                self._writes = False
                if not fine:
                    self._due = time.monotonic() + pause_s
                self._asked.notify_all()
        with harmless("store"):
            self._store.close()

    def _wait(self) -> bool:
        """Until the next round is due, for which something waits, or someone takes a stream; false: there is none."""
        with self._asked:
            while not self._stopping:
                wait_s = self._due - time.monotonic()
                if self._takes or (self._waiting and wait_s <= 0.0):
                    return True
                self._asked.wait(wait_s if self._waiting else None)
            for *_, future in self._takes:
                future.set_exception(StoreFailed("the server is shutting down"))
            return False

    def _round(self) -> bool:
        """Writes all that waits, and takes over what is to be; whether the store works."""
        with self._asked:
            some, self._waiting, self._bytes = self._waiting, {}, 0
            takes, self._takes = self._takes, []
            self._writes, self._due = True, time.monotonic() + _GATHER_S
        fine = self._write(some)
        for key, proof, future in takes:
            fine &= self._take(key, proof, future)
        return fine

    def _write(self, some: dict[Key, tuple[Write, Written]]) -> bool:
        if not some:
            return True
        try:
            fenced = self._store.write([write for write, _ in some.values()])
        except Exception as error:
            self._fails(error)
            with self._asked:
                for key, entry in some.items():
                    if key not in self._waiting:
                        self._waiting[key] = entry
                        self._bytes += len(entry[0].data or b"")
            return False
        self._works()
        with harmless("store"):
            self._answer(lambda: _say([(written, key not in fenced) for key, (_, written) in some.items()]))
        return True

    def _take(self, key: Key, proof: bytes, future: Future[Taken | None]) -> bool:
        if not future.set_running_or_notify_cancel():
            return True
        try:
            taken = self._store.take(key, proof)
        except Exception as error:
            self._fails(error)
            future.set_exception(error if isinstance(error, StoreFailed) else StoreFailed(str(error)))
            return False
        self._works()
        future.set_result(taken)
        return True

    def _fails(self, error: Exception) -> None:
        if not self._failing:
            self._failing = True
            _log.error("the store fails: streams go on, but would not outlive this server", error=str(error))
            with harmless("store"):
                self._on_health(False)

    def _works(self) -> None:
        if self._failing:
            self._failing = False
            _log.info("the store works again", store=self._store.name)
            with harmless("store"):
                self._on_health(True)


def _say(answers: list[tuple[Written, bool]]) -> None:
    for written, fine in answers:
        with harmless("store"):
            written(fine)
