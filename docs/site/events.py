"""The schema of events as a page: a table for each kind."""

from __future__ import annotations

import json
from typing import Any

from kineseg import event_schema
from staging import SOURCE_URL

_SCHEMA = SOURCE_URL.format(kind="blob", path="clients/python/kineseg/schemas/event.schema.json")
_COMMON_TITLE = "What every event has"


def events_page() -> tuple[str, str]:
    """Name and text of the page."""
    schema = event_schema()
    kinds: dict[str, Any] = {name: kind for name, kind in schema["$defs"].items() if "properties" in kind}
    first = next(iter(kinds.values()))
    common = [name for name in first["properties"] if all(name in kind["properties"] for kind in kinds.values())]
    lines = ["# Schema of events", "", schema["description"], ""]
    lines += [
        f"As [JSON Schema]({_SCHEMA}), which `kineseg.event_schema()` returns, too.",
        "",
        f"## {_COMMON_TITLE}",
        "",
    ]
    lines += _table({name: first["properties"][name] for name in common if name != "kind"}, first["required"])
    for name, kind in kinds.items():
        own = {key: value for key, value in kind["properties"].items() if key not in common}
        lines += [f"## `{name}`", "", kind.get("description", ""), ""]
        lines += _table(own, kind.get("required", ()))
    return "reference/events.md", "\n".join(lines) + "\n"


def _table(properties: dict[str, Any], required: Any) -> list[str]:
    if not properties:
        return []
    rows = ["| key | type | |", "|---|---|---|"]
    for name, value in properties.items():
        about = value.get("description", "") + ("" if name in required else " *May be absent.*")
        rows.append(f"| `{name}` | {_type(value)} | {about.replace('|', chr(92) + '|').strip()} |")
    return [*rows, ""]


def _type(value: dict[str, Any]) -> str:
    if "enum" in value:
        return ", ".join(f"`{json.dumps(each)}`" for each in value["enum"])
    if "const" in value:
        return f"`{json.dumps(value['const'])}`"
    kind = value.get("type", "any")
    if kind == "array":
        return f"array of {_type(value.get('items', {}))}"
    low, high = value.get("minimum"), value.get("maximum")
    if low is not None and high is not None:
        return f"{kind}, {low} to {high}"
    return f"{kind}, from {low}" if low is not None else str(kind)
