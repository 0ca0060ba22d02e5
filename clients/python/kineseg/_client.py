"""The synchronous client."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, Unpack

import grpc
from numpy.typing import ArrayLike

from kineseg import _wire as wire
from kineseg._arguments import flag
from kineseg._calling import Caller, health_check
from kineseg._config import Decisions, Limits, StreamChoices, StreamConfig
from kineseg._core import ClientState, HealthRequest
from kineseg._events import SegmentClosed
from kineseg._info import Health, Model, Segment, SessionDetail, SessionInfo, Totals
from kineseg._mapping import mapped
from kineseg._naming import (
    TaughtName,
    check_one_example,
    example_request,
    names_from_wire,
    plan_example,
    segment_request,
    taught_from_wire,
)
from kineseg._segmentation import Collected, Items, Segmentation, SegmentationPlan, plan_segmentation
from kineseg._stream import Stream
from kineseg._streams import Streams
from kineseg._trust import TLS
from kineseg._watch import Watch
from kineseg.v1 import segmentation_pb2 as pb
from kineseg.v1.segmentation_pb2_grpc import SegmentationServiceStub as Stub

if TYPE_CHECKING:
    from kineseg.motion import Recording


class Client(Caller):
    """A connection to a kineseg server.

    One client serves any number of streams and threads.

    Args:
        address: ``host:port`` of the server; the port is 50051 unless given. Several, with commas between them or as a
            sequence: the first is asked as long as it answers, then the next one; streams go on there where the servers
            share what they keep.
        timeout: Seconds that one try of a call, or of opening a stream, may take, 0.01 or more.
        retries: How often a call, or opening a stream, is tried again after a failure that may pass, 0 or more.
        limits: How much of a stream is kept in this process.
        tls: True for TLS, a `TLS`, or the file of the authority that vouches for the server; False for none. None: what
            the environment (``KINESEG_TLS``, ``KINESEG_CA``) or the user's file say, else none; see docs/security.md.
        token: Who calls, where the server asks for that. None: what the environment (``KINESEG_TOKEN``,
            ``KINESEG_TOKEN_FILE``) or the user's file say. It is sent only by TLS, or within this machine.
        credentials: Instead of `tls`, gRPC's own, such as ``grpc.ssl_channel_credentials(...)``.
        metadata: Sent with every call, such as ``{"x-request-id": "..."}``.
        keepalive_s: A connection on which nothing comes, though a call is under way, is tested this often, 1 s or
            more, and has broken if it does not answer within as long again, 20 s at most. Kineseg's servers allow 5 s
            and more; a proxy that is a gRPC server itself may want 300 s.

    Raises:
        InvalidRequest: An argument cannot be used; `field` names it.
    """

    def __init__(
        self,
        address: str | Sequence[str] = "localhost:50051",
        *,
        timeout: float = 10.0,
        retries: int = 3,
        limits: Limits | None = None,
        tls: TLS | bool | str | os.PathLike[str] | None = None,
        token: str | None = None,
        credentials: grpc.ChannelCredentials | None = None,
        metadata: Mapping[str, str] | None = None,
        keepalive_s: float = 20.0,
    ) -> None:
        super().__init__(
            address,
            timeout=timeout,
            retries=retries,
            limits=limits,
            tls=tls,
            token=token,
            credentials=credentials,
            metadata=metadata,
            keepalive_s=keepalive_s,
        )

    def __enter__(self) -> Self:
        self._enter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; streams and watches that are open end with an error."""
        self._state = ClientState.CLOSED
        for channel in self._connections.forget():
            channel.close()

    def models(self) -> tuple[Model, ...]:
        """The models that the server can run, in the order of their names."""
        return self._unary(lambda channel: Stub(channel).ListModels, pb.ListModelsRequest(), wire.models_from_wire)

    def sessions(self) -> tuple[SessionInfo, ...]:
        """The open sessions, in the order of their opening."""
        return self._unary(
            lambda channel: Stub(channel).ListSessions, pb.ListSessionsRequest(), wire.sessions_from_wire
        )

    def session(self, session_id: str, *, with_profile: bool = False) -> SessionDetail:
        """One open session and the segments that it has closed so far.

        Args:
            session_id: Its name, or the id of its stream.
            with_profile: Whether to also get what it has taught about its source so far.

        Raises:
            NotFound: No such session is open.
        """
        request = wire.checked_request(pb.GetSessionRequest, session_id=session_id, with_profile=with_profile)
        return self._unary(lambda channel: Stub(channel).GetSession, request, wire.session_detail_from_wire)

    def close_session(self, session_id: str) -> Totals:
        """End a session as if its client had closed it; waits until that is done.

        Args:
            session_id: Its name, or the id of its stream.

        Raises:
            NotFound: No such session is open.
        """
        request = wire.checked_request(pb.CloseSessionRequest, session_id=session_id)
        return self._unary(
            lambda channel: Stub(channel).CloseSession, request, lambda answer: wire.totals_from_wire(answer.summary)
        )

    def health(self) -> Health:
        """Whether the server takes streams.

        Raises:
            Unavailable: There is no server.
        """
        return self._unary(health_check, HealthRequest(), lambda answer: wire.health_from_wire(answer.value))

    def watch(self, session_id: str = "", *, kinds: Iterable[str] = (), cursor: str = "", resume: bool = True) -> Watch:
        """Events of open and future sessions, from now on: it has subscribed when it returns.

        The server keeps events for some time, an hour unless it is set up otherwise. After a connection broke the watch
        goes on where it was, and gives each event once; `WatchedEvent.dropped` says what it came too late for.

        Args:
            session_id: Only events of this session, by its name or the id of its stream. Empty: of all.
            kinds: Only these kinds, such as ``["segment_closed"]``. Empty: all. Of each session there is to see what
                its own client gets, see `StreamConfig.decisions`.
            cursor: Where to go on: `Watch.cursor` of an earlier watch. ``"begin"``: with all that the server keeps.
            resume: Whether to connect again after the connection broke (for `Limits.reconnect_s`).

        Raises:
            InvalidRequest: There is no such kind, or cursor.
            KinesegError: The server refused, or did not answer within the client's timeout and retries.
        """
        request = self._watch_request(session_id, kinds, cursor)
        self._require_open()
        return Watch(self._connect_watch, request, self._call_settings(), resume=flag("resume", resume))

    def stream(self, config: StreamConfig | None = None, **choices: Unpack[StreamChoices]) -> Stream:
        """A stream, to be entered with ``with``.

        Args:
            config: What is streamed.
            choices: The same as fields of `StreamConfig`; they override those of `config`.

        Raises:
            InvalidRequest: A value is out of range; `field` names it.
            ClientClosed: The client is closed.
        """
        chosen = self._config(config, choices)
        self._require_open()
        return Stream(self._connect, chosen, self._call_settings())

    def streams(self) -> Streams:
        """Many streams that share one call, to be entered with ``with``: ten actors, or a thousand sensors.

        Raises:
            ClientClosed: The client is closed.
        """
        self._require_open()
        return Streams(self._connect_many, self._config, self._call_settings())

    def segment(
        self,
        recording: Recording | ArrayLike,
        *,
        rate: float | None = None,
        channels: Sequence[str] = (),
        model: str = "",
        latency_s: float | None = None,
        boundary_threshold: float | None = None,
        alarms_per_hour: float | None = None,
        reports_per_hour: float | None = None,
        frame_results: bool = False,
        decisions: Decisions = "all",
        session_id: str = "",
        realtime: bool = False,
        chunk_s: float | None = None,
        mapping: Mapping[str, str] | None = None,
        profile: Mapping[str, Any] | None = None,
        return_profile: bool = False,
        rules: str | Path = "",
    ) -> Segmentation:
        """Stream a whole recording and return its finished segmentation.

        A recording whose channels are not the model's, but which has joint positions, is sent as those if the model is
        one of canonical poses: the server makes the pose.

        Args:
            recording: A `kineseg.motion.Recording`, or an array of shape ``(T, C)``; also ``(T,)`` with the built-in
                model ``"scratch"``, which takes any channels.
            rate: Frames per second, for an array.
            channels: Channel names, for an array. Empty: the model's channels in the model's order, or numbered ones
                if it takes any.
            model: Name of the model. Empty: the server's default model.
            latency_s: See `StreamConfig.latency_s`.
            boundary_threshold: See `StreamConfig.boundary_threshold`.
            alarms_per_hour: See `StreamConfig.alarms_per_hour`.
            reports_per_hour: See `StreamConfig.reports_per_hour`.
            frame_results: Whether to keep what the model computed per frame.
            decisions: See `StreamConfig.decisions`. The segments are the same with ``"all"`` and ``"final"``.
            session_id: See `StreamConfig.session_id`.
            realtime: Send frames as slowly as they were captured, instead of as fast as they are processed.
            chunk_s: See `StreamConfig.chunk_s`. Default: 0.5, or 0.05 in real time.
            mapping: Canonical joint -> joint name in the recording, for names that are not recognised.
            profile: See `StreamConfig.profile`.
            return_profile: Whether to also get what the recording has taught, see `Segmentation.profile`.
            rules: See `StreamConfig.rules`.

        Raises:
            NotFound: The server has no such model.
            WrongChannels: The recording is not what the model was made for.
            kineseg.motion.MotionError: Its joints do not make a body.
            InvalidRequest: A value cannot be used; `field` names it.
            Unavailable: The server ended the stream before the recording was through.
        """
        plan = plan_segmentation(
            mapped(recording, mapping),
            models=self.models(),
            rate=rate,
            channels=channels,
            model=model,
            latency_s=latency_s,
            boundary_threshold=boundary_threshold,
            alarms_per_hour=alarms_per_hour,
            reports_per_hour=reports_per_hour,
            frame_results=frame_results,
            decisions=decisions,
            session_id=session_id,
            realtime=realtime,
            chunk_s=chunk_s,
            profile=profile,
            return_profile=return_profile,
            rules=rules,
        )
        return plan.result(*self._collect(plan))

    def teach_name(
        self,
        name: str,
        *,
        session_id: str = "",
        segment_id: int | None = None,
        example: Segment | SegmentClosed | ArrayLike | None = None,
        recording: Recording | ArrayLike | None = None,
        frames: tuple[int, int] | None = None,
        rate: float | None = None,
        channels: Sequence[str] = (),
        model: str = "",
        model_sha256: str = "",
        source: str = "",
        mapping: Mapping[str, str] | None = None,
    ) -> TaughtName:
        """Teach a name by an example. Segments of the same model that are decided from then on are named by it.

        Give one of these: a finished segment of an open session, by `session_id` and `segment_id`; an `example`, which
        is a `Segment`, a `SegmentClosed` or its embedding; or a `recording` and a range of its `frames`, which is
        streamed to learn where it lies.

        Args:
            name: 1 to 64 printable characters.
            session_id: Name of an open session, or the id of its stream.
            segment_id: Number of a segment that it has closed.
            example: A finished segment with its embedding, or an embedding of shape ``(E,)``.
            recording: A `kineseg.motion.Recording`, or an array of shape ``(T, C)``, see `Client.segment`.
            frames: First frame of the range and the frame after its last one. None: the whole recording.
            rate: Frames per second, for an array.
            channels: Channel names, for an array.
            model: Name of the model that the example is of. Empty: the server's default model.
            model_sha256: SHA-256 of the graph that made `example`, such as `Summary.model_sha256`; another than the
                model's is refused. Empty: not checked.
            source: Where the example comes from, for people. Empty: what is known of it.
            mapping: See `Client.segment`.

        Returns:
            The name with all its examples.

        Raises:
            InvalidRequest: The name or the example cannot be used; `field` names what is wrong.
            NotFound: There is no such model, session or finished segment.
            FailedPrecondition: The server keeps no name bank, or the model cannot learn names.
        """
        check_one_example(session_id, segment_id, example, recording, frames)
        if recording is not None:
            plan = plan_example(
                mapped(recording, mapping),
                frames,
                models=self.models(),
                rate=rate,
                channels=channels,
                model=model,
                source=source,
            )
            request = plan.request(name, self._collect(plan.stream)[0])
        elif example is not None:
            request = example_request(name, example, model, model_sha256, source)
        else:
            request = segment_request(name, session_id, segment_id or 0, source)
        return self._unary(
            lambda channel: Stub(channel).TeachName, request, lambda answer: taught_from_wire(answer.name)
        )

    def names(self, model: str = "") -> tuple[TaughtName, ...]:
        """The names that have been taught, in the order of models, then names; `model`: only those of this one."""
        return self._unary(
            lambda channel: Stub(channel).ListNames,
            wire.checked_request(pb.ListNamesRequest, model=model),
            names_from_wire,
        )

    def forget_name(self, name: str, *, model: str = "") -> int:
        """Forget a name and return how many examples it had; `model`: only what was taught for this one.

        Raises:
            NotFound: No such name has been taught.
            FailedPrecondition: The server keeps no name bank.
        """
        request = wire.checked_request(pb.ForgetNameRequest, name=name, model=model)
        return self._unary(lambda channel: Stub(channel).ForgetName, request, lambda answer: int(answer.examples))

    def _collect(self, plan: SegmentationPlan) -> Collected:
        """Send a plan's frames: all that its stream answers, how many frames were processed, and the profile."""
        items: Items = []
        with self.stream(plan.config) as stream:
            started = time.monotonic()
            for due_s, frames, timestamps in plan.pieces():
                if plan.realtime:
                    time.sleep(max(0.0, started + due_s - time.monotonic()))
                stream.send(frames, timestamps)
                items += stream.poll()
            stream.end_input()
            items += stream
        return items, stream.frames_processed, stream.profile
