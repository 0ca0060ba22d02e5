"""A store in Redis or Valkey: any server that reaches it can take over the streams of another."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote, urlsplit

import redis

from kineseg_service.stores.store import Key, StoreFailed, Taken, Write

_WRITE = """
local known = redis.call('HGET', KEYS[1], 'generation')
if known and tonumber(known) > tonumber(ARGV[1]) then return 0 end
redis.call('HSET', KEYS[1], 'generation', ARGV[1], 'proof', ARGV[5])
if ARGV[3] == '1' then redis.call('HSET', KEYS[1], 'data', ARGV[4]) else redis.call('HDEL', KEYS[1], 'data') end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
"""
_TAKE = """
local kept = redis.call('HMGET', KEYS[1], 'proof', 'data')
if kept[1] ~= ARGV[1] or not kept[2] then return false end
return {redis.call('HINCRBY', KEYS[1], 'generation', 1), kept[2]}
"""
_TIMEOUT_S = 5.0
_AT_ONCE = 64  # writes that travel together


class RedisStore:
    """See `Store`. How safe a write is, is said by how Redis is set up (`appendonly`, replicas).

    Args:
        url: ``redis://``, ``rediss://`` or ``unix://``, with user and password if there are any.
    """

    def __init__(self, url: str) -> None:
        self._redis = redis.Redis.from_url(
            url, socket_timeout=_TIMEOUT_S, socket_connect_timeout=_TIMEOUT_S, health_check_interval=30
        )
        self._write = self._redis.register_script(_WRITE)
        self._take = self._redis.register_script(_TAKE)
        parts = urlsplit(url)
        self._name = f"{parts.scheme}://{parts.hostname or ''}{f':{parts.port}' if parts.port else ''}{parts.path}"

    @property
    def name(self) -> str:
        """See `Store`."""
        return self._name

    def write(self, writes: Sequence[Write]) -> set[Key]:
        """See `Store`."""
        fenced = set()
        try:
            for first in range(0, len(writes), _AT_ONCE):
                some = writes[first : first + _AT_ONCE]
                with self._redis.pipeline(transaction=False) as pipeline:
                    for write in some:
                        self._write(keys=[_name_of(write.key)], args=_arguments(write), client=pipeline)
                    done = pipeline.execute()
                fenced |= {write.key for write, written in zip(some, done, strict=True) if not written}
        except redis.RedisError as error:
            raise StoreFailed(f"{self.name}: {error}") from error
        return fenced

    def take(self, key: Key, proof: bytes) -> Taken | None:
        """See `Store`."""
        try:
            found = self._take(keys=[_name_of(key)], args=[proof])
        except redis.RedisError as error:
            raise StoreFailed(f"{self.name}: {error}") from error
        return None if found is None else Taken(int(found[0]), bytes(found[1]))

    def close(self) -> None:
        """See `Store`."""
        self._redis.close()


def _arguments(write: Write) -> list[bytes | memoryview | int]:
    kept = b"0" if write.data is None else b"1"
    return [write.generation, max(1, round(write.keep_s * 1000)), kept, write.data or b"", write.proof]


def _name_of(key: Key) -> str:
    """No tenant's name can lead to another's keys."""
    return f"kineseg:stream:{quote(key.tenant, safe='')}:{quote(key.stream_id, safe='')}"
