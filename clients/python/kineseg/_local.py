"""The algorithm in this process: the only module of the SDK that knows `kineseg_core`. Imported on use."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Any, overload

import numpy as np
from kineseg_core import anomalies
from kineseg_core import errors as core_errors
from kineseg_core import events as core_events
from kineseg_core.ahead import compile_ahead
from kineseg_core.boundary_network import BoundaryNetwork, NetworkFile, packaged_network
from kineseg_core.decisions import Decisions
from kineseg_core.generic import FAMILY, SCRATCH, VERSION
from kineseg_core.in_process import InProcessStream
from kineseg_core.inference.bundle import Bundle, load_bundle, packaged_bundle
from kineseg_core.inference.providers import CPU
from kineseg_core.kept import MisfitError, Reader, Writer
from kineseg_core.kept.sealing import MOST_BYTES, packed, sealed, unpacked, unsealed
from kineseg_core.naming import KnownNames
from kineseg_core.naming.bank import NameBank
from kineseg_core.opening import Opener, StreamRequest
from kineseg_core.rules import rules_from_toml
from kineseg_core.snapshot import Snapshot
from kineseg_core.warm_up import warm_up

from kineseg._config import StreamConfig
from kineseg._errors import FailedPrecondition, InvalidRequest, NotFound
from kineseg._events import EVENT_TYPES, AnomalyClass, AnomalyKind, Event, EventKind, FrameResult
from kineseg._info import EndReason, Model
from kineseg._reasons import ERROR_OF_REASON
from kineseg.v1 import segmentation_pb2 as pb

__all__ = ["LocalModel", "LocalStream", "SavedStream", "local_model", "prepare", "saved_before_it_opens", "to_sdk"]

_VERSION = 1
"""Of what is saved beside the core's snapshot, which has versions of its own."""


class LocalModel:
    """A model to be run in this process. Pickles as where it lies.

    Attributes:
        bundle: The model; None: the built-in one.
        info: What is known of it.
    """

    def __init__(self, bundle: Bundle | None) -> None:
        self.bundle = bundle
        self.info = _scratch_info() if bundle is None else _info(bundle)

    @property
    def network(self) -> NetworkFile:
        """What finds the boundaries of signals."""
        own = None if self.bundle is None else self.bundle.boundary_network
        return own or packaged_network()

    @property
    def opener(self) -> Opener:
        """What makes sessions for it."""
        return Opener({} if self.bundle is None else {self.bundle.name: self.bundle})

    def resume(self, saved: SavedStream, name_bank: Path | None) -> LocalStream:
        """The stream that was saved goes on.

        Raises:
            FailedPrecondition: It cannot, with this model; says why.
            InvalidRequest: The name bank is not one.
        """
        known = _known(self.bundle, name_bank)
        with _refusals():
            snapshot = Snapshot.of(saved.snapshot)
            if snapshot.request.model != self.info.name:
                raise core_errors.BadSnapshot(f"its model is {snapshot.request.model!r}, not {self.info.name!r}")
            stream = LocalStream(self, InProcessStream.resumed(snapshot, self.opener, lambda name: known))
        stream._waiting += saved.waiting
        return stream

    def __reduce__(self) -> tuple[Any, ...]:
        shipped = self.bundle is None or self.bundle.path == packaged_bundle()
        return local_model, (self.info.name if shipped else self.bundle.path,)  # type: ignore[union-attr]

    def open(self, config: StreamConfig, name_bank: Path | None) -> LocalStream:
        """A stream of this model.

        Raises:
            InvalidRequest: A value cannot be used, or the name bank is not one; `field` names it.
            WrongChannels: The channels are not the model's, or cannot be made of the joints.
        """
        known = _known(self.bundle, name_bank)
        with _refusals():
            session = self.opener.session(
                StreamRequest(
                    rate_hz=config.rate,
                    session_id=config.session_id,
                    model=self.info.name,
                    channels=tuple(config.channels),
                    latency_s=config.latency_s or 0.0,
                    boundary_threshold=config.boundary_threshold or 0.0,
                    alarms_per_hour=config.alarms_per_hour or 0.0,
                    reports_per_hour=config.reports_per_hour or 0.0,
                    frame_results=config.frame_results,
                    decisions=Decisions(config.decisions),
                    joints=config.joints,
                    profile=config.profile,
                    rules=rules_from_toml(str(config.rules)),
                ),
                lambda name: known,
            )
            return LocalStream(self, InProcessStream(session, self.bundle, self.network))


