"""A tenant that looks for the streams of another, by every call that takes the id of one."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import grpc
import kineseg
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from evaluation.chaos.conversations import SERVICE
from evaluation.chaos.knock import knock
from evaluation.chaos.streams import RATE, take

# What says which stream is meant, wherever it stands in a request.
_WHICH = ("session_id", "stream_id")
_NOWHERE = "0198f3c2-6a3e-7c1d-9b52-0d5a6d0c7f11"
_NAME = "0198f3c2-6a3e-7c1d-9b52-of-another-1"  # as long as an id, which answers repeat
_DEEPEST = 3


@dataclass(frozen=True)
class Looked:
    """What came of it.

    Attributes:
        count: How often it was looked.
        given_away: How many answers gave away that there is such a stream.
        ratio: How much longer those took that are about one.
        example: Of answers that gave it away.
    """

    count: int
    given_away: int
    ratio: float
    example: str


def look_for_others(address: str, channel: grpc.Channel, owner: str, thief: str, count: int) -> Looked:
    """Asks for a stream of another tenant's, by its id and by its name, and for one that no one has, by turns.

    Args:
        address: Of the server.
        channel: Of the thief's.
        owner, thief: Tokens of the two tenants.
        count: How often.
    """
    with kineseg.Client(address, token=owner) as client, client.stream(rate=RATE, session_id=_NAME) as stream:
        stream.send(take(0, 20.0)[:300])
        stream.flush()
        stream_id, resume_token = stream.stream_id, stream.opened.resume_token
        ways = [
            (method, way)
            for method in SERVICE.methods
            if method.client_streaming or not method.server_streaming  # a watcher gets what is to come
            for way in _ways(method.input_type)
        ]
        given_away, example = 0, ""
        took_s: dict[str, list[float]] = {stream_id: [], _NAME: [], _NOWHERE: []}
        for number in range(count):
            method, way = ways[number % len(ways)]
            answers = set()
            for which, times in took_s.items():
                request = _asking(method.input_type, way, which, resume_token)
                began = time.perf_counter()
                answer = knock(channel, method, thief, request)
                times.append(time.perf_counter() - began)
                answers.add((answer.code, answer.text.replace(which, "...")))
            if len(answers) > 1:
                given_away += 1
                example = f"; {method.name}: {answers}"
        stream.cancel()
    ratio = statistics.median(took_s[stream_id]) / statistics.median(took_s[_NOWHERE])
    return Looked(count, given_away, ratio, example)


def _ways(kind: Descriptor, depth: int = 0) -> Iterator[tuple[str, ...]]:
    """Where in a request it is said which stream is meant, as names of fields from without to within."""
    if any(field.name == "frame_rate_hz" for field in kind.fields):
        return  # a stream of one's own is given a name
    for field in kind.fields:
        if field.name in _WHICH and field.type == FieldDescriptor.TYPE_STRING:
            yield (field.name,)
        elif field.message_type is not None and depth < _DEEPEST:
            for way in _ways(field.message_type, depth + 1):
                yield (field.name, *way)


def _asking(kind: Descriptor, way: tuple[str, ...], which: str, token: str) -> Message:
    """A request for this stream, with what else is needed so that it could be answered."""
    request = GetMessageClass(kind)()
    inner: Any = request
    for name in way[:-1]:
        inner = getattr(inner, name)
        if hasattr(inner, "add"):
            inner = inner.add()
        _fill(inner, session=1, resume_token=token, segment_id=1)
    setattr(inner, way[-1], which)
    _fill(request, name="a name")
    return request


def _fill(message: Any, **values: object) -> None:
    for name, value in values.items():
        if name in message.DESCRIPTOR.fields_by_name:
            setattr(message, name, value)
