"""Teaching a name by a segment that an open stream has closed."""

from __future__ import annotations

from kineseg_core.errors import CannotTeach
from kineseg_core.generic import SCRATCH
from kineseg_core.naming import Example, NamedExamples

from kineseg_service.errors import UnknownSegment
from kineseg_service.names.keeper import NameKeeper
from kineseg_service.streams.live import LiveStreams


async def teach_segment(
    streams: LiveStreams, names: NameKeeper, session_id: str, segment_id: int, name: str, source: str = ""
) -> NamedExamples:
    """Teaches it.

    Args:
        streams: The open ones.
        names: Where it is kept.
        session_id: Name of the stream's session, or the stream's id.
        segment_id: Number of the segment.
        name: What it is called.
        source: Where the example is from; empty: the session and the segment.

    Raises:
        UnknownSession: There is no such stream.
        UnknownSegment: It has no such finished segment to learn from.
        CannotTeach: There is no name bank, or the model cannot learn names.
    """
    live = streams.get(session_id, field="segment.session_id")
    config = live.session.config
    check_learns(config.model, "segment.session_id")
    _, segments = await streams.describe(live)
    segment = next((segment for segment in segments if segment.segment_id == segment_id), None)
    if segment is None or not segment.embedding:
        reason = "it is too short"
        if segment is None:
            reason = "it is not closed yet, was retracted, or lies too far back"
        raise UnknownSegment(
            f"session {config.session_id!r} has no finished segment {segment_id} to learn from: {reason}",
            field="segment.segment_id",
        )
    frames = f"frames {segment.start_frame}:{segment.end_frame}"
    source = source or f"session {config.session_id}, segment {segment.segment_id}, {frames}"
    return await names.teach(name, config.model, Example.of(segment.embedding, source))


def check_learns(model: str, field: str) -> None:
    """Raises `CannotTeach` if a model learns every stream anew."""
    if model == SCRATCH:
        raise CannotTeach(
            f"model {SCRATCH!r} learns every stream anew, so that names cannot be carried over: use a trained model",
            field=field,
        )
