"""A store in a file: streams of one machine survive a restart of their server. Several processes may share it."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from kineseg_service.stores.store import Key, StoreFailed, Taken, Write

_TABLE = """
    CREATE TABLE IF NOT EXISTS streams (
        tenant TEXT NOT NULL, stream_id TEXT NOT NULL, generation INTEGER NOT NULL, until REAL NOT NULL,
        proof BLOB NOT NULL, data BLOB,
        PRIMARY KEY (tenant, stream_id)
    );
    CREATE INDEX IF NOT EXISTS streams_until ON streams (until);
"""
_WRITE = """
    INSERT INTO streams (tenant, stream_id, generation, until, proof, data) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET
        generation = excluded.generation, until = excluded.until, proof = excluded.proof, data = excluded.data
    WHERE streams.generation <= excluded.generation
"""
_TAKE = """
    UPDATE streams SET generation = generation + 1
    WHERE tenant = ? AND stream_id = ? AND until > ? AND proof = ? AND data IS NOT NULL
    RETURNING generation, data
"""
_WAIT_S = 5.0  # for another process that writes
_MOST_LOG_BYTES = 64 << 20
# A state has some hundred KiB: in the largest pages that there are it costs least.
_PAGE_BYTES, _LOG_PAGES = 65536, 256


class SqliteStore:
    """See `Store`. What `write` has returned from survives a loss of power.

    Args:
        path: The file; made if it is not there, for its owner's eyes only.
        clock: Gives the time.

    Raises:
        StoreFailed: The file cannot be opened, or is something else.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self._path = path
        self._clock = clock
        self._connection: sqlite3.Connection | None = None
        self._open()

    @property
    def name(self) -> str:
        """See `Store`."""
        return f"sqlite:{self._path}"

    def write(self, writes: Sequence[Write]) -> set[Key]:
        """See `Store`."""
        now = self._clock()
        fenced = set()
        with self._transaction() as database:
            database.execute("DELETE FROM streams WHERE until <= ?", (now,))
            for write in writes:
                key, until = write.key, now + write.keep_s
                row = (key.tenant, key.stream_id, write.generation, until, write.proof, write.data)
                if not database.execute(_WRITE, row).rowcount:
                    fenced.add(write.key)
        return fenced

    def take(self, key: Key, proof: bytes) -> Taken | None:
        """See `Store`."""
        with self._transaction() as database:
            row = database.execute(_TAKE, (key.tenant, key.stream_id, self._clock(), proof)).fetchone()
        return None if row is None else Taken(*row)

    def close(self) -> None:
        """See `Store`."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _open(self) -> sqlite3.Connection:
        try:
            self._path.touch(mode=0o600)
            database = sqlite3.connect(self._path, timeout=_WAIT_S, isolation_level=None, check_same_thread=False)
            try:
                database.execute(f"PRAGMA page_size = {_PAGE_BYTES}")  # of a new file
                database.execute("PRAGMA journal_mode = WAL")
                database.execute(f"PRAGMA wal_autocheckpoint = {_LOG_PAGES}")
                database.execute("PRAGMA synchronous = FULL")  # writes come together, so that this costs little
                database.execute(f"PRAGMA journal_size_limit = {_MOST_LOG_BYTES}")
                database.executescript(_TABLE)
            except BaseException:
                database.close()
                raise
        except (OSError, sqlite3.Error) as error:
            raise StoreFailed(f"{self._path} cannot be used as a store: {error}") from error
        self._connection = database
        return database

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        database = self._connection or self._open()
        try:
            with database:
                database.execute("BEGIN IMMEDIATE")
                yield database
        except sqlite3.Error as error:
            with contextlib.suppress(sqlite3.Error):
                self.close()  # opened anew the next time
            raise StoreFailed(f"{self._path}: {error}") from error
