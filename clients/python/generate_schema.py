"""Generates the JSON Schema of events from the SDK's event classes and their docstrings, or checks that it is current.

python clients/python/generate_schema.py            write kineseg/schemas/event.schema.json
python clients/python/generate_schema.py --check    exit with 1 if what stands there differs from what would be written
"""

from __future__ import annotations

import argparse
import enum
import inspect
import json
import re
import sys
import typing
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

from kineseg._events import ABSENT_WHEN_EMPTY, EVENT_TYPES, Event

TARGET = Path(__file__).parent / "kineseg" / "schemas" / "event.schema.json"
Schema = dict[str, Any]

# Keys that are no attributes of the classes, or are written otherwise than these hold them.
_ID: Schema = {
    "type": "string",
    "description": "The event's id, `stream_id:seq`, which no other event ever has.",
    "pattern": "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}:[0-9]+$",
}
_EMITTED_AT: Schema = {
    "type": "string",
    "description": "When it was emitted: RFC 3339 in UTC, with microseconds.",
    "format": "date-time",
    "pattern": r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}Z$",
}
_SESSION_ID: Schema = {"type": "string", "description": "Name of its session, where a sink delivers it; else absent."}
_START_FRAME: Schema = {"type": "integer", "minimum": 0, "description": "First frame of the segment: `frame`."}
# What their types do not say of attributes.
_BOUNDS: dict[str, Schema] = {
    "seq": {"minimum": 1},
    "anomaly_id": {"minimum": 1},
    "confidence": {"minimum": 0, "maximum": 1},
    "name_confidence": {"minimum": 0, "maximum": 1},
    "repeat_probability": {"minimum": 0, "maximum": 1},
    "stream_id": {"format": "uuid"},
    "severity": {"minimum": 0},
}
_MAY_BE_NEGATIVE = {"capture_time_ns"}


def schema() -> Schema:
    """The schema of an event of any kind."""
    kinds = {str(kind): _definition(made) for kind, made in EVENT_TYPES.items()} | {"unknown": _definition(Event)}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "kineseg event",
        "description": "Something that happened in a stream, as events.jsonl has it, one a line. Frames are counted "
        "from 0, times are in seconds since the stream's first frame, and what is not known is absent.",
        "oneOf": [{"$ref": f"#/$defs/{kind}"} for kind in kinds],
        "$defs": kinds,
    }


def _definition(kind: type[Event]) -> Schema:
    documented = [_documented(base) for base in reversed(kind.__mro__) if issubclass(base, Event)]
    described = {name: what for _, attributes in documented for name, what in attributes.items()}
    types = typing.get_type_hints(kind)
    properties: dict[str, Schema] = {}
    required = []
    for entry in fields(kind):
        if entry.name == "emitted_unix_ns":
            continue
        properties[entry.name] = _of_type(entry.name, types[entry.name]) | {"description": described[entry.name]}
        may_be_absent = entry.name in ABSENT_WHEN_EMPTY and entry.default is not MISSING
        if entry.name == "stream_id" or not (may_be_absent or entry.name == "capture_time_ns"):
            required.append(entry.name)
    if hasattr(kind, "start_frame") and "start_frame" not in properties:
        properties["start_frame"] = _START_FRAME
        required.append("start_frame")
    first = {"id": _ID, "kind": {"const": str(kind.kind)}, "emitted_at": _EMITTED_AT}
    return {
        "description": documented[-1][0],
        "type": "object",
        "properties": first | properties | {"session_id": _SESSION_ID},
        "required": [*first, *required],
        "additionalProperties": False,
    }


def _of_type(name: str, kind: Any) -> Schema:
    """The schema of a value of this type."""
    if typing.get_origin(kind) is tuple:
        return {"type": "array", "items": _of_type("", typing.get_args(kind)[0])}
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return {"enum": [choice.value for choice in kind]}
    (kind,) = {part for part in typing.get_args(kind) or (kind,) if part is not type(None)}
    found: Schema = {"type": {int: "integer", float: "number", str: "string", bool: "boolean"}[kind]}
    if kind is int and name not in _MAY_BE_NEGATIVE:
        found["minimum"] = 0
    return found | _BOUNDS.get(name, {})


def _documented(kind: type[Event]) -> tuple[str, dict[str, str]]:
    """What a class says of itself, and of each of its attributes."""
    text = inspect.getdoc(kind) or ""
    said, _, attributes = text.partition("\nAttributes:\n")
    lines = re.sub(r"\n {8,}", " ", attributes)
    found: dict[str, str] = {}
    for names, what in re.findall(r"^ {4}([\w, ]+): (.+)$", lines, re.MULTILINE):
        for name in names.split(", "):
            found[name] = _as_json(what)
    return " ".join(said.split()), found


def _as_json(text: str) -> str:
    """What is said of an attribute, said of the key: what is empty or None there is absent here."""
    text = re.sub(r"\b([eE])mpty\b", lambda found: "Absent" if found[1] == "E" else "absent", text)
    return text.replace("None", "absent").replace("``", "`")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    fresh = json.dumps(schema(), indent=2) + "\n"
    if parser.parse_args().check:
        if not TARGET.is_file() or TARGET.read_text(encoding="utf-8") != fresh:
            sys.exit(f"{TARGET.name} is not current; run `make protos` and commit the result")
        return
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text(fresh, encoding="utf-8")


if __name__ == "__main__":
    main()
