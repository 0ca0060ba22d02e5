"""Events from their flat form for JSON."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any

import numpy as np

from kineseg._errors import InvalidRequest
from kineseg._events.anomalies import AnomalyCleared, AnomalyRaised, AnomalyUpdated
from kineseg._events.anomaly_kinds import AnomalyClass, AnomalyKind
from kineseg._events.emission_time import from_rfc3339
from kineseg._events.event import Event, EventKind
from kineseg._events.missing import Gap, MissingValues
from kineseg._events.segments import LabelsMerged, SegmentClosed, SegmentRetracted, SegmentStarted, SegmentUpdated
from kineseg._events.summary import Summary
from kineseg._info import EndReason

EVENT_TYPES: dict[EventKind, type[Event]] = {
    kind.kind: kind
    for kind in (
        SegmentStarted,
        SegmentUpdated,
        SegmentRetracted,
        SegmentClosed,
        LabelsMerged,
        AnomalyRaised,
        AnomalyUpdated,
        AnomalyCleared,
        Gap,
        MissingValues,
        Summary,
    )
}


def event_from_dict(values: Mapping[str, Any]) -> Event:
    """The event that `Event.to_dict` made `values` from.

    Keys that the event does not have are passed over, and those that have a default may be absent, so that files of
    other versions can be read.

    Raises:
        InvalidRequest: The kind is not known, or a key is missing; `field` names it.
    """
    try:
        kind = EVENT_TYPES[EventKind(str(values.get("kind")))]
    except (ValueError, KeyError):
        known = ", ".join(EVENT_TYPES)
        raise InvalidRequest(f"no event kind {values.get('kind')!r}; there are: {known}", field="kind") from None
    arguments = {entry.name: values[entry.name] for entry in fields(kind) if entry.name in values}
    missing = [entry.name for entry in fields(kind) if entry.name not in values and entry.default is MISSING]
    if missing:
        raise InvalidRequest(f"a {kind.kind} event needs {', '.join(missing)}", field=missing[0])
    if "emitted_at" in values:
        arguments["emitted_unix_ns"] = from_rfc3339(values["emitted_at"])
    for names in ("channels", "joints"):
        if names in arguments:
            arguments[names] = tuple(arguments[names])
    if "embedding" in arguments:
        try:
            arguments["embedding"] = tuple(np.asarray(arguments["embedding"], dtype=np.float32).tolist())
        except (TypeError, ValueError) as error:
            raise InvalidRequest(f"embedding must be a list of numbers ({error})", field="embedding") from None
    choices: type[enum.StrEnum]
    for key, choices in (
        ("reason", EndReason),
        ("anomaly_class", AnomalyClass),
        ("anomaly_kind", AnomalyKind),
    ):
        if key in arguments:
            try:
                arguments[key] = choices(arguments[key])
            except ValueError:
                known = ", ".join(choices)
                raise InvalidRequest(f"no {key} {arguments[key]!r}; there are: {known}", field=key) from None
    return kind(**arguments)
