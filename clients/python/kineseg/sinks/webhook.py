"""``webhook+https://…``: events in the form that a receiver knows, such as Slack or PagerDuty, by a template."""

from __future__ import annotations

from collections.abc import Sequence

from kineseg.sinks.address import SinkAddress
from kineseg.sinks.alarm import LINKS
from kineseg.sinks.errors import SinkError
from kineseg.sinks.event import SinkEvent
from kineseg.sinks.http import OPTIONS, PREFIXES, HttpTarget
from kineseg.sinks.sink import Sink
from kineseg.sinks.template import Template
from kineseg.sinks.terms import Terms

_JSON = "application/json"


class Webhook:
    """Posts events one by one, as a template makes them.

    Args:
        address: Where to; options ``template``, ``var.NAME``, ``page``, ``runbook``, and those of `HttpTarget`.

    Raises:
        SinkError: An option cannot be used, or there is no template.
    """

    linger_s = 0.0

    def __init__(self, address: SinkAddress) -> None:
        address.check_options(["template", *LINKS, *OPTIONS], ("var.", *PREFIXES))
        if not address.text("template"):
            raise SinkError(f"{address.where}: say what is posted, such as #template=slack, or use cloudevents+https")
        self._template = Template(address)
        self._target = HttpTarget(address)
        self.terms = Terms.of(address, batch=1, kinds=self._template.kinds)
        self.where = self._target.where

    async def deliver(self, events: Sequence[SinkEvent]) -> None:
        """See `Sink`."""
        for event in events:
            made = self._template.message(event)
            await self._target.post(made.body, _JSON, message_id=event.id, url=made.to, headers=made.headers)

    async def close(self) -> None:
        """See `Sink`."""
        await self._target.close()


def open_webhook(address: SinkAddress) -> Sink:
    """``webhook+https://HOST/PATH#template=FILE``, or ``webhook+http``."""
    return Webhook(address)
