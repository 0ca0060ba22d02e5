"""kineseg: the Python SDK of a streaming online segmentation service for motion.

    with kineseg.Client("localhost:50051") as client, client.stream(rate=120) as stream:
        stream.send(frames)
        stream.end_input()
        for event in stream:
            print(event)

`kineseg.motion` (readers, skeletons, the canonical pose, synthetic motion) is imported apart. The names here are loaded
on use, so that `kineseg.motion` can be imported where there is no gRPC.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from kineseg._version import __version__

if TYPE_CHECKING:
    from kineseg._aio import AsyncClient
    from kineseg._aio_stream import AsyncStream
    from kineseg._aio_streams import AsyncSharedStream, AsyncStreams
    from kineseg._aio_watch import AsyncWatch
    from kineseg._client import Client
    from kineseg._config import Decisions, Limits, StreamConfig
    from kineseg._errors import (
        AccessDenied,
        AlreadyExists,
        BacklogError,
        Cancelled,
        CertificateError,
        ClientClosed,
        FailedPrecondition,
        Internal,
        InvalidRequest,
        KinesegError,
        LimitReached,
        NotAuthenticated,
        NotFound,
        RequestError,
        ResourceExhausted,
        ServerError,
        ServerFull,
        StreamBusy,
        StreamClosed,
        Timeout,
        Unavailable,
        Unsupported,
        UsageError,
        WrongChannels,
    )
    from kineseg._events import (
        AnomalyClass,
        AnomalyCleared,
        AnomalyKind,
        AnomalyRaised,
        AnomalyUpdated,
        Event,
        EventKind,
        FrameResult,
        Gap,
        LabelsMerged,
        MissingValues,
        Reconnected,
        SegmentClosed,
        SegmentRetracted,
        SegmentStarted,
        SegmentUpdated,
        Summary,
        WatchedEvent,
        event_from_dict,
    )
    from kineseg._info import EndReason, Health, Model, Opened, Segment, SessionDetail, SessionInfo, Totals
    from kineseg._model_input import ModelInput
    from kineseg._naming import TaughtName
    from kineseg._provisional_segments import ProvisionalSegment, provisional_segments
    from kineseg._schema import event_schema
    from kineseg._segmentation import Segmentation
    from kineseg._segmenter import Segmenter, segment
    from kineseg._stream import Stream
    from kineseg._stream_life import StreamState
    from kineseg._streams import SharedStream, Streams
    from kineseg._trust import TLS
    from kineseg._watch import Watch
    from kineseg.motion import Joints

__all__ = [
    "TLS",
    "AccessDenied",
    "AlreadyExists",
    "AnomalyClass",
    "AnomalyCleared",
    "AnomalyKind",
    "AnomalyRaised",
    "AnomalyUpdated",
    "AsyncClient",
    "AsyncSharedStream",
    "AsyncStream",
    "AsyncStreams",
    "AsyncWatch",
    "BacklogError",
    "Cancelled",
    "CertificateError",
    "Client",
    "ClientClosed",
    "Decisions",
    "EndReason",
    "Event",
    "EventKind",
    "FailedPrecondition",
    "FrameResult",
    "Gap",
    "Health",
    "Internal",
    "InvalidRequest",
    "Joints",
    "KinesegError",
    "LabelsMerged",
    "LimitReached",
    "Limits",
    "MissingValues",
    "Model",
    "ModelInput",
    "NotAuthenticated",
    "NotFound",
    "Opened",
    "ProvisionalSegment",
    "Reconnected",
    "RequestError",
    "ResourceExhausted",
    "Segment",
    "SegmentClosed",
    "SegmentRetracted",
    "SegmentStarted",
    "SegmentUpdated",
    "Segmentation",
    "Segmenter",
    "ServerError",
    "ServerFull",
    "SessionDetail",
    "SessionInfo",
    "SharedStream",
    "Stream",
    "StreamBusy",
    "StreamClosed",
    "StreamConfig",
    "StreamState",
    "Streams",
    "Summary",
    "TaughtName",
    "Timeout",
    "Totals",
    "Unavailable",
    "Unsupported",
    "UsageError",
    "Watch",
    "WatchedEvent",
    "WrongChannels",
    "__version__",
    "event_from_dict",
    "event_schema",
    "provisional_segments",
    "segment",
]

# Where each name comes from; what is given to type checkers above must be given here, too, which a test checks.
_HOMES = {
    "_aio": "AsyncClient",
    "_aio_stream": "AsyncStream",
    "_aio_streams": "AsyncSharedStream AsyncStreams",
    "_aio_watch": "AsyncWatch",
    "_client": "Client",
    "_config": "Decisions Limits StreamConfig",
    "_errors": (
        "AccessDenied AlreadyExists BacklogError Cancelled CertificateError ClientClosed FailedPrecondition "
        "Internal InvalidRequest KinesegError LimitReached NotAuthenticated NotFound RequestError ResourceExhausted "
        "ServerError ServerFull StreamBusy StreamClosed Timeout Unavailable Unsupported UsageError WrongChannels"
    ),
    "_events": (
        "AnomalyClass AnomalyCleared AnomalyKind AnomalyRaised AnomalyUpdated Event EventKind FrameResult Gap "
        "LabelsMerged MissingValues Reconnected SegmentClosed SegmentRetracted SegmentStarted SegmentUpdated Summary "
        "WatchedEvent event_from_dict"
    ),
    "_info": "EndReason Health Model Opened Segment SessionDetail SessionInfo Totals",
    "_model_input": "ModelInput",
    "_naming": "TaughtName",
    "_provisional_segments": "ProvisionalSegment provisional_segments",
    "_schema": "event_schema",
    "_segmentation": "Segmentation",
    "_segmenter": "Segmenter segment",
    "_stream": "Stream",
    "_stream_life": "StreamState",
    "_streams": "SharedStream Streams",
    "_trust": "TLS",
    "_watch": "Watch",
    "motion": "Joints",
}
_HOME = {name: home for home, names in _HOMES.items() for name in names.split()}

if not TYPE_CHECKING:  # which would take any name for one of ours

    def __getattr__(name: str) -> object:
        """Loads a name on its first use (PEP 562)."""
        if name not in _HOME:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
