"""When an event was emitted, as log tools read it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from kineseg._errors import InvalidRequest

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_rfc3339(unix_ns: int) -> str:
    """A time in UTC with microseconds, which is what log tools read."""
    return (_EPOCH + timedelta(microseconds=unix_ns // 1000)).isoformat(timespec="microseconds").replace("+00:00", "Z")


def from_rfc3339(text: object) -> int:
    """Nanoseconds since 1970."""
    try:
        at = datetime.fromisoformat(str(text))
        if at.tzinfo is None:
            raise ValueError("it has no time zone")
    except ValueError as error:
        raise InvalidRequest(f"emitted_at must be a time such as 2026-11-27T01:02:03.000004Z, got {text!r} ({error})",
                             field="emitted_at") from None  # fmt: skip
    return (at - _EPOCH) // timedelta(microseconds=1) * 1000
