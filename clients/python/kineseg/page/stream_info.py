"""What a page is sent of a stream when it begins."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamInfo:
    """A stream as a page shows it.

    Attributes:
        stream: Its id, which no other stream has.
        name: What people call it: its session, the performer, the recording.
        tenant: Whose it is; only who may see this tenant's streams is shown it.
        model: Name of its model.
        rate_hz: Frames per second that its source claims.
        channels: Names of the channels of the frames that are shown; the canonical ones are drawn as a body.
        boundary_threshold: See `kineseg.Opened.boundary_threshold`.
        alarms_per_hour: See `kineseg.Opened.alarms_per_hour`.
        reports_per_hour: See `kineseg.Opened.reports_per_hour`.
        source: Where its frames come from, in words.
        synthetic: The motion was made up by a program.
    """

    stream: str
    name: str
    tenant: str = ""
    model: str = ""
    rate_hz: float = 0.0
    channels: tuple[str, ...] = ()
    boundary_threshold: float = 0.0
    alarms_per_hour: float = 0.0
    reports_per_hour: float = 0.0
    source: str = ""
    synthetic: bool = False

    def to_dict(self) -> dict[str, Any]:
        """For JSON, without what is only for the server's side."""
        values = asdict(self)
        del values["tenant"], values["channels"]
        return values
