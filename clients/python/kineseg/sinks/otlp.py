"""``otlp+http://HOST:4318``: log records of OpenTelemetry, by OTLP over HTTP in its JSON form."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from kineseg._version import __version__
from kineseg.sinks.address import SinkAddress
from kineseg.sinks.alarm import level, time_of
from kineseg.sinks.errors import Refused
from kineseg.sinks.event import SinkEvent
from kineseg.sinks.http import OPTIONS, PREFIXES, HttpTarget
from kineseg.sinks.sink import Sink
from kineseg.sinks.terms import Terms

_PATH = "/v1/logs"
_SEVERITIES = {"info": (9, "INFO"), "warning": (13, "WARN"), "critical": (17, "ERROR")}
_RESOURCE = "resource."


class Otlp:
    """Exports log records.

    Args:
        address: Of a collector; options ``resource.NAME``, and those of `HttpTarget`.

    Raises:
        SinkError: An option cannot be used.
    """

    linger_s = 0.0

    def __init__(self, address: SinkAddress) -> None:
        address.check_options(OPTIONS, (_RESOURCE, *PREFIXES))
        self._resource = _attributes({"service.name": "kineseg", **address.named(_RESOURCE)})
        self._target = HttpTarget(replace(address, target=address.target.rstrip("/") + _PATH))
        self.terms = Terms.of(address, batch=200)
        self.where = self._target.where

    async def deliver(self, events: Sequence[SinkEvent]) -> None:
        """See `Sink`."""
        scope = {
            "scope": {"name": "kineseg", "version": __version__},
            "logRecords": [_record(event) for event in events],
        }
        request = {"resourceLogs": [{"resource": {"attributes": self._resource}, "scopeLogs": [scope]}]}
        answer = await self._target.post(json.dumps(request, allow_nan=False).encode(), "application/json")
        if rejected := _rejected(answer):
            raise Refused(rejected)

    async def close(self) -> None:
        """See `Sink`."""
        await self._target.close()


def _record(event: SinkEvent) -> dict[str, Any]:
    number, name = _SEVERITIES[level(event) if event.kind.startswith("anomaly") else "info"]
    emitted = datetime.fromisoformat(event.emitted_at)
    return {
        "timeUnixNano": str(_nanoseconds(time_of(event, event.values["time_s"]))),
        "observedTimeUnixNano": str(_nanoseconds(emitted)),
        "severityNumber": number,
        "severityText": name,
        "eventName": f"kineseg.{event.kind}",
        "body": {"stringValue": str(event.values.get("text") or event.kind)},
        "attributes": _attributes({f"kineseg.{key}": value for key, value in event.flat.items()}),
    }


def _nanoseconds(at: datetime) -> int:
    return round(at.timestamp() * 1e6) * 1000


def _attributes(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": _value(value)} for key, value in values.items()]


def _value(value: Any) -> dict[str, Any]:
    match value:
        case bool():
            return {"boolValue": value}
        case int():
            return {"intValue": str(value)}
        case float():
            return {"doubleValue": value}
        case list() | tuple():
            return {"arrayValue": {"values": [_value(one) for one in value]}}
    return {"stringValue": str(value)}


def _rejected(answer: bytes) -> str:
    """Why a collector has taken only some of them; empty: it has taken all."""
    try:
        partial = json.loads(answer).get("partialSuccess") or {}
        count = int(partial.get("rejectedLogRecords", 0))
    except (ValueError, AttributeError):
        return ""
    return f"{count} log records are rejected: {partial.get('errorMessage', '')}" if count else ""


def open_otlp(address: SinkAddress) -> Sink:
    """``otlp+http://HOST:4318``, or ``otlp+https``."""
    return Otlp(address)