@dataclass(frozen=True, slots=True)
class SavedStream:
    """What `Segmenter.state` gives.

    Attributes:
        config: The fields of its `StreamConfig`.
        position: See `Chunker.position`.
        waiting: What has been decided, and not been given yet.
        snapshot: Of the core's stream; empty: there is none yet.
    """

    config: dict[str, Any]
    position: tuple[int, bool | None, int]
    waiting: list[core_events.Output]
    snapshot: bytes

    def written(self) -> bytes:
        """The same as bytes."""
        writer = Writer()
        tree = packed(writer.tree([_VERSION, self.config, self.position, self.waiting]))
        return sealed(packed([tree, writer.blob, self.snapshot]))

    @classmethod
    def read(cls, data: bytes) -> SavedStream:
        """What was written.

        Raises:
            FailedPrecondition: It is nothing that this version has written; says why.
        """
        with _refusals():
            try:
                tree, blob, snapshot = unpacked(unsealed(bytes(data)), MOST_BYTES)
                version, config, position, waiting = Reader(blob).value(unpacked(tree))
                if version == _VERSION:
                    return cls(dict(config), tuple(position), list(waiting), bytes(snapshot))
            except (MisfitError, TypeError, ValueError) as error:
                raise core_errors.BadSnapshot(f"it is no state of a segmenter ({error})") from error
            raise core_errors.BadSnapshot(
                f"it is of version {version!s:.16}, and this version of kineseg has {_VERSION}"
            )


def saved_before_it_opens(config: StreamConfig) -> bytes:
    """What is to be saved of a stream whose channels are not known yet."""
    return SavedStream(_values_of(config), (0, None, 0), [], b"").written()


def _values_of(config: StreamConfig) -> dict[str, Any]:
    values = {each.name: getattr(config, each.name) for each in fields(config)}
    profile = None if config.profile is None else dict(config.profile)
    return values | {"channels": tuple(config.channels), "rules": str(config.rules), "profile": profile}


class LocalStream:
    """One stream in this process; it speaks in the SDK's events and errors. Pickles with all that it has seen."""

    def __init__(self, model: LocalModel, stream: InProcessStream) -> None:
        self._model = model
        self._stream = stream
        self._waiting: list[core_events.Output] = []  # not given yet

    @property
    def channels(self) -> tuple[str, ...]:
        """Names of the channels that are sent; none where joints are."""
        return self._stream.session.request.channels or self._stream.session.intake.channels

    @property
    def frames_processed(self) -> int:
        """Index after the last frame that has been processed."""
        return self._stream.session.progress.frames_processed

    @property
    def has_items(self) -> bool:
        """Whether `items` would give any."""
        return bool(self._waiting)

    def save(self, config: StreamConfig, position: tuple[int, bool | None, int]) -> bytes:
        """The stream as bytes, for `SavedStream.read`; `position`: see `Chunker.position`."""
        snapshot = self._stream.snapshot(self._model.opener)
        return SavedStream(_values_of(config), position, self._waiting, snapshot).written()

    def profile(self) -> dict[str, Any]:
        """What the stream has taught about its source so far."""
        return self._stream.session.intake.profile()

    def take(self, chunk: pb.FrameChunk) -> None:
        """Take the next frames.

        Raises:
            InvalidRequest: They are malformed, or their times contradict the rate; nothing of them has been taken.
            Internal: The model failed; the stream cannot go on.
        """
        with _refusals():
            self._stream.take(chunk.first_frame, chunk.data, chunk.capture_times_ns, self._waiting)

    def finish(self) -> None:
        """End the stream.

        Raises:
            InvalidRequest: The times of the whole, short stream contradict its rate; it has ended all the same.
        """
        with _refusals():
            self._stream.finish(self._waiting)

    def items(self) -> list[Event | FrameResult]:
        """What has been decided since the last call."""
        given = core_events.Event | core_events.FrameResult
        items = [to_sdk(output) for output in self._waiting if isinstance(output, given)]
        self._waiting.clear()
        return items

    def __getstate__(self) -> dict[str, Any]:
        return {
            "model": self._model,
            "sha256": self._stream.bundle.sha256,
            "network_sha256": self._model.network.sha256,
            "state": self._stream.state,
            "waiting": self._waiting,
        }

    def __setstate__(self, values: dict[str, Any]) -> None:
        model: LocalModel = values["model"]
        stream = InProcessStream.restored(values["state"], model.bundle, model.network)
        if (stream.bundle.sha256, model.network.sha256) != (values["sha256"], values["network_sha256"]):
            raise FailedPrecondition(
                f"model {model.info.name!r} is another one now than when this stream was pickled: begin a new stream",
                code="",
                field="model",
            )
        self.__init__(model, stream)  # type: ignore[misc]
        self._waiting = values["waiting"]


