"""Events of all kinds as rows of one table, or as one object: the published schema, its kinds put together."""

from __future__ import annotations

from functools import cache
from typing import Any

from kineseg._schema import event_schema


@cache
def flat_schema() -> dict[str, dict[str, Any]]:
    """By key, in an order for people: the JSON Schema of its values. No key has different types in different kinds."""
    found: dict[str, dict[str, Any]] = {}
    kinds = event_schema()["$defs"]
    for kind in kinds.values():
        for key, schema in kind["properties"].items():
            if key not in found:
                found[key] = {"type": "string", **schema} if "enum" in schema else dict(schema)
    found["kind"] = {"type": "string", "enum": list(kinds)}
    first = ("id", "kind", "session_id", "stream_id", "seq", "emitted_at")
    return {key: found[key] for key in (*first, *(key for key in found if key not in first))}
