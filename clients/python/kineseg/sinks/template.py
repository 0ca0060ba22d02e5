"""Templates of webhooks: what is posted of an event of each kind, so that receivers get the form that they know.

A template is a JSON file::

    {"kinds": {"anomaly": {"body": {"text": "${session_id}: ${text}"}}},
     "escape": {"<": "&lt;"}}

``${…}`` stands for a key of the event, or for what `Template` adds to them. A text that is nothing else takes over the
value with its type. Kinds that are not named are not posted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import quote

from kineseg._schema import event_schema
from kineseg.sinks.address import SinkAddress
from kineseg.sinks.alarm import Links, anomaly_of, level, rfc3339, time_of
from kineseg.sinks.errors import SinkError
from kineseg.sinks.event import SinkEvent

_PLACE = re.compile(r"\$\{([\w.]+)\}")
_OURS = ("anomaly", "began_at", "event", "level", "page", "runbook")
_VARIABLE = "var."


@dataclass(frozen=True)
class Message:
    """What is posted of an event: to a URL as seen from that of the sink, with these headers besides its own."""

    body: bytes
    to: str
    headers: Mapping[str, str]


class Template:
    """A template with its variables.

    Beside the event's own keys there are ``anomaly`` (the same in all events of an anomaly), ``began_at``, ``level``
    (critical, warning, info), ``page``, ``runbook``, ``event`` (all of it), and ``var.NAME`` for each option so called.

    Args:
        address: The sink's; options ``template``, a file or the name of one that comes along, and ``var.NAME``.

    Raises:
        SinkError: There is no such file, it is no template, or it has a place that nothing is put into.
    """

    def __init__(self, address: SinkAddress) -> None:
        self._links = Links(address)
        self._variables = {_VARIABLE + name: value for name, value in address.named(_VARIABLE).items()}
        name = address.text("template")
        try:
            content = json.loads(_text(name))
            self._kinds: dict[str, dict[str, Any]] = content["kinds"]
            self._escape: dict[str, str] = content.get("escape", {})
            self._check()
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            known = ", ".join(sorted(path.name.removesuffix(".json") for path in _folder().iterdir()))
            why = f"{error.args[0]!r} is missing" if isinstance(error, KeyError) else str(error)
            raise SinkError(
                f"{address.where}: template {name!r}: {why}; name a JSON file (see docs/sinks), or one of {known}"
            ) from None

    def _check(self) -> None:
        schema = event_schema()["$defs"]
        for kind, made in self._kinds.items():
            if kind not in schema:
                raise ValueError(f"there is no kind {kind!r}")
            known = {*schema[kind]["properties"], *_OURS, *self._variables}
            for place in _places([made["body"], made.get("to", ""), made.get("headers", {})]):
                if place not in known:
                    remedy = f"give the option {place}" if place.startswith(_VARIABLE) else "no event has that"
                    raise ValueError(f"${{{place}}} in {kind}: {remedy}")

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds that are posted."""
        return frozenset(self._kinds)

    def message(self, event: SinkEvent) -> Message:
        """What is posted of an event of one of the kinds."""
        made = self._kinds[event.kind]
        values = {
            **event.flat,
            "anomaly": anomaly_of(event),
            "began_at": rfc3339(time_of(event, event.values["time_s"])),
            "event": event.flat,
            "level": level(event),
            "page": self._links.page(event),
            "runbook": self._links.runbook(event),
            **self._variables,
        }
        body = self._filled(made["body"], values)
        headers = {name: str(self._filled(text, values)) for name, text in made.get("headers", {}).items()}
        to = _PLACE.sub(lambda found: quote(str(values.get(found[1], "")), safe=""), made.get("to", ""))
        return Message(json.dumps(body).encode(), to, headers)

    def _filled(self, part: Any, values: Mapping[str, Any]) -> Any:
        if isinstance(part, dict):
            return {name: self._filled(value, values) for name, value in part.items()}
        if isinstance(part, list):
            return [self._filled(value, values) for value in part]
        if not isinstance(part, str):
            return part
        alone = _PLACE.fullmatch(part)
        value = values.get(alone[1], "") if alone else ""
        if alone and not isinstance(value, str):
            return value
        return _PLACE.sub(lambda found: self._escaped(values.get(found[1], "")), part)

    def _escaped(self, value: Any) -> str:
        text = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
        return "".join(self._escape.get(letter, letter) for letter in text) if self._escape else text


def _folder() -> Any:
    return files("kineseg.sinks").joinpath("templates")


def _text(name: str) -> str:
    if name.isalnum():
        return str(_folder().joinpath(f"{name}.json").read_text(encoding="utf-8"))
    return Path(name).expanduser().read_text(encoding="utf-8")


def _places(part: Any) -> Iterator[str]:
    if isinstance(part, str):
        yield from _PLACE.findall(part)
    elif isinstance(part, dict | list):
        for value in part.values() if isinstance(part, dict) else part:
            yield from _places(value)
