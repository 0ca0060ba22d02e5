"""What a caller may choose about a stream and about a client's limits, checked before anything is sent."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from reprlib import repr as short
from typing import TYPE_CHECKING, Any, Literal, TypedDict, get_args

from kineseg._arguments import flag, number, seconds, text, whole
from kineseg._errors import InvalidRequest

if TYPE_CHECKING:
    from kineseg.motion import Joints

_SESSION_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_RATE_HZ = (1.0, 1000.0)
_LATENCY_S = (0.5, 10.0)
_THRESHOLD = (0.01, 0.99)
_AN_HOUR = (0.01, 1000.0)
_CHUNK_S = (0.001, 10.0)
_MESSAGE_BYTES = (4 << 20, 2**31 - 1)  # from what a server may send to what gRPC can be set to
_LEAST_S = {"in_flight_s": 0.01, "silence_s": 0.1, "stall_s": 0.1, "reconnect_s": 0.1, "keep_s": 0.1}
_ACK_INTERVAL_S = (0.0, 10.0)
_OPTIONAL = (
    ("latency_s", _LATENCY_S, "seconds"),
    ("boundary_threshold", _THRESHOLD, ""),
    ("alarms_per_hour", _AN_HOUR, ""),
    ("reports_per_hour", _AN_HOUR, ""),
)

Decisions = Literal["all", "final", "provisional"]
"""Which decisions about segments are emitted, see `StreamConfig`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamConfig:
    """What is streamed, and what shall come back.

    Attributes:
        rate: Frames per second at which the source captures, 1 to 1000.
        channels: Names of a frame's channels in the order sent: the model's channels in any order. Empty: the model's
            channels in the model's order. With the built-in model ``"scratch"``, which takes any 1 to 512 channels,
            the names are yours to choose, and needed.
        joints: The joints of a body, instead of channels: their positions ``(T, J, 3)`` or rotations are sent, and the
            server makes the canonical pose of them. For models of canonical poses, and for ``"scratch"``.
        model: Name of the model, see `Client.models`. Empty: the server's default model.
        session_id: Name of the session, unique among open ones: 1 to 64 letters, digits, ``.``, ``_`` or ``-``. Empty:
            the stream's id is its name.
        latency_s: No boundary is confirmed later than this many seconds after its frame, 0.5 to 10. None: the server's
            default.
        boundary_threshold: How likely a boundary must be to become final, 0.01 to 0.99: lower gives more boundaries,
            higher fewer, see `kineseg tune`. None: the server's default, which is the model's own unless set up
            otherwise. ``"scratch"`` with fewer than 5 channels has no such probability and refuses it.
        alarms_per_hour: How many alarms an hour may be false, 0.01 to 1000: what is rarer than that is raised as an
            anomaly. None: the server's default, 2.
        reports_per_hour: How many reports an hour about what is done may be about nothing, 0.01 to 1000: actions that
            are new, too long, too short, in unusual order, or repeated otherwise than usual. They are anomalies of the
            class ``"behaviour"``, with a budget of their own; 30 is a good number. None: the server's default, which is
            that behaviour is not watched.
        frame_results: Whether to also receive a `FrameResult` for every frame of the model's rate.
        chunk_s: How many seconds of frames travel in one message, 0.001 to 10; at least one frame does. Longer chunks
            cost less and arrive later; the events are the same.
        decisions: Which decisions about segments to receive, see below.
        profile: What an earlier stream of the same source has taught about it, as `Stream.profile`,
            `Segmenter.profile` or `SessionDetail.profile` gave it: anomalies are then looked for after two seconds.
            Plain values, for ``json.dump``. None: the source is learnt from the beginning.
        return_profile: Whether the server gives the stream's profile at its end, see `Stream.profile`.
        rules: Names, and absences of names, that are anomalies by themselves: the text of a rules file, or a
            `pathlib.Path` of one, which is read at once; see docs/alerts.md. They hold beside the server's own. Not for
            ``"scratch"``, which gives no names.
        ack_interval_s: For how many seconds the server may hold back an acknowledgement, 0 to 10, so that one stands
            for several chunks: where chunks are short there are far fewer messages to read. Events are not held back;
            `flush` may wait for so long. 0: every chunk is acknowledged at once.
        resume: Whether to go on by itself after the connection broke, see docs/streaming.md: the server keeps the
            stream for a while, frames that it has not got are sent again, and a `Reconnected` among the events says so.

    With ``"all"`` a segment may be provisional first (`SegmentStarted` with a confidence), then moved, relabelled and
    confirmed (`SegmentUpdated`) or retracted (`SegmentRetracted`); if confirmed, it is closed in the end
    (`SegmentClosed`).
    ``"final"`` gives only what is certain: a `SegmentStarted` once the start is confirmed, and the `SegmentClosed`.
    ``"provisional"`` gives the same as ``"all"`` but no `SegmentClosed`. Segments, ids and labels are the same with all
    three, and so are all other events.

    Raises:
        InvalidRequest: A value is out of range; `field` names it.
    """

    rate: float
    channels: Sequence[str] = ()
    joints: Joints | None = None
    model: str = ""
    session_id: str = ""
    latency_s: float | None = None
    boundary_threshold: float | None = None
    alarms_per_hour: float | None = None
    reports_per_hour: float | None = None
    frame_results: bool = False
    chunk_s: float = 0.05
    decisions: Decisions = "all"
    profile: Mapping[str, Any] | None = field(default=None, repr=False, hash=False)
    return_profile: bool = False
    rules: str | Path = ""
    ack_interval_s: float = 0.0
    resume: bool = True

    def __post_init__(self) -> None:
        set_to = partial(object.__setattr__, self)
        set_to("channels", channel_names(self.channels))
        set_to("rate", number("rate", self.rate, _RATE_HZ, "frames per second"))
        for name, bounds, unit in _OPTIONAL:
            value = getattr(self, name)
            if value is not None:
                set_to(name, number(name, value, bounds, unit))
        set_to("chunk_s", number("chunk_s", self.chunk_s, _CHUNK_S, "seconds"))
        set_to("ack_interval_s", number("ack_interval_s", self.ack_interval_s, _ACK_INTERVAL_S, "seconds"))
        for name in ("frame_results", "return_profile", "resume"):
            set_to(name, flag(name, getattr(self, name)))
        if not isinstance(self.decisions, str) or self.decisions not in get_args(Decisions):
            known = ", ".join(repr(choice) for choice in get_args(Decisions))
            raise InvalidRequest(f"decisions must be one of {known}, got {short(self.decisions)}", field="decisions")
        text("model", self.model)
        if text("session_id", self.session_id) and not _SESSION_ID.fullmatch(self.session_id):
            raise InvalidRequest(
                f"session_id must be 1 to 64 letters, digits, '.', '_' or '-', got {short(self.session_id)}",
                field="session_id",
            )
        if self.profile is not None and not isinstance(self.profile, Mapping):
            raise InvalidRequest(
                f"profile must be a mapping as `profile` gave it, such as json.load reads; got "
                f"{type(self.profile).__name__}",
                field="profile",
            )
        set_to("rules", _rules(self.rules))
        if self.joints is not None:
            self._check_joints(self.joints)

    def _check_joints(self, joints: object) -> None:
        from kineseg.motion import Joints

        if not isinstance(joints, Joints):
            raise InvalidRequest(f"joints must be kineseg.Joints, got {type(joints).__name__}", field="joints")
        if self.channels:
            raise InvalidRequest("a stream has channels or joints, not both: leave one out", field="joints")


