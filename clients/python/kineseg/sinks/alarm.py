"""What people want to know of an anomaly beside what its event says: since when, how urgent, and where to look."""

from __future__ import annotations

from datetime import datetime, timedelta
from urllib.parse import quote

from kineseg.sinks.address import SinkAddress
from kineseg.sinks.event import SinkEvent

LINKS = ("page", "runbook")
RUNBOOK = "https://github.com/kineseg/kineseg/blob/main/docs/alerts-kinds.md#{anomaly_kind}"
LEVELS = {"rule": "critical", "fault": "warning", "behaviour": "info"}
"""How urgent: a rule is what somebody asked to be called for."""


class Links:
    """Where to look.

    Args:
        address: The sink's; options ``page`` and ``runbook``, URLs in which ``{stream_id}``, ``{session_id}``,
            ``{anomaly_kind}``, ``{time_s}`` and any other key of the event stand for its value.
    """

    def __init__(self, address: SinkAddress) -> None:
        self._page = address.text("page")
        self._runbook = address.text("runbook", RUNBOOK)

    def page(self, event: SinkEvent) -> str:
        """Where it is shown; empty: nowhere."""
        return _filled(self._page, event)

    def runbook(self, event: SinkEvent) -> str:
        """What it means, and what to do."""
        return _filled(self._runbook, event)


def anomaly_of(event: SinkEvent) -> str:
    """What all events of an anomaly, and no others, have in common."""
    return f"{event.stream_id}:{event.values.get('anomaly_id', 0)}"


def level(event: SinkEvent) -> str:
    """How urgent it is: critical, warning or info."""
    return LEVELS.get(str(event.values.get("anomaly_class")), "warning")


def time_of(event: SinkEvent, time_s: float) -> datetime:
    """The wall time of a moment of its stream, by when the event was emitted."""
    return datetime.fromisoformat(event.emitted_at) - timedelta(seconds=event.values["decided_time_s"] - time_s)


def rfc3339(at: datetime) -> str:
    """A time as other systems read it."""
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _filled(url: str, event: SinkEvent) -> str:
    for key, value in event.flat.items():
        url = url.replace(f"{{{key}}}", quote(str(value), safe=""))
    return url
