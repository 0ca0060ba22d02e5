"""Which of the SDK's errors each reason is: the reasons are those of ``ErrorReason`` in errors.proto."""

from __future__ import annotations

from kineseg._errors import (
    AlreadyExists,
    FailedPrecondition,
    Internal,
    InvalidRequest,
    KinesegError,
    NotFound,
    ResourceExhausted,
    ServerFull,
    Timeout,
    Unavailable,
    WrongChannels,
)

ERROR_OF_REASON: dict[str, type[KinesegError]] = {
    "FIELD_INVALID": InvalidRequest,
    "FIELD_OUT_OF_RANGE": InvalidRequest,
    "MESSAGE_UNEXPECTED": InvalidRequest,
    "CHUNK_MALFORMED": InvalidRequest,
    "FRAMES_OUT_OF_ORDER": InvalidRequest,
    "CAPTURE_TIMES_INVALID": InvalidRequest,
    "CLOCK_CONTRADICTS_RATE": InvalidRequest,
    "CHANNELS_MISMATCH": WrongChannels,
    "MODEL_UNKNOWN": NotFound,
    "MODEL_CANNOT_LEARN": FailedPrecondition,
    "MODEL_CHANGED": FailedPrecondition,
    "NAME_BANK_MISSING": FailedPrecondition,
    "NAME_BANK_FULL": InvalidRequest,
    "NAME_UNKNOWN": NotFound,
    "SESSION_UNKNOWN": NotFound,
    "SESSION_EXISTS": AlreadyExists,
    "SEGMENT_UNKNOWN": NotFound,
    "SERVER_FULL": ServerFull,
    "SERVER_LOADING": Unavailable,
    "SERVER_DRAINING": Unavailable,
    "SERVER_FAILED": Unavailable,
    "STREAM_IDLE": Timeout,
    "INTERNAL": Internal,
    "WINDOW_EXCEEDED": ResourceExhausted,
}
