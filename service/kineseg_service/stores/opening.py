"""From a setting to a store."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from kineseg_core.errors import BadSetting

from kineseg_service.stores.store import Store

LEAST_KEY_BYTES = 32
_REDIS = ("redis://", "rediss://", "unix://")


def store_problem(store: str, key: Path | None) -> str:
    """What is wrong with the settings `store` and `store_key`; empty: nothing."""
    if store == "memory" or store.startswith("sqlite:"):
        return "" if store != "sqlite:" else "sqlite: needs a path, as in sqlite:/var/lib/kineseg/streams.db"
    if not store.startswith(_REDIS):
        return f"{store[:64]!r} is no store: it must be memory, sqlite:PATH, or a redis:// URL"
    try:
        _ = urlsplit(store).port
    except ValueError as error:
        return f"the redis:// URL cannot be used ({error})"  # which may hold a password
    if key is None:
        return (
            "Redis needs store_key: a file of at least 32 random bytes (openssl rand -out FILE 32) that all servers "
            "share, by which they know that a state is theirs and has not been changed"
        )
    return ""


def open_store(store: str) -> Store | None:
    """The store of a setting; none: streams are kept in memory by whoever runs them.

    Raises:
        StoreFailed: It cannot be opened.
        ModuleNotFoundError: It needs ``kineseg[redis]``.
    """
    if store == "memory":
        return None
    if store.startswith("sqlite:"):
        from kineseg_service.stores.sqlite import SqliteStore

        return SqliteStore(Path(store.removeprefix("sqlite:")))
    from kineseg_service.stores.redis import RedisStore

    return RedisStore(store)


def read_key(path: Path | None) -> bytes:
    """The key by which states are sealed; empty: none.

    Raises:
        BadSetting: The file cannot be read, or holds too little.
    """
    if path is None:
        return b""
    try:
        key = path.read_bytes()
    except OSError as error:
        raise BadSetting(f"store_key: {path} cannot be read ({error.strerror}); name another file") from error
    if len(key) < LEAST_KEY_BYTES:
        raise BadSetting(
            f"store_key: {path} holds {len(key)} bytes; at least {LEAST_KEY_BYTES} random ones are needed, as "
            f"`openssl rand -out FILE {LEAST_KEY_BYTES}` writes them"
        )
    return key