class StreamChoices(TypedDict, total=False):
    """The fields of `StreamConfig` as keyword arguments."""

    rate: float
    channels: Sequence[str]
    joints: Joints | None
    model: str
    session_id: str
    latency_s: float | None
    boundary_threshold: float | None
    alarms_per_hour: float | None
    reports_per_hour: float | None
    frame_results: bool
    chunk_s: float
    decisions: Decisions
    profile: Mapping[str, Any] | None
    return_profile: bool
    rules: str | Path
    ack_interval_s: float
    resume: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much of a stream is kept in this process.

    Attributes:
        in_flight_s: Seconds of frames that may be sent and not yet acknowledged, 0.01 or more; then `send` waits.
        unread: Number of events and frame results that may wait to be read, 1 or more; then `send` raises
            `BacklogError`.
        message_bytes: Largest message that is received, 4194304 (4 MiB) or more.
        silence_s: Seconds that a server may keep silent while frames that were sent wait for its answer, 0.1 or more,
            as the following ones; then the stream ends with `Timeout`.
        stall_s: Seconds of such silence after which a stream that can be resumed goes on over another connection.
        reconnect_s: For so many seconds a server is tried again after the connection to it broke.
        keep_s: Seconds of frames that are kept until the server says that they are safe even if it fails; then `send`
            waits, for `stall_s` at most: where a store fails for longer, the oldest are given up, and the stream would
            not outlive its server. Of a server without a store no more than `in_flight_s` are kept.

    Raises:
        InvalidRequest: A limit is too small, or is none; `field` names it.
    """

    in_flight_s: float = 2.0
    unread: int = 100_000
    message_bytes: int = 16 * 1024 * 1024
    silence_s: float = 60.0
    stall_s: float = 10.0
    reconnect_s: float = 60.0
    keep_s: float = 30.0

    def __post_init__(self) -> None:
        set_to = partial(object.__setattr__, self)
        set_to("unread", whole("unread", self.unread, 1))
        set_to("message_bytes", whole("message_bytes", self.message_bytes, *_MESSAGE_BYTES))
        for name, least in _LEAST_S.items():
            set_to(name, seconds(name, getattr(self, name), least))


def channel_names(channels: object) -> tuple[str, ...]:
    """The names of a frame's channels.

    Raises:
        InvalidRequest: They are none, or not unique.
    """
    if isinstance(channels, str):
        raise InvalidRequest("channels must be a sequence of names, got one string", field="channels")
    try:
        names = tuple[Any, ...](channels)  # type: ignore[arg-type]
    except TypeError:
        raise InvalidRequest(
            f"channels must be a sequence of names, one for each channel, got {short(channels)}", field="channels"
        ) from None
    if not all(isinstance(name, str) and name for name in names):
        raise InvalidRequest("channels: every channel needs a name", field="channels")
    repeated = sorted(name for name, count in Counter(names).items() if count > 1)
    if repeated:
        raise InvalidRequest(f"channels must be unique; repeated: {', '.join(repeated)}", field="channels")
    return tuple(text("channels", name) for name in names)


def _rules(given: object) -> str:
    if isinstance(given, Path):
        return _text_of(given, "rules")
    if not isinstance(given, str):
        raise InvalidRequest(
            f"rules must be the text of a rules file, or a pathlib.Path of one; got {type(given).__name__}",
            field="rules",
        )
    if given.endswith(".toml"):  # no text of rules ends so, but for a comment
        raise InvalidRequest(f"rules is the text of a rules file: give pathlib.Path({short(given)})", field="rules")
    return text("rules", given)


def _text_of(path: Path, field: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise InvalidRequest(f"{field}: {path} cannot be read ({why}); name another file", field=field) from error
