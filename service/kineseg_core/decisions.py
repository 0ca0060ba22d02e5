"""Which decisions about segments a client gets: all, only the final ones, or only the provisional ones."""

from __future__ import annotations

import enum

from kineseg_core.events import Detail, SegmentClosed, SegmentRetracted, SegmentStarted, SegmentUpdated


class Decisions(enum.Enum):
    """What a client asks for."""

    ALL = "all"
    FINAL = "final"
    PROVISIONAL = "provisional"


def selected(detail: Detail, decisions: Decisions, *, confirms: bool) -> Detail | None:
    """What a client that asked for these decisions gets of `detail`; None: nothing.

    Args:
        detail: What has happened.
        decisions: What the client asked for.
        confirms: It makes the start of its segment certain.
    """
    if decisions is Decisions.PROVISIONAL:
        return None if isinstance(detail, SegmentClosed) else detail
    if decisions is Decisions.FINAL:
        if isinstance(detail, SegmentStarted | SegmentUpdated):
            # The client got no provisional start, so the segment starts for it when it is certain.
            if not confirms:
                return None
            return SegmentStarted(
                detail.segment_id, detail.label, 1.0, True, detail.name, detail.name_confidence,
                detail.repeat_probability,
            )  # fmt: skip
        if isinstance(detail, SegmentRetracted):
            return None
    return detail
