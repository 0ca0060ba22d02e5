"""One stream segmented in this process: no server, no gRPC, no thread."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import replace
from os import PathLike
from pathlib import Path
from reprlib import repr as short
from typing import TYPE_CHECKING, Any, Self

from numpy.typing import ArrayLike

from kineseg._arguments import flag
from kineseg._arrays import array_of
from kineseg._chunker import Chunker
from kineseg._config import Decisions, StreamConfig
from kineseg._errors import FailedPrecondition, Internal, InvalidRequest, StreamClosed, UsageError
from kineseg._events import Event, FrameResult, Summary
from kineseg._info import Model
from kineseg._mapping import mapped
from kineseg._segmentation import Segmentation, plan_segmentation

if TYPE_CHECKING:
    from kineseg import _local
    from kineseg.motion import Joints, Recording

_CHUNK_FRAMES = 512


class Segmenter:
    """Segments one stream in this process and in the caller's thread.

    It takes what a `Stream` takes and gives the same events as a server would. Made by `load`; `state` and `from_state`
    keep all that it has seen, and it pickles. Not for two threads at a time; any number of segmenters may be used side
    by side.

        segmenter = kineseg.Segmenter.load("motion", rate=120)
        for frames in source:
            for event in segmenter.update(frames):
                print(event)
        for event in segmenter.finish():
            print(event)

    Attributes:
        config: What is streamed.
        summary: The last event, once there is one.
    """

    def __init__(self, model: _local.LocalModel, config: StreamConfig, name_bank: Path | None) -> None:
        """Use `load`."""
        self.config = config
        self._model = model
        self._name_bank = name_bank
        self.summary: Summary | None = None
        self._finished = False
        # The stream in the core and what cuts its frames; none before channels without names have been counted.
        self._opened: tuple[_local.LocalStream, Chunker] | None = None
        self.reset()

    @staticmethod
    def prepare(progress: Callable[[int, int], None] | None = None) -> None:
        """Compile what segments, so that no first frames wait for it: a minute or two once after an installation or an
        update, a second or two in each process after that. For live sources; nothing else needs it.

        Args:
            progress: Is called with how many kernels have been compiled, and of how many, first with none; not where
                all are there. By several threads, one after the other.

        Raises:
            UsageError: ``kineseg[local]`` is not installed.
        """
        with _local_needed():
            from kineseg import _local
        _local.prepare(progress or (lambda done, of: None))

    @classmethod
    def load(
        cls,
        model: str | Path = "motion",
        *,
        rate: float | None = None,
        channels: Sequence[str] = (),
        joints: Joints | None = None,
        latency_s: float | None = None,
        boundary_threshold: float | None = None,
        alarms_per_hour: float | None = None,
        reports_per_hour: float | None = None,
        frame_results: bool = False,
        decisions: Decisions = "all",
        name_bank: str | Path | None = None,
        profile: Mapping[str, Any] | None = None,
        rules: str | Path = "",
    ) -> Self:
        """A segmenter for one stream.

        Args:
            model: ``"motion"``, the model for bodies that comes with kineseg; ``"scratch"``, for any signal; or the
                path of a bundle, a folder or a .zip.
            rate: Frames per second at which the source captures, 1 to 1000. None: that of the model; ``"scratch"`` has
                none.
            channels: See `StreamConfig.channels`. With ``"scratch"`` they may be left out: the first frames say how
                many there are.
            joints: See `StreamConfig.joints`.
            latency_s: See `StreamConfig.latency_s`; None: 4 seconds.
            boundary_threshold: See `StreamConfig.boundary_threshold`.
            alarms_per_hour: See `StreamConfig.alarms_per_hour`.
            reports_per_hour: See `StreamConfig.reports_per_hour`.
            frame_results: Whether to also give a `FrameResult` for every frame of the model's rate.
            decisions: See `StreamConfig.decisions`.
            name_bank: A file of names that were taught, such as `kineseg label teach` writes.
            profile: See `StreamConfig.profile`.
            rules: See `StreamConfig.rules`.

        Raises:
            UsageError: ``kineseg[local]`` is not installed.
            NotFound: There is no such model.
            InvalidRequest: A value, the bundle or the name bank cannot be used; `field` names it.
            WrongChannels: The channels are not the model's, or cannot be made of the joints.
        """
        found = _local_model(model)
        if rate is None:
            if not found.info.rate:
                raise InvalidRequest(
                    f"model {found.info.name!r} has no rate of its own: give rate= in frames per second", field="rate"
                )
            rate = found.info.rate
        config = StreamConfig(
            rate=rate,
            channels=channels,
            joints=joints,
            model=found.info.name,
            latency_s=latency_s,
            boundary_threshold=boundary_threshold,
            alarms_per_hour=alarms_per_hour,
            reports_per_hour=reports_per_hour,
            frame_results=frame_results,
            decisions=decisions,
            profile=profile,
            rules=rules,
        )
        return cls(found, config, _bank(name_bank))

    def update(
        self,
        frames: ArrayLike,
        timestamps: ArrayLike | None = None,
        *,
        timestamps_ns: ArrayLike | None = None,
        first_frame: int | None = None,
    ) -> list[Event | FrameResult]:
        """Take the next frames and return what they decide.

        Args:
            frames: As in `Stream.send`: ``(T, C)``, or ``(C,)`` for one frame; with joints what these say.
            timestamps: Capture times in seconds, see `Stream.send`.
            timestamps_ns: The same in whole nanoseconds, instead.
            first_frame: Index of the first of these frames, for a source that lost some.

        Raises:
            InvalidRequest: A value cannot be used, or a clock contradicts the rate; the stream stays as it was. Of more
                than 512 frames those before the ones refused may have been taken, see `frames_processed`; what they
                decided comes with the next call.
            WrongChannels: The frames have another number of channels; the stream stays as it was.
            Internal: The model failed; the stream is finished, and `finish` returns what was decided before.
            StreamClosed: The stream is finished.
        """
        self._check_open()
        stream, chunker = self._opened or self._open_unnamed(frames)
        ahead = copy(chunker)  # the one in use stays as it was if the core refuses
        batch = ahead.check(frames, timestamps, timestamps_ns, first_frame)
        while batch.remaining:
            chunk = ahead.take(batch) or ahead.drain()
            if chunk is not None:
                try:
                    stream.take(chunk)
                except Internal:
                    self._finished = True  # the model has failed in the middle
                    raise
                self._opened = stream, copy(ahead)
        return stream.items()

    def finish(self) -> list[Event | FrameResult]:
        """End the stream and return what is left, the summary last. `reset` begins another one.

        Raises:
            InvalidRequest: The timestamps of the whole, short stream contradict its rate. The stream has ended, and
                calling this again returns what is left.
            StreamClosed: The stream is finished.
        """
        if self._opened is None:
            self._opened = self._open(("channel_0",))
        stream, _ = self._opened
        if not (self._finished and stream.has_items):
            self._check_open()
            self._finished = True
            stream.finish()
        items = stream.items()
        self.summary = next((item for item in items if isinstance(item, Summary)), None)
        return items

    def profile(self) -> dict[str, Any]:
        """What the stream has taught about its source so far, for `load` when the next session of the same rig begins.

        How fast, how noisy and how large values usually are; nothing of whom it has seen. Plain values, for
        ``json.dump``. Can be asked for at any time, also of a finished stream.

        Raises:
            StreamClosed: There was no frame yet to say how many channels there are.
        """
        if self._opened is None:
            raise StreamClosed("the stream has no channels yet: name them with channels=, or give it frames first")
        return self._opened[0].profile()

    def reset(self) -> None:
        """Begin another stream, with the same choices and nothing known of the one before."""
        self.summary, self._finished, self._opened = None, False, None
        channels = tuple(self.config.channels) or self.model.channels
        if self.config.joints is not None:
            self._opened = self._open(())
        elif channels:
            self._opened = self._open(channels)

    def state(self) -> bytes:
        """Where the stream stands, for `from_state`: all that it has come to know, in plain values and arrays.

        It has 100 to 300 KiB for most streams. Unlike a pickle it cannot run code when it is read, and what is damaged
        is noticed.

        Raises:
            StreamClosed: The stream is finished.
        """
        from kineseg import _local

        self._check_open()
        if self._opened is None:
            return _local.saved_before_it_opens(self.config)
        stream, chunker = self._opened
        return stream.save(self.config, chunker.position)

    @classmethod
    def from_state(cls, state: bytes, *, model: str | Path | None = None, name_bank: str | Path | None = None) -> Self:
        """A segmenter that goes on where another one was, here or elsewhere: its events are those that would have come.

        Args:
            state: What `state` gave.
            model: The same model as before; None: the one of its name that comes with kineseg. Needed for a bundle of
                your own.
            name_bank: See `load`.

        Raises:
            UsageError: ``kineseg[local]`` is not installed.
            NotFound: There is no such model.
            FailedPrecondition: No stream can go on from it: it is damaged, of another version of kineseg, or of another
                model; says which.
            InvalidRequest: The state is not bytes, or the bundle or the name bank cannot be used; `field` names it.
        """
        with _local_needed():
            from kineseg import _local
        if not isinstance(state, bytes | bytearray | memoryview):
            raise InvalidRequest(f"state must be bytes, as state() gave them, got {short(state)}", field="state")
        saved = _local.SavedStream.read(state)
        found = _local_model(model if model is not None else str(saved.config.get("model")))
        try:
            config = StreamConfig(**saved.config)
        except TypeError as error:
            raise FailedPrecondition(f"no stream can go on from this state: {error}", code="", field="state") from error
        segmenter = cls(found, config, _bank(name_bank))
        if saved.snapshot:
            stream = found.resume(saved, segmenter._name_bank)
            chunker = Chunker(stream.channels, _CHUNK_FRAMES, config.joints)
            chunker.go_on_at(saved.position)
            segmenter._opened = stream, chunker
        return segmenter

    @property
    def model(self) -> Model:
        """The model that runs the stream."""
        return self._model.info

    @property
    def frames_processed(self) -> int:
        """Index after the last frame that has been processed."""
        return self._opened[0].frames_processed if self._opened else 0

    def __repr__(self) -> str:
        state = "finished" if self._finished else "open"
        return f"<Segmenter {self.model.name} ({state}, {self.frames_processed} frames processed)>"

    # -- inside

    def _open(self, channels: tuple[str, ...]) -> tuple[_local.LocalStream, Chunker]:
        stream = self._model.open(replace(self.config, channels=channels), self._name_bank)
        return stream, Chunker(channels, _CHUNK_FRAMES, self.config.joints)

    def _open_unnamed(self, frames: ArrayLike) -> tuple[_local.LocalStream, Chunker]:
        """Opens a stream whose channels have no names: as many as the first frames have."""
        shape = array_of(frames, "frames").shape
        if len(shape) not in (1, 2):
            raise InvalidRequest(
                f"frames must have shape (frames, channels), or (channels,) for one; got {shape}", field="frames"
            )
        return self._open(tuple(f"channel_{i}" for i in range(shape[-1])))

    def _check_open(self) -> None:
        if self._finished:
            raise StreamClosed("the stream is finished; reset() begins another one")


def segment(
    recording: Recording | ArrayLike,
    *,
    rate: float | None = None,
    channels: Sequence[str] = (),
    model: str | Path = "motion",
    latency_s: float | None = None,
    boundary_threshold: float | None = None,
    alarms_per_hour: float | None = None,
    reports_per_hour: float | None = None,
    frame_results: bool = False,
    decisions: Decisions = "all",
    mapping: Mapping[str, str] | None = None,
    name_bank: str | Path | None = None,
    profile: Mapping[str, Any] | None = None,
    return_profile: bool = False,
    rules: str | Path = "",
) -> Segmentation:
    """Segment a whole recording in this process, as a stream: nothing is decided by what comes later than `latency_s`.

    Args:
        recording: A `kineseg.motion.Recording`, or an array of shape ``(T, C)``; also ``(T,)`` with model
            ``"scratch"``.
        rate: Frames per second, for an array.
        channels: Channel names, for an array. Empty: the model's channels in the model's order, or numbered ones.
        model: See `Segmenter.load`.
        latency_s: See `StreamConfig.latency_s`.
        boundary_threshold: See `StreamConfig.boundary_threshold`.
        alarms_per_hour: See `StreamConfig.alarms_per_hour`.
        reports_per_hour: See `StreamConfig.reports_per_hour`.
        frame_results: Whether to keep what the model computed per frame.
        decisions: See `StreamConfig.decisions`. The segments are the same with ``"all"`` and ``"final"``.
        mapping: Canonical joint -> joint name in the recording, for names that are not recognised.
        name_bank: See `Segmenter.load`.
        profile: See `StreamConfig.profile`.
        return_profile: Whether to also get what the recording has taught, see `Segmentation.profile`.
        rules: See `StreamConfig.rules`.

    Raises:
        UsageError: ``kineseg[local]`` is not installed.
        NotFound: There is no such model.
        WrongChannels: The recording is not what the model was made for.
        InvalidRequest: A value cannot be used; `field` names it.
    """
    found = _local_model(model)
    return_profile = flag("return_profile", return_profile)
    plan = plan_segmentation(
        mapped(recording, mapping),
        models=(found.info,),
        rate=rate,
        channels=channels,
        model=found.info.name,
        latency_s=latency_s,
        boundary_threshold=boundary_threshold,
        alarms_per_hour=alarms_per_hour,
        reports_per_hour=reports_per_hour,
        frame_results=frame_results,
        decisions=decisions,
        session_id="",
        realtime=False,
        chunk_s=None,
        profile=profile,
        rules=rules,
    )
    segmenter = Segmenter(found, plan.config, _bank(name_bank))
    items: list[Event | FrameResult] = []
    for _, frames, timestamps in plan.pieces():
        items += segmenter.update(frames, timestamps)
    items += segmenter.finish()
    return plan.result(items, segmenter.frames_processed, segmenter.profile() if return_profile else None)


def _bank(file: str | Path | None) -> Path | None:
    if not isinstance(file, str | PathLike | None):
        raise InvalidRequest(f"name_bank must be the name of a file, got {short(file)}", field="name_bank")
    return None if file is None else Path(file)


def _local_model(source: str | Path) -> _local.LocalModel:
    with _local_needed():
        from kineseg import _local
    return _local.local_model(source)


@contextmanager
def _local_needed() -> Iterator[None]:
    """Says which extra is missing where what is imported within is not there."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise UsageError(
            f"segmenting in this process needs more than the client has ({error.name} is missing): "
            "pip install 'kineseg[local]'"
        ) from error
