"""What every store does, with real ones: a file, a Redis; and that an owner of before cannot write any more."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kineseg_service.stores.opening import open_store, read_key, store_problem
from kineseg_service.stores.redis import RedisStore
from kineseg_service.stores.sqlite import SqliteStore
from kineseg_service.stores.store import FIRST, Key, Store, StoreFailed, Taken, Write
from kineseg_service.stores.writer import StoreWriter

from tests.service.stores.servers import redis_server
from tests.service.talk import PATIENCE_S, until

ONE, OTHER = Key("", "a"), Key("them", "a")
PROOF = b"\0proof"


@pytest.fixture(scope="module")
def redis_url() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder, redis_server(Path(folder)) as server:
        yield server.url


@pytest.fixture(params=["sqlite", "redis"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    made: Store
    if request.param == "sqlite":
        made = SqliteStore(tmp_path / "streams.db")
    else:
        made = RedisStore(request.getfixturevalue("redis_url"))
        made._redis.flushall()
    yield made
    made.close()


def write(key: Key, generation: int, data: bytes | None, keep_s: float = 60.0) -> Write:
    return Write(key, generation, PROOF, data, keep_s)


def test_the_newest_state_is_given_to_who_takes_it_over(store: Store) -> None:
    assert store.take(ONE, PROOF) is None
    assert store.write([write(ONE, FIRST, b"first\0\xff"), write(OTHER, FIRST, b"theirs")]) == set()
    assert store.write([write(ONE, FIRST, b"second\0\xff")]) == set()
    assert store.take(ONE, PROOF) == Taken(FIRST + 1, b"second\0\xff")
    assert store.take(ONE, PROOF) == Taken(FIRST + 2, b"second\0\xff")
    assert store.take(OTHER, PROOF) == Taken(FIRST + 1, b"theirs")


def test_who_cannot_prove_it_takes_nothing_over(store: Store) -> None:
    store.write([write(ONE, FIRST, b"state")])
    for other in (b"", b"\0", b"\0proof ", b"other"):
        assert store.take(ONE, other) is None
    assert store.write([write(ONE, FIRST, b"state")]) == set()
    assert store.take(ONE, PROOF) == Taken(FIRST + 1, b"state")


def test_of_two_owners_the_older_one_is_refused_at_its_next_write(store: Store) -> None:
    store.write([write(ONE, FIRST, b"old")])
    taken = store.take(ONE, PROOF)
    assert taken is not None
    assert store.write([write(ONE, FIRST, b"older"), write(OTHER, FIRST, b"theirs")]) == {ONE}
    assert store.write([write(ONE, taken.generation, b"new")]) == set()
    assert store.write([write(ONE, FIRST, None)]) == {ONE}
    assert store.take(ONE, PROOF) == Taken(taken.generation + 1, b"new")
    assert store.take(OTHER, PROOF) == Taken(FIRST + 1, b"theirs")


def test_a_stream_that_is_over_is_not_kept_nor_begun_again_by_an_older_owner(store: Store) -> None:
    store.write([write(ONE, FIRST, b"state")])
    taken = store.take(ONE, PROOF)
    assert taken is not None
    assert store.write([write(ONE, taken.generation, None)]) == set()
    assert store.take(ONE, PROOF) is None
    assert store.write([write(ONE, FIRST, b"zombie")]) == {ONE}
    assert store.take(ONE, PROOF) is None


def test_what_no_one_comes_for_expires(store: Store) -> None:
    store.write([write(ONE, FIRST, b"short", keep_s=0.02), write(OTHER, FIRST, b"long")])
    until(lambda: store.take(ONE, PROOF) is None, "it expires")
    assert store.take(OTHER, PROOF) is not None


@given(
    keys=st.lists(
        st.builds(Key, st.text("ab:/%{}*\0ü", max_size=4), st.text("ab:/%{}*", min_size=1, max_size=4)), unique=True
    )
)
@settings(max_examples=20)
def test_no_name_of_a_tenant_leads_to_anothers(store: Store, keys: list[Key]) -> None:
    store.write([write(key, FIRST, repr(key).encode()) for key in keys])
    for key in keys:
        taken = store.take(key, PROOF)
        assert taken is not None
        assert taken.data == repr(key).encode()
        store.write([write(key, taken.generation, None, keep_s=0.001)])
    time.sleep(0.002)


def test_a_file_keeps_what_was_written_when_it_is_opened_anew(tmp_path: Path) -> None:
    for _ in range(2):
        store = SqliteStore(tmp_path / "streams.db")
        store.write([write(ONE, FIRST, bytes(100_000))])
    assert (tmp_path / "streams.db").stat().st_mode & 0o077 == 0
    assert SqliteStore(tmp_path / "streams.db").take(ONE, PROOF) == Taken(FIRST + 1, bytes(100_000))


def test_something_else_is_no_store(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no database, but long enough to be looked at as one" * 20)
    for path in (tmp_path / "text", tmp_path / "no" / "folder"):
        with pytest.raises(StoreFailed, match="cannot be used as a store"):
            SqliteStore(path)


def test_redis_that_is_started_anew_has_what_was_written(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory() as folder, redis_server(Path(folder)) as server:
        store = RedisStore(server.url)
        store.write([write(ONE, FIRST, b"state")])
        server.stop()
        with pytest.raises(StoreFailed, match="unix://"):
            store.write([write(ONE, FIRST, b"lost")])
        server.start()
        assert store.take(ONE, PROOF) == Taken(FIRST + 1, b"state")


@pytest.mark.parametrize(
    ("setting", "problem"),
    [("memory", ""), ("sqlite:a.db", ""), ("sqlite:", "needs a path"), ("mongo:x", "is no store"),
     ("redis://localhost", "needs store_key")],
)  # fmt: skip
def test_settings_of_stores(setting: str, problem: str) -> None:
    found = store_problem(setting, None)
    assert problem in found
    assert bool(found) == bool(problem)


def test_a_key_must_be_long(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"short")
    with pytest.raises(ValueError, match="at least 32 random ones"):
        read_key(tmp_path / "key")
    with pytest.raises(ValueError, match="cannot be read"):
        read_key(tmp_path / "none")
    (tmp_path / "key").write_bytes(bytes(40))
    assert (read_key(tmp_path / "key"), read_key(None)) == (bytes(40), b"")
    assert open_store("memory") is None


class Slow(SqliteStore):
    """Works only when it is let."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "slow.db")
        self.lets = threading.Event()
        self.fails = False
        self.written: list[int] = []

    def write(self, writes: object) -> set[Key]:
        self.lets.wait()
        if self.fails:
            raise StoreFailed("the disk is full")
        self.written.append(len(writes))  # type: ignore[arg-type]
        return super().write(writes)  # type: ignore[arg-type]


