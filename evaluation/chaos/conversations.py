"""What is said to every remote call when no one means well: conversations that are malformed, out of order, cut off, or
much too long.

Which calls there are, and what they take, is read from the contracts, so that a new one is said everything to as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

import numpy as np
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from kineseg.v1 import segmentation_pb2 as pb

from evaluation.chaos.mutator import Mutator

SERVICE = pb.DESCRIPTOR.services_by_name["SegmentationService"]
_CHANNELS = 3
_NAMES = tuple(f"channel {at}" for at in range(_CHANNELS))
_OVERSIZED = 5 << 20  # beyond what a server takes
_LONGEST = 12


@dataclass(frozen=True)
class Conversation:
    """What is said in a call.

    Attributes:
        method: Which.
        messages: As bytes; a call that takes one message gets the first.
    """

    method: MethodDescriptor
    messages: list[bytes]

    @property
    def path(self) -> str:
        """Of the call."""
        return f"/{SERVICE.full_name}/{self.method.name}"


def conversations(seed: int) -> Iterator[Conversation]:
    """Without end; the same for the same seed."""
    random = Random(seed)
    mutator = Mutator(random)
    while True:
        method = random.choice(SERVICE.methods)
        messages = _said(method, mutator, random) if method.client_streaming else [mutator.message(method.input_type)]
        yield Conversation(method, _spoilt(messages, mutator, random))


def _said(method: MethodDescriptor, mutator: Mutator, random: Random) -> list[Message]:
    """What would be well, where it is known what that is: what is spoilt of it goes further than what is not."""
    known = _WELL.get(method.input_type.full_name)
    if known is not None and random.random() < 0.8:
        return known(random)
    return [mutator.message(method.input_type) for _ in range(random.randrange(1, _LONGEST))]


def _spoilt(messages: list[Message], mutator: Mutator, random: Random) -> list[bytes]:
    """Some are changed, left out, said twice or in another order; then some of their bytes are."""
    said = [mutator.mutated(each) if random.random() < 0.3 else each for each in messages]
    match random.randrange(6):
        case 0:
            random.shuffle(said)
        case 1:
            said = said + said[: random.randrange(len(said) + 1)]
        case 2:
            del said[random.randrange(len(said))]
        case _:
            pass
    found = [each.SerializeToString() for each in said]
    found = [mutator.damaged(each) if random.random() < 0.1 else each for each in found]
    if random.random() < 0.001:
        found.append(bytes(_OVERSIZED))
    return found or [b""]


def _segment(random: Random) -> list[Message]:
    return [
        pb.SegmentRequest(config=_config(random)),
        *(pb.SegmentRequest(chunk=pb.FrameChunk(first_frame=at, data=data)) for at, data in _chunks(random)),
        pb.SegmentRequest(end=pb.EndInput()),
    ]


def _segment_many(random: Random) -> list[Message]:
    numbers = range(1, random.randrange(2, 5))
    opens = [pb.OpenSession(session=number, config=_config(random)) for number in numbers]
    said = [pb.SegmentManyRequest(opens=opens)]
    for at, data in _chunks(random):
        each = len(numbers)
        columns = {"sessions": numbers, "first_frames": [at] * each, "chunk_bytes": [len(data)] * each}
        said.append(pb.SegmentManyRequest(data=data * each, **columns))  # type: ignore[arg-type]
    return [*said, pb.SegmentManyRequest(ends=numbers)]


def _config(random: Random) -> pb.StreamConfig:
    return pb.StreamConfig(
        model="scratch",
        channels=_NAMES,
        frame_rate_hz=30.0,
        frame_results=random.random() < 0.2,
        resumable=random.random() < 0.2,
        return_profile=random.random() < 0.2,
    )


def _chunks(random: Random) -> Iterator[tuple[int, bytes]]:
    """First frame and data."""
    at = 0
    for _ in range(random.randrange(1, _LONGEST)):
        frames = random.randrange(1, 30)
        values = np.array([random.gauss(0.0, 1.0) for _ in range(frames * _CHANNELS)], "<f4")
        if random.random() < 0.2:
            values[random.randrange(len(values))] = random.choice((np.nan, np.inf, 1e30, -1e9, 0.0))
        yield at, values.tobytes()
        at += frames


_WELL: dict[str, Callable[[Random], list[Message]]] = {
    pb.SegmentRequest.DESCRIPTOR.full_name: _segment,
    pb.SegmentManyRequest.DESCRIPTOR.full_name: _segment_many,
}
