"""Sensors without a body: worn ones with faults put in, and two sets with real events."""

from __future__ import annotations

import json

from evaluation.alerts.stream import AlertStream
from evaluation.quality.places import data_folder
from evaluation.quality.sets import recorded

_AFTER_S = {"skab": 2.0}  # so long after an event an alarm still is about it, as the common scoring script has it


def worn(name: str) -> list[AlertStream]:
    """The streams of a set of sensors in which nothing is wrong."""
    streams = []
    for each in recorded.load(name, "scratch"):
        rate = each.rate
        boundaries = tuple((each.truth[:, 1] / rate).tolist())
        unlabelled = tuple((start / rate, end / rate) for start, end in each.ignore)
        streams.append(AlertStream(name, each.name, each.recording, (), boundaries, unlabelled=unlabelled))
    return streams


def with_events(name: str) -> list[AlertStream]:
    """The streams of a set with real events: falls of people, faults of a rig."""
    facts = json.loads((data_folder(name) / recorded.LABELS).read_text())["streams"]
    after_s = _AFTER_S.get(name, 0.0)
    streams = []
    for each in recorded.load(name, "scratch"):
        rate, events = each.rate, facts[each.name]["events"]
        spans = tuple((start / rate, end / rate + after_s) for start, end, _ in events)
        ignore = tuple((start / rate, end / rate) for start, end in each.ignore)
        streams.append(AlertStream(name, each.name, each.recording, events=spans, ignore=ignore))
    return streams
