"""Events that wait for sinks, in SQLite: what was taken is not lost when this process is, and never waits in vain.

The cursor of where events come from is kept in the same transaction as they are, and what a sink has taken is removed
in one transaction with what stands there. So whatever moment this process is killed at, every event is delivered at
least once. A power cut may undo the last transactions, but all of them from some point on: then some events are
delivered again.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kineseg.sinks.errors import SinkError
from kineseg.sinks.event import SinkEvent
from kineseg.sinks.terms import Terms

_VERSION = 1
_SCHEMA = """
CREATE TABLE place (cursor TEXT NOT NULL);
INSERT INTO place VALUES ('');
CREATE TABLE event (n INTEGER PRIMARY KEY AUTOINCREMENT, body TEXT NOT NULL);
CREATE TABLE waiting (
    sink TEXT NOT NULL, n INTEGER NOT NULL, provisional INTEGER NOT NULL, PRIMARY KEY (sink, n)
) WITHOUT ROWID;
CREATE INDEX waiting_of_event ON waiting (n);
CREATE INDEX provisional_waiting ON waiting (sink, n) WHERE provisional;
CREATE TABLE standing (sink TEXT PRIMARY KEY, state TEXT NOT NULL);
"""
_ROOM = 0.02  # of what may wait is made at once, when there is none


@dataclass(frozen=True, slots=True)
class Waiting:
    """Events that wait for a sink, the oldest first, and their numbers in the spool."""

    numbers: tuple[int, ...]
    events: tuple[SinkEvent, ...]


@dataclass(frozen=True, slots=True)
class Dropped:
    """How many events have made room for others, and how many of them were provisional."""

    events: int
    provisional: int


class Spool:
    """The events that wait. To be used by one thread.

    Args:
        path: The file; made if there is none. None: memory, which is lost with the process.

    Raises:
        SinkError: It is no such file, cannot be written, or another process uses it.
    """

    def __init__(self, path: Path | None) -> None:
        try:
            self._database = sqlite3.connect(path or ":memory:", isolation_level=None, timeout=0.2)
        except sqlite3.OperationalError as error:
            raise SinkError(f"{path}: {error}; name another file, in a folder that is there") from error
        try:
            self._prepare()
        except sqlite3.OperationalError as error:
            self._database.close()
            why = "another process uses it" if "locked" in str(error) else str(error)
            raise SinkError(f"{path}: {why}; name another file") from error
        except sqlite3.DatabaseError as error:
            self._database.close()
            raise SinkError(f"{path}: that is no file of waiting events ({error}); name another one") from error
        self._counts: dict[str, int] = {}
        self._count()

    def _prepare(self) -> None:
        execute = self._database.execute
        execute("PRAGMA locking_mode = EXCLUSIVE")
        execute("PRAGMA journal_mode = WAL")
        execute("PRAGMA synchronous = NORMAL")
        with self._database:
            execute("BEGIN EXCLUSIVE")
            (version,) = execute("PRAGMA user_version").fetchone()
            if not version and execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,):
                for statement in filter(str.strip, _SCHEMA.split(";")):
                    execute(statement)
                execute(f"PRAGMA user_version = {_VERSION}")
            elif version != _VERSION:
                raise sqlite3.DatabaseError(f"its version is {version}, not {_VERSION}")

    def _count(self) -> None:
        self._counts = dict(self._database.execute("SELECT sink, count(*) FROM waiting GROUP BY sink").fetchall())

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        try:
            with self._database:
                self._database.execute("BEGIN")
                yield self._database
        except sqlite3.Error:
            self._count()  # what was counted meanwhile has not happened
            raise

    @property
    def cursor(self) -> str:
        """Where events come from goes on after the last ones that were taken; empty: none were."""
        return str(self._database.execute("SELECT cursor FROM place").fetchone()[0])

    def count(self, sink: str) -> int:
        """How many events wait for a sink."""
        return self._counts.get(sink, 0)

    def names(self) -> set[str]:
        """The sinks for which something waits, those included that are no sinks any more."""
        return {name for name, count in self._counts.items() if count}

    def take(
        self, events: Sequence[SinkEvent], sinks: Sequence[Terms], cursor: str, delivering: dict[str, int]
    ) -> dict[str, Dropped]:
        """Take events for those sinks that want them, and the cursor behind them.

        Args:
            events: In their order.
            sinks: All sinks.
            cursor: Where they come from goes on there.
            delivering: By sink: the highest number that is being delivered, which makes no room.

        Returns:
            By sink, what has made room, if anything has.
        """
        dropped = {}
        with self._transaction() as database:
            for event in events:
                wanting = [terms.name for terms in sinks if terms.wants(event)]
                if not wanting:
                    continue
                number = database.execute("INSERT INTO event (body) VALUES (?)", (event.json,)).lastrowid
                database.executemany(
                    "INSERT INTO waiting VALUES (?, ?, ?)", [(name, number, event.is_provisional) for name in wanting]
                )
                for name in wanting:
                    self._counts[name] = self.count(name) + 1
            for terms in sinks:
                if self.count(terms.name) > terms.spool:
                    made_room = self._make_room(terms, delivering.get(terms.name, 0))
                    if made_room.events:  # else all of them are being delivered
                        dropped[terms.name] = made_room
            database.execute("UPDATE place SET cursor = ?", (cursor,))
        return dropped

    def _make_room(self, terms: Terms, delivering: int) -> Dropped:
        """Provisional events go first, then the oldest."""
        wanted = self.count(terms.name) - terms.spool + int(_ROOM * terms.spool)
        found: list[int] = []
        counts = []
        for which in ("provisional", "NOT provisional"):
            numbers = self._database.execute(
                f"SELECT n FROM waiting WHERE sink = ? AND n > ? AND {which} ORDER BY n LIMIT ?",
                (terms.name, delivering, wanted - len(found)),
            ).fetchall()
            found += [number for (number,) in numbers]
            counts.append(len(numbers))
        self._remove(terms.name, found)
        return Dropped(sum(counts), counts[0])

    def waiting(self, sink: str, most: int) -> Waiting:
        """The oldest events that wait for a sink."""
        rows = self._database.execute(
            "SELECT n, body FROM waiting JOIN event USING (n) WHERE sink = ? ORDER BY n LIMIT ?", (sink, most)
        ).fetchall()
        return Waiting(tuple(number for number, _ in rows), tuple(SinkEvent.from_json(body) for _, body in rows))

    def remove(self, sink: str, numbers: Sequence[int], state: dict[str, Any] | None = None) -> None:
        """A sink has taken events, or never will; and what stands there now."""
        with self._transaction() as database:
            self._remove(sink, numbers)
            if state is not None:
                database.execute("INSERT OR REPLACE INTO standing VALUES (?, ?)", (sink, json.dumps(state)))

    def _remove(self, sink: str, numbers: Sequence[int]) -> None:
        execute_many = self._database.executemany
        removed = execute_many("DELETE FROM waiting WHERE sink = ? AND n = ?", [(sink, n) for n in numbers]).rowcount
        execute_many(
            "DELETE FROM event WHERE n = ? AND NOT EXISTS (SELECT 1 FROM waiting WHERE waiting.n = event.n)",
            [(n,) for n in numbers],
        )
        self._counts[sink] = self.count(sink) - max(removed, 0)

    def state(self, sink: str) -> dict[str, Any] | None:
        """What stood at a sink."""
        found = self._database.execute("SELECT state FROM standing WHERE sink = ?", (sink,)).fetchone()
        return None if found is None else json.loads(found[0])

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()