def local_model(source: str | Path) -> LocalModel:
    """The model of that name, or in that bundle.

    Raises:
        NotFound: There is neither such a model nor such a file or folder.
        InvalidRequest: The bundle is not a valid one; says why.
    """
    if not isinstance(source, str | Path):
        raise InvalidRequest(f"model must be a name, or the path of a bundle, got {source!r}", field="model")
    if source == SCRATCH:
        return LocalModel(None)
    packaged = packaged_bundle()
    path = Path(source).absolute()
    names = [SCRATCH]
    if packaged is not None:
        shipped = _bundle(packaged)
        if source == shipped.name:
            return LocalModel(shipped)
        names.insert(0, shipped.name)
    if not source or not path.exists():
        known = " and ".join(map(repr, names))
        raise NotFound(f"there is no model {str(source)!r}: there are {known}, or give the path of a bundle", code="",
                       field="model")  # fmt: skip
    return LocalModel(_bundle(path))


def prepare(said: Callable[[int, int], None]) -> None:
    """Compile all that streams in this process need; `said` hears how many kernels there are, and of how many."""
    compile_ahead(said)
    file = packaged_network()
    warm_up(BoundaryNetwork(file), file)


@overload
def to_sdk(output: core_events.Event) -> Event: ...
@overload
def to_sdk(output: core_events.FrameResult) -> FrameResult: ...
@overload
def to_sdk(output: core_events.Event | core_events.FrameResult) -> Event | FrameResult: ...
def to_sdk(output: core_events.Event | core_events.FrameResult) -> Event | FrameResult:
    """An event or a frame's result as the SDK's own."""
    if isinstance(output, core_events.FrameResult):
        embedding = np.asarray(output.embedding, dtype=np.float32)
        embedding.setflags(write=False)
        return FrameResult(**{**_values(output), "embedding": embedding})
    about = _values(output)
    detail = about.pop("detail")
    return EVENT_TYPES[EventKind(core_events.KIND_NAMES[type(detail)])](**about, **_values(detail))


@contextmanager
def _refusals() -> Iterator[None]:
    """What the core refuses within is raised as the SDK's own."""
    try:
        yield
    except core_errors.CoreError as error:
        raise ERROR_OF_REASON[error.reason](
            error.message,
            code="",
            retryable=error.retryable,
            field=error.field,
            reason=error.reason,
            minimum=error.minimum,
            maximum=error.maximum,
            error_id=error.error_id,
        ) from error
    except core_errors.BadSnapshot as error:
        raise FailedPrecondition(f"no stream can go on from this state: {error}", code="", field="state") from error
    except core_errors.BadBundle as error:
        raise InvalidRequest(str(error), code="", field="model") from error
    except core_errors.BadBank as error:
        raise InvalidRequest(str(error), code="", field="name_bank") from error


def _values(value: Any) -> dict[str, Any]:
    """The fields of one of the core's values as those of the SDK's, which have the same names."""
    return {entry.name: _value(getattr(value, entry.name)) for entry in fields(value)}


def _value(value: Any) -> Any:
    match value:
        case core_events.EndReason():
            return EndReason(value.value)
        case anomalies.AnomalyKind():
            return AnomalyKind(value.value)
        case anomalies.AnomalyClass():
            return AnomalyClass(value.value)
        case array():
            return tuple(value)
    return value


def _bundle(path: Path) -> Bundle:
    with _refusals():
        return _loaded(path, _version(path))


@lru_cache(maxsize=8)
def _loaded(path: Path, version: object) -> Bundle:
    return load_bundle(path)


def _version(path: Path) -> tuple[tuple[str, int, int], ...]:
    """What changes when a bundle does, so that many streams of one load it once."""
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    return tuple((file.name, file.stat().st_mtime_ns, file.stat().st_size) for file in files)


def _known(bundle: Bundle | None, name_bank: Path | None) -> KnownNames:
    if name_bank is None or bundle is None:
        return KnownNames()
    with _refusals():
        if not name_bank.exists():
            raise core_errors.BadBank(name_bank, "there is no such file")
        examples = NameBank.load(name_bank).examples(bundle.name, bundle.sha256)
    wrong = next((name for name, point in examples if len(point) != bundle.embedding_dim), None)
    if wrong is not None:
        raise InvalidRequest(
            f"name bank {name_bank}: the examples of {wrong!r} do not have the {bundle.embedding_dim} numbers of "
            f"model {bundle.name!r}",
            code="", field="name_bank",
        )  # fmt: skip
    return KnownNames(examples)


def _info(bundle: Bundle) -> Model:
    manifest = bundle.manifest
    return Model(
        name=manifest.name,
        version=manifest.version,
        family=manifest.family,
        channels=bundle.channels,
        units=tuple(channel.unit for channel in manifest.channels),
        rate=manifest.frame_rate_hz,
        embedding_dim=manifest.embedding_dim,
        provider=CPU,
        is_default=True,
        sha256=bundle.sha256,
        classes=bundle.classes,
    )


def _scratch_info() -> Model:
    return Model(
        name=SCRATCH, version=VERSION, family=FAMILY, channels=(), units=(), rate=0.0, embedding_dim=0, provider=CPU,
        is_default=True, sha256="",
    )  # fmt: skip
