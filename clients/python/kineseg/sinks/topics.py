"""Topics that events are published under: a prefix, the session, the kind."""

from __future__ import annotations

import re
from urllib.parse import unquote

from kineseg.sinks.address import SinkAddress
from kineseg.sinks.errors import SinkError
from kineseg.sinks.event import SinkEvent

_USUAL = "kineseg"


class Topics:
    """Names of topics.

    Args:
        address: The sink's; its path is the prefix, ``kineseg`` unless it has one.
        separator: Between the levels of a topic.
        reserved: What else may not stand in a level.

    Raises:
        SinkError: The path is no prefix.
    """

    def __init__(self, address: SinkAddress, separator: str, reserved: str) -> None:
        self.prefix = unquote(address.path.strip("/")) or _USUAL
        self._separator = separator
        self._not_in_a_level = re.compile(rf"[\s\0{re.escape(reserved + separator)}]")
        if any(self._not_in_a_level.search(level) or not level for level in self.prefix.split(separator)):
            raise SinkError(f"{address.where}: {self.prefix!r} is no prefix of topics: leave out blanks and {reserved}")

    def of(self, event: SinkEvent) -> str:
        """The topic of an event; what may not stand in its session's name is ``_`` there."""
        return self._separator.join((self.prefix, self._not_in_a_level.sub("_", event.session_id) or "_", event.kind))
