"""An event on its way to a sink."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

_PROVISIONAL = ("segment_started", "segment_updated")


@dataclass(frozen=True, eq=False)
class SinkEvent:
    """An event, and the session that it happened in.

    Attributes:
        values: What `kineseg.Event.to_dict` gives, as `kineseg.event_schema` describes it.
        session_id: Name of the session.
    """

    values: Mapping[str, Any]
    session_id: str

    @property
    def id(self) -> str:
        """What no other event has: by it a receiver knows what comes twice."""
        return str(self.values["id"])

    @property
    def stream_id(self) -> str:
        """The stream, in which order is kept."""
        return str(self.values["stream_id"])

    @property
    def kind(self) -> str:
        """Its kind."""
        return str(self.values["kind"])

    @property
    def emitted_at(self) -> str:
        """When it was emitted: RFC 3339 in UTC."""
        return str(self.values["emitted_at"])

    @property
    def is_provisional(self) -> bool:
        """Whether it is about a segment that may be retracted, or was: what is final does not need it."""
        return self.kind == "segment_retracted" or (self.kind in _PROVISIONAL and not self.values["confirmed"])

    @property
    def flat(self) -> dict[str, Any]:
        """What is delivered: its values, and ``session_id``."""
        return {**self.values, "session_id": self.session_id}

    @cached_property
    def json(self) -> str:
        """The same as one line of JSON."""
        return json.dumps(self.flat, allow_nan=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> SinkEvent:
        """The event whose `json` that is."""
        values = json.loads(text)
        return cls(values, values.pop("session_id"))
