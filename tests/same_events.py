"""Whether two streams gave the same events: all of them but which stream it was, and when they were emitted."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import TypeVar

import kineseg
from kineseg.v1 import segmentation_pb2 as pb
from kineseg_core import events as core_events

Item = TypeVar("Item")


def content(items: Iterable[Item]) -> list[Item]:
    """The items without what differs between streams of the same frames; what is no event stays as it is."""
    return [_content(item) for item in items]


def _content(item: Item) -> Item:
    match item:
        case kineseg.Event():
            return dataclasses.replace(item, stream_id="", emitted_unix_ns=None)
        case core_events.Event():
            return dataclasses.replace(item, stream_id="", emitted_unix_ns=0)
        case pb.Event():
            copy = type(item)()
            copy.CopyFrom(item)
            copy.ClearField("stream_id")
            copy.ClearField("emitted_unix_ns")
            return copy
        case pb.SegmentResponse() if item.HasField("event"):
            [event] = content([item.event])
            return pb.SegmentResponse(event=event)  # type: ignore[return-value]
        case dict() if "kind" in item:
            return {key: item[key] for key in item if key not in ("id", "stream_id", "emitted_at")}  # type: ignore[return-value]
    return item