@pytest.fixture
def made() -> Iterator[Callable[..., StoreWriter]]:
    writers: list[StoreWriter] = []

    def make(*arguments: object, **named: object) -> StoreWriter:
        writers.append(StoreWriter(*arguments, **named))  # type: ignore[arg-type]
        return writers[-1]

    yield make
    for writer in writers:
        writer.stop(1.0)


def test_a_slow_store_slows_no_one_and_gets_the_newest_states_together(
    made: Callable[..., StoreWriter], tmp_path: Path
) -> None:
    store, kept = Slow(tmp_path), list[bool]()
    writer = made(store)
    writer.put(write(Key("", "first"), FIRST, b""))
    until(lambda: not writer.waiting, "it is being written")
    for number in range(100):
        assert writer.put(write(ONE, FIRST, b"%d" % number), kept.append)
        assert writer.put(write(OTHER, FIRST, b"%d" % number))
    taken = writer.take(ONE, PROOF)
    store.lets.set()
    assert taken.result() == Taken(FIRST + 1, b"99")
    assert writer.flush(PATIENCE_S)
    assert len(store.written) <= 2
    assert kept == [True]
    writer.put(write(ONE, FIRST, b"late"), kept.append)
    assert writer.flush(PATIENCE_S)
    assert kept == [True, False]


def test_states_of_many_streams_go_together_unless_someone_waits_for_them(
    made: Callable[..., StoreWriter], tmp_path: Path
) -> None:
    store, came = Slow(tmp_path), list[bool]()
    store.lets.set()
    writer, began = made(store), time.monotonic()
    for number in range(40):
        writer.put(write(Key("", f"{number}"), FIRST, b"kept"), came.append)
        time.sleep(0.002)
    assert writer.flush(PATIENCE_S)
    assert len(store.written) <= 3 + (time.monotonic() - began) / 0.2
    assert sum(store.written) == 40
    assert came == [True] * 40


def test_a_store_that_fails_is_tried_again_and_nothing_is_lost(
    made: Callable[..., StoreWriter], tmp_path: Path
) -> None:
    store, health = Slow(tmp_path), list[bool]()
    store.fails = True
    store.lets.set()
    writer = made(store, on_health=health.append)
    writer.put(write(ONE, FIRST, b"kept"))
    until(lambda: writer.failing, "it is noticed")
    assert not writer.flush(0.0)
    writer.put(write(OTHER, FIRST, b"kept, too"))
    store.fails = False
    assert writer.flush(PATIENCE_S)
    assert health == [False, True]
    assert writer.take(ONE, PROOF).result() == Taken(FIRST + 1, b"kept")
    assert writer.take(OTHER, PROOF).result() == Taken(FIRST + 1, b"kept, too")


def test_no_more_waits_than_there_is_room_for(made: Callable[..., StoreWriter], tmp_path: Path) -> None:
    store = Slow(tmp_path)
    writer = made(store, most_bytes=100)
    writer.put(write(Key("", "first"), FIRST, b""))
    until(lambda: not writer.waiting, "it is being written")
    assert writer.put(write(ONE, FIRST, bytes(80)))
    assert not writer.put(write(OTHER, FIRST, bytes(21)))
    assert writer.put(write(ONE, FIRST, bytes(100)))
    assert writer.put(write(OTHER, FIRST, None))
    store.lets.set()
    assert writer.flush(PATIENCE_S)
