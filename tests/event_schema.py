"""Whether events are as the published schema says."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from jsonschema import Draft202012Validator
from kineseg import event_schema

_SCHEMA = event_schema()


def check_event(event: dict[str, Any]) -> None:
    """Fails, saying why, unless the schema has it so."""
    kind = event.get("kind")
    assert kind in _SCHEMA["$defs"], f"there is no kind {kind!r}"
    # That of its kind says more of what is wrong than all of them do.
    Draft202012Validator({**_SCHEMA, "oneOf": [{"$ref": f"#/$defs/{kind}"}]}).validate(event)


def is_event(event: Any) -> bool:
    """Whether the schema has it so."""
    return bool(Draft202012Validator(_SCHEMA).is_valid(event))


def check_events(events: Iterable[dict[str, Any]]) -> int:
    """The same of many; how many they were, at least one."""
    events = list(events)
    for event in events:
        check_event(event)
    assert events
    assert len({event["id"] for event in events}) == len(events), "an id is that of one event"
    return len(events)
