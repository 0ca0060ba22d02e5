"""The published JSON Schema of an event."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any


def event_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of an event as `Event.to_dict` gives it and ``events.jsonl`` has it, one a line.

    There is one definition for each kind. What an event of a kind may not have is refused, so that a key that is
    misspelt is found; a program that reads events of later versions should pass over keys that it does not know.
    """
    text = files("kineseg").joinpath("schemas", "event.schema.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema
