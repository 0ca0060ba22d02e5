"""The events of an example, a line each."""

from __future__ import annotations

from kineseg_core.anomalies import Cleared, Raised

from evaluation.alerts.kinds.show import Emitted, Shown


def lines(shown: Shown) -> list[str]:
    """What was emitted, in its order."""
    return [_line(each) for each in shown.emitted]


def _line(emitted: Emitted) -> str:
    event = emitted.event
    what = "raised" if isinstance(event, Raised) else "cleared" if isinstance(event, Cleared) else "updated"
    return (
        f"{emitted.time_s:7.2f} s  {what:<7}  {event.kind.value:<8}  since {event.since_s:6.2f} s  "
        f"once in {_hours(event.severity_h)}  {event.text}"
    )


def _hours(hours: float) -> str:
    return f"{hours:5.0f} h" if hours >= 10.0 else f"{hours:5.1f} h"
