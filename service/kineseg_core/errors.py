"""What the algorithm refuses, and what fails in it. Each error has a reason and knows whether trying again helps.

CoreError
├── InvalidRequest        a request that can never succeed
│   ├── OutOfRange        a number outside of its bounds
│   └── InvalidFrame      a chunk of frames that is malformed
├── WrongChannels         the channels are not the model's
├── UnknownModel
├── UnknownName
├── CannotTeach           there is no name bank, or the model cannot learn names
├── Full                  retry: another stream may end
└── StepFailed            reports an error id and nothing of the inside

BadBundle, BadFile (BadBank, BadRules), BadSnapshot, BadSetting and CannotStart stand apart: they are of what is
loaded and opened, before there is a stream.
"""

# ruff: noqa: N818 - they are named for what is wrong, as status codes are
from __future__ import annotations

import secrets
from typing import ClassVar


class CannotStart(RuntimeError):
    """What was asked for does not work on this machine as it is: a port is taken, or a device is missing."""


class BadSetting(ValueError):
    """A setting cannot be used, which is only known once what it names has been looked at. The message names it."""


class CoreError(Exception):
    """A refusal that whoever feeds a stream sees.

    Args:
        message: What is wrong and what helps, for a person to read.
        field: The field of the request that is at fault; empty when there is none.
        reason: What is wrong, for a program to read: one of `ErrorReason` in errors.proto, without its prefix. Empty:
            that of the class.
        minimum, maximum: Between what the field must lie, or the limit that has been reached; none: not bounded.

    Attributes:
        error_id: Of a failure, which the log has under it; empty otherwise.
        limit: Name of the limit that has been reached, where it is one of several; empty otherwise.
        retry_after_s: When trying again may help; none: not known.
    """

    retryable: ClassVar[bool] = False
    default_reason: ClassVar[str] = "INTERNAL"

    def __init__(
        self,
        message: str,
        *,
        field: str = "",
        reason: str = "",
        minimum: float | None = None,
        maximum: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.reason = reason or self.default_reason
        self.minimum = minimum
        self.maximum = maximum
        self.error_id = ""
        self.limit = ""
        self.retry_after_s: float | None = None


class InvalidRequest(CoreError):
    """The request is malformed."""

    default_reason = "FIELD_INVALID"


class OutOfRange(InvalidRequest):
    """A number lies outside of its bounds."""

    default_reason = "FIELD_OUT_OF_RANGE"


class InvalidFrame(InvalidRequest):
    """A chunk of frames is malformed."""

    default_reason = "CHUNK_MALFORMED"


class WrongChannels(CoreError):
    """The channels of the stream are not those of the model."""

    default_reason = "CHANNELS_MISMATCH"


class UnknownModel(CoreError):
    """No model has that name."""

    default_reason = "MODEL_UNKNOWN"


class UnknownName(CoreError):
    """No such name has been taught."""

    default_reason = "NAME_UNKNOWN"


class CannotTeach(CoreError):
    """Names cannot be taught here: there is no name bank, or the model's embedding space is each stream's own."""

    default_reason = "MODEL_CANNOT_LEARN"


class Full(CoreError):
    """There is no room for another stream."""

    retryable = True
    default_reason = "SERVER_FULL"


class StepFailed(CoreError):
    """Something failed inside; the log has the details under the same error id."""

    def __init__(self, what: str) -> None:
        error_id = secrets.token_hex(6)
        super().__init__(f"{what} (error id {error_id})")
        self.error_id = error_id


class BadBundle(Exception):
    """A model bundle was refused.

    Args:
        bundle: Where the bundle lies.
        file: The file in it that is at fault.
        reason: What is wrong with it.
    """

    def __init__(self, bundle: object, file: str, reason: str) -> None:
        super().__init__(f"model bundle {bundle}: {file}: {reason}")
        self.bundle = str(bundle)
        self.file = file
        self.reason = reason


class BadSnapshot(Exception):
    """A snapshot was refused: no stream can go on from it here. The message says why."""


class BadFile(Exception):
    """A file was refused.

    Args:
        path: Where it lies.
        reason: What is wrong with it.
    """

    what: ClassVar[str] = "file"

    def __init__(self, path: object, reason: str) -> None:
        super().__init__(f"{self.what} {path}: {reason}")
        self.path = str(path)
        self.reason = reason


class BadBank(BadFile):
    """A name bank was refused."""

    what = "name bank"


class BadRules(BadFile):
    """A rules file was refused."""

    what = "rules"
