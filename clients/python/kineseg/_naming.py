"""Teaching names to segments: what has been taught, and how a teaching request is put together."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from reprlib import repr as short
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kineseg._arguments import text
from kineseg._errors import InvalidRequest
from kineseg._events import Event, FrameResult, Reconnected, SegmentClosed
from kineseg._info import Model, Segment
from kineseg._segmentation import SegmentationPlan, plan_segmentation
from kineseg._wire import checked_request
from kineseg.v1 import segmentation_pb2 as pb

if TYPE_CHECKING:
    from kineseg.motion import Recording

_TRIM_S = 0.4  # transitions that are left out at both ends of an example, as the service does with its segments
_LEAST_S = 0.2  # if so much remains


@dataclass(frozen=True, slots=True, kw_only=True)
class TaughtName:
    """A name that has been taught for a model.

    Attributes:
        name: The name.
        model: Name of the model that its examples are of.
        model_sha256: SHA-256 of that model's graph, hexadecimal.
        sources: Where each example comes from, in the order taught.
        in_use: Whether the server runs that very model, so that segments get the name.
    """

    name: str
    model: str
    model_sha256: str
    sources: tuple[str, ...]
    in_use: bool


@dataclass(frozen=True, eq=False)
class ExamplePlan:
    """What to stream to learn where a range of frames lies in a model's embedding space.

    Attributes:
        stream: What to stream: the recording up to the end of the range.
        first: First frame of the range.
        model: The model.
        source: Where the example comes from.
    """

    stream: SegmentationPlan
    first: int
    model: Model
    source: str

    def request(self, name: str, items: Iterable[Event | FrameResult | Reconnected]) -> pb.TeachNameRequest:
        """What to teach, from all that the stream answered.

        Raises:
            InvalidRequest: The range is too short for a single frame of the model.
        """
        inside = [item for item in items if isinstance(item, FrameResult) and item.frame >= self.first]
        if not inside:
            raise InvalidRequest(
                f"model {self.model.name!r} makes no frame of so few ({self.model.rate:g} a second): name more frames",
                field="frames",
            )
        trim, least = round(_TRIM_S * self.model.rate), round(_LEAST_S * self.model.rate)
        if len(inside) > 2 * trim + least:
            inside = inside[trim : len(inside) - trim]
        mean = np.mean([result.embedding for result in inside], axis=0, dtype=np.float64)
        return point_request(name, mean, self.model.name, self.model.sha256, self.source)


def check_one_example(
    session_id: str, segment_id: int | None, example: object, recording: object, frames: object
) -> None:
    """Raises InvalidRequest unless exactly one example was given, and given wholly."""
    if bool(text("session_id", session_id)) != (segment_id is not None):
        raise InvalidRequest("a finished segment is named by both session_id= and segment_id=", field="segment_id")
    if (segment_id is not None) + (example is not None) + (recording is not None) != 1:
        raise InvalidRequest(
            "give one example: session_id= and segment_id=, or example=, or recording= with frames=", field="example"
        )
    if frames is not None and recording is None:
        raise InvalidRequest("frames= is a range of a recording: give recording= too", field="frames")


def plan_example(
    recording: Recording | ArrayLike,
    frames: tuple[int, int] | None,
    *,
    models: Sequence[Model],
    rate: float | None,
    channels: Sequence[str],
    model: str,
    source: str,
) -> ExamplePlan:
    """How to learn where `frames` of a recording lie; see `Client.teach_name`."""
    source = text("source", source)
    whole = plan_segmentation(
        recording,
        models=models,
        rate=rate,
        channels=channels,
        model=model,
        latency_s=None,
        boundary_threshold=None,
        alarms_per_hour=None,
        reports_per_hour=None,
        frame_results=True,
        decisions="final",
        session_id="",
        realtime=False,
        chunk_s=None,
    )
    count = len(whole.frames)
    first, end = (0, count) if frames is None else _range(frames)
    if not 0 <= first < end <= count:
        raise InvalidRequest(
            f"frames must be a range within the recording's {count} frames, such as 0:{count}; got {first}:{end}",
            field="frames",
        )
    times = None if whole.timestamps is None else whole.timestamps[:end]
    stream = SegmentationPlan(config=whole.config, frames=whole.frames[:end], timestamps=times, realtime=False)
    chosen = next(known for known in models if known.name == whole.config.model)
    name = getattr(recording, "name", "") or "an array"
    return ExamplePlan(stream, first, chosen, source or f"{name}, frames {first}:{end}")


def _range(frames: object) -> tuple[int, int]:
    try:
        first, end = map(operator.index, frames)  # type: ignore[call-overload]  # whatever else it is, it is refused
        return first, end
    except (TypeError, ValueError):
        raise InvalidRequest(
            f"frames must be a first frame and the frame after the last one, such as (0, 100); got {short(frames)}",
            field="frames",
        ) from None


def segment_request(name: str, session_id: str, segment_id: int, source: str) -> pb.TeachNameRequest:
    """Teaches a name by a finished segment of an open session."""
    segment = checked_request(pb.FinishedSegment, session_id=session_id, segment_id=segment_id)
    return checked_request(pb.TeachNameRequest, name=name, segment=segment, source=source)


def point_request(name: str, embedding: ArrayLike, model: str, sha256: str, source: str) -> pb.TeachNameRequest:
    """Teaches a name by a point of a model's embedding space.

    Raises:
        InvalidRequest: That is no point.
    """
    try:
        point: NDArray[np.float32] = np.asarray(embedding, dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise InvalidRequest(f"an embedding must be numbers ({error})", field="example") from error
    if point.ndim != 1 or not len(point):
        raise InvalidRequest(f"an embedding has one dimension, got shape {point.shape}", field="example")
    known = checked_request(pb.EmbeddingPoint, model=model, model_sha256=sha256, embedding=point.tolist())
    return checked_request(pb.TeachNameRequest, name=name, point=known, source=source)


def example_request(
    name: str, example: Segment | SegmentClosed | ArrayLike, model: str, sha256: str, source: str
) -> pb.TeachNameRequest:
    """Teaches a name by a finished segment that was emitted, or by a point.

    Raises:
        InvalidRequest: The segment has no embedding, or that is no point.
    """
    if isinstance(example, Segment | SegmentClosed):
        if not example.embedding:
            raise InvalidRequest(
                "the segment has no embedding: those of `Client.session` and of model 'scratch' have none; name the "
                "session and the segment, or teach from the recording",
                field="example",
            )
        where = f"segment {example.segment_id}, frames {example.start_frame}:{example.end_frame}"
        return point_request(name, example.embedding, model, sha256, source or where)
    return point_request(name, example, model, sha256, source)


def taught_from_wire(message: pb.TaughtName) -> TaughtName:
    """One name."""
    return TaughtName(
        name=message.name,
        model=message.model,
        model_sha256=message.model_sha256,
        sources=tuple(message.sources),
        in_use=message.in_use,
    )


def names_from_wire(message: pb.ListNamesResponse) -> tuple[TaughtName, ...]:
    """All names."""
    return tuple(taught_from_wire(name) for name in message.names)
