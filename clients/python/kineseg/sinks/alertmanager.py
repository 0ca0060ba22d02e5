"""``alertmanager+http://HOST:9093``: anomalies as alerts of Prometheus' Alertmanager (API v2).

An alert is raised, said again every minute as long as it goes on (Alertmanager forgets what is not), and resolved by
the end of its anomaly. Its labels are few, so that routes can be made of them: what differs from one time to the next
stands in annotations. Anomalies at the same time that have the same labels are one alert, until the last of them is
over.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from kineseg.sinks.address import SinkAddress
from kineseg.sinks.alarm import LINKS, Links, anomaly_of, level, rfc3339, time_of
from kineseg.sinks.event import SinkEvent
from kineseg.sinks.http import OPTIONS, PREFIXES, HttpTarget
from kineseg.sinks.sink import Sink
from kineseg.sinks.terms import GROUPS, Terms

_PATH = "/api/v2/alerts"
_LABEL = "label."
_MISSED = 3  # so many times may an alert not be said again before Alertmanager gives it up

Alert = dict[str, Any]


class Alertmanager:
    """Keeps alerts up.

    Args:
        address: Where it is; options ``every``, ``keep_firing``, ``session_label``, ``label.NAME``, ``page``,
            ``runbook``, and those of `HttpTarget`.

    Raises:
        SinkError: An option cannot be used.
    """

    linger_s = 0.0

    def __init__(self, address: SinkAddress) -> None:
        address.check_options(["every", "keep_firing", "session_label", *LINKS, *OPTIONS], (_LABEL, *PREFIXES))
        self.keep_alive_s = address.number("every", 60.0, low=0.1, high=3600.0)
        self._keep_firing = timedelta(seconds=address.number("keep_firing", 0.0, low=0.0, high=86400.0))
        self._session_label = address.yes("session_label", True)
        self._labels = address.named(_LABEL)
        self._links = Links(address)
        self._target = HttpTarget(replace(address, target=address.target.rstrip("/") + _PATH))
        self.terms = Terms.of(address, batch=100, kinds=GROUPS["anomaly"])
        self.where = self._target.where
        self._open: dict[str, Alert] = {}  # by anomaly
        self._over: list[Alert] = []  # of streams that ended without saying so

    def state(self) -> dict[str, Any]:
        """See `StandingSink`."""
        return self._open

    def restore(self, state: dict[str, Any]) -> None:
        """See `StandingSink`."""
        self._open = state

    def streams(self) -> Collection[str]:
        """See `StandingSink`."""
        return {anomaly.rpartition(":")[0] for anomaly in self._open}

    def streams_ended(self, streams: Collection[str]) -> None:
        """See `StandingSink`."""
        for anomaly in [anomaly for anomaly in self._open if anomaly.rpartition(":")[0] in streams]:
            self._over.append(self._open.pop(anomaly))

    async def deliver(self, events: Sequence[SinkEvent]) -> None:
        """See `Sink`."""
        standing, changed = dict(self._open), list[Alert]()
        for event in events:
            anomaly = anomaly_of(event)
            before = standing.pop(anomaly, None)
            alert = self._alert(event, before)
            if before is not None and before["labels"] != alert["labels"]:  # more is known of what it is
                changed.append(before | {"endsAt": rfc3339(datetime.now(UTC))})
            changed.append(alert)
            if event.kind != "anomaly_cleared":
                standing[anomaly] = alert
        await self._post(changed, standing)
        self._open = standing

    async def keep_alive(self) -> None:
        """See `StandingSink`."""
        now = rfc3339(datetime.now(UTC))
        await self._post([*self._open.values(), *(alert | {"endsAt": now} for alert in self._over)], self._open)
        self._over.clear()

    async def close(self) -> None:
        """See `Sink`."""
        await self._target.close()

    async def _post(self, alerts: Iterable[Alert], standing: dict[str, Alert]) -> None:
        """Say these alerts; what still stands with the same labels goes on, whatever of it has ended."""
        until = rfc3339(datetime.now(UTC) + _MISSED * timedelta(seconds=self.keep_alive_s))
        going_on = {_key(alert): alert for alert in standing.values()}
        said = {}
        for alert in alerts:
            goes_on = going_on.get(_key(alert))
            said[_key(alert)] = alert if goes_on is None else goes_on | {"endsAt": until}
        if said:
            await self._target.post(json.dumps(list(said.values())).encode(), "application/json")

    def _alert(self, event: SinkEvent, before: Alert | None) -> Alert:
        values = event.values
        labels = {
            "alertname": "KinesegAnomaly",
            "kind": values["anomaly_kind"],
            "class": values["anomaly_class"],
            "severity": level(event),
            **({"rule": values["rule"]} if values.get("rule") else {}),
            **({"session": event.session_id} if self._session_label else {}),
            **self._labels,
        }
        annotations = {
            "summary": f"{event.session_id}: {values['text']}",
            "description": f"{values['text']}; as bad as this is expected once in {values['severity']:.3g} hours",
            "runbook_url": self._links.runbook(event),
            "page_url": self._links.page(event),
            "stream_id": event.stream_id,
            "anomaly_id": str(values["anomaly_id"]),
        }
        now = datetime.now(UTC)
        begins = min(time_of(event, values["time_s"]), now)  # whatever the server's clock says
        alert: Alert = {"labels": labels, "annotations": {name: text for name, text in annotations.items() if text}}
        alert["startsAt"] = rfc3339(begins) if before is None else min(before["startsAt"], rfc3339(begins))
        if page := self._links.page(event):
            alert["generatorURL"] = page
        if event.kind == "anomaly_cleared":
            end = min(max(time_of(event, values["end_time_s"]), begins), now)
            alert["endsAt"] = rfc3339(now + self._keep_firing if self._keep_firing else end)
        return alert


def _key(alert: Alert) -> str:
    return json.dumps(alert["labels"], sort_keys=True)


def open_alertmanager(address: SinkAddress) -> Sink:
    """``alertmanager+http://HOST:9093``, or ``alertmanager+https``."""
    return Alertmanager(address)
