"""What the SDK's tests share: both clients behind one face, the real server, and one that follows a script."""

from __future__ import annotations

import asyncio
import importlib.util
import inspect
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent import futures
from pathlib import Path
from types import ModuleType
from typing import Any

import grpc
import kineseg
import numpy as np
import pytest
from google.protobuf import wrappers_pb2
from kineseg.v1 import segmentation_pb2 as pb
from kineseg.v1 import segmentation_pb2_grpc as pb_grpc

CHANNELS = ("c0", "c1", "c2")
PATIENCE_S = 300.0  # until a test says that something did not happen; nothing passes by waiting


def until(condition: Callable[[], bool], what: str) -> None:
    """Wait for something that must happen."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain: {what}"
        time.sleep(0.005)


# -- one face for both clients


_WITH_FACE = (kineseg.AsyncStream, kineseg.AsyncWatch, kineseg.AsyncStreams, kineseg.AsyncSharedStream)


def _bare(value: Any) -> Any:
    """What is given to the SDK, without the face."""
    if isinstance(value, Blocking):
        return value._target
    if isinstance(value, dict):
        return {_bare(key): _bare(each) for key, each in value.items()}
    return tuple(map(_bare, value)) if type(value) is tuple else value


class Blocking:
    """An asynchronous object of the SDK with the face of the synchronous one; its calls run in a loop's thread."""

    def __init__(self, target: Any, loop: asyncio.AbstractEventLoop) -> None:
        self.__dict__.update(_target=target, _loop=loop)

    def _run(self, work: Any) -> Any:
        async def here() -> Any:
            result = work()
            return await result if inspect.isawaitable(result) else result

        return asyncio.run_coroutine_threadsafe(here(), self._loop).result()

    def __getattr__(self, name: str) -> Any:
        value = self._run(lambda: getattr(self._target, name))
        if not inspect.ismethod(value):
            return value

        def call(*args: Any, **kwargs: Any) -> Any:
            args, kwargs = _bare(args), _bare(kwargs)
            result = self._run(lambda: value(*args, **kwargs))
            return self if result is self._target else self._faced(result)

        return call

    def _faced(self, result: Any) -> Any:
        """A result of the SDK, and what is in it, with this face."""
        if isinstance(result, _WITH_FACE):
            return Blocking(result, self._loop)
        if isinstance(result, list):
            return [self._faced(each) for each in result]
        if isinstance(result, tuple) and len(result) == 2 and isinstance(result[0], kineseg.AsyncSharedStream):
            return self._faced(result[0]), result[1]
        return result

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Blocking) and self._target is other._target

    def __hash__(self) -> int:
        return hash(self._target)

    def __repr__(self) -> str:
        return repr(self._target)

    def __enter__(self) -> Blocking:
        self._run(self._target.__aenter__)
        return self

    def __exit__(self, *error: Any) -> None:
        self._run(lambda: self._target.__aexit__(*error))

    def __iter__(self) -> Blocking:
        self._run(self._target.__aiter__)
        return self

    def __next__(self) -> Any:
        async def step() -> Any:  # a future cannot carry StopIteration
            return [item async for item in _one(self._target)]

        found = self._run(step)
        if not found:
            raise StopIteration
        return self._faced(found[0])


async def _one(source: Any) -> Any:
    try:
        yield await source.__anext__()
    except StopAsyncIteration:
        return


Connect = Callable[..., Any]


@pytest.fixture(params=["sync", "async"])
def connect(request: pytest.FixtureRequest) -> Iterator[Connect]:
    """``connect(address, **arguments)``: a `Client`, or an `AsyncClient` with a `Client`'s face."""
    clients: list[Any] = []
    if request.param == "sync":

        def sync(address: str, **arguments: Any) -> kineseg.Client:
            clients.append(kineseg.Client(address, **{"retries": 0, **arguments}))
            return clients[-1]

        yield sync
        for client in clients:
            client.close()
        return

    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    def blocking(address: str, **arguments: Any) -> Blocking:
        clients.append(Blocking(kineseg.AsyncClient(address, **{"retries": 0, **arguments}), loop))
        return clients[-1]

    yield blocking
    for client in clients:
        client.close()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


# -- a gRPC server that follows a script

Requests = Iterator[pb.SegmentRequest]


def model(channels: tuple[str, ...] = CHANNELS, name: str = "scripted") -> pb.Model:
    return pb.Model(
        name=name,
        version="1",
        family="none",
        channels=channels,
        units=["m"] * len(channels),
        frame_rate_hz=30,
        embedding_dim=2,
        provider="CPUExecutionProvider",
        is_default=True,
        sha256="0" * 64,
    )


def opened(channels: tuple[str, ...] = CHANNELS, max_chunk_frames: int = 4096) -> pb.SegmentResponse:
    return pb.SegmentResponse(
        opened=pb.Opened(
            stream_id="019ac2d8-5b1c-7aaa-8bbb-000000000001",
            session_id="scripted-1",
            opened_unix_ns=1_764_200_000_000_000_000,
            server_id="scripted",
            server_version="0",
            model=model(channels),
            latency_s=4,
            max_chunk_frames=max_chunk_frames,
            max_gap_s=1,
        )
    )


def ack(chunk: pb.FrameChunk, channels: int = 3) -> pb.SegmentResponse:
    return pb.SegmentResponse(ack=pb.Ack(frames=chunk.first_frame + len(chunk.data) // (4 * channels)))


def started(seq: int, frame: int = 0) -> pb.SegmentResponse:
    begun = pb.SegmentStarted(segment_id=seq - 1, confidence=1, confirmed=True)
    return pb.SegmentResponse(event=pb.Event(seq=seq, frame=frame, decided_frame=frame, segment_started=begun))


def summary(seq: int, reason: int = 1) -> pb.SegmentResponse:
    return pb.SegmentResponse(event=pb.Event(seq=seq, summary=pb.Summary(reason=reason)))  # type: ignore[arg-type]


def acknowledge_all(requests: Requests, context: grpc.ServicerContext) -> Iterator[pb.SegmentResponse]:
    """A stream on which nothing happens."""
    next(requests)
    yield opened()
    for request in requests:
        yield ack(request.chunk)
    yield summary(1)


class Scripted(pb_grpc.SegmentationServiceServicer):
    """Every call does what the test put into the attribute of that name."""

    def __init__(self) -> None:
        self.address = ""
        self.calls: list[str] = []
        self.metadata: list[dict[str, Any]] = []
        self.segment: Callable[[Requests, grpc.ServicerContext], Iterator[pb.SegmentResponse]] = acknowledge_all
        self.segment_many: Callable[[Any, grpc.ServicerContext], Iterator[pb.SegmentManyResponse]]
        self.segment_many = lambda requests, context: iter(())
        self.unary: Callable[[grpc.ServicerContext], None] = lambda context: None
        self.watch: Callable[[pb.WatchEventsRequest, grpc.ServicerContext], Iterator[pb.WatchEventsResponse]]
        self.watch = lambda request, context: iter(())
        self.health = 1
        self.model = model()
        self.released = threading.Event()  # for scripts that hold still until the test lets them go

    def _noted(self, name: str, context: grpc.ServicerContext) -> None:
        self.calls.append(name)
        self.metadata.append(dict(context.invocation_metadata()))

    def Segment(self, request_iterator: Any, context: Any) -> Any:  # noqa: N802
        self._noted("Segment", context)
        yield from self.segment(request_iterator, context)

    def SegmentMany(self, request_iterator: Any, context: Any) -> Any:  # noqa: N802
        self._noted("SegmentMany", context)
        yield from self.segment_many(request_iterator, context)

    def WatchEvents(self, request: Any, context: Any) -> Any:  # noqa: N802
        self._noted("WatchEvents", context)
        yield from self.watch(request, context)

    def ListModels(self, request: Any, context: Any) -> Any:  # noqa: N802
        self._noted("ListModels", context)
        self.unary(context)
        return pb.ListModelsResponse(models=[self.model])

    def ListSessions(self, request: Any, context: Any) -> Any:  # noqa: N802
        self._noted("ListSessions", context)
        self.unary(context)
        return pb.ListSessionsResponse()

    def GetSession(self, request: Any, context: Any) -> Any:  # noqa: N802
        self._noted("GetSession", context)
        self.unary(context)
        return pb.GetSessionResponse()

    def CloseSession(self, request: Any, context: Any) -> Any:  # noqa: N802
        self._noted("CloseSession", context)
        self.unary(context)
        return pb.CloseSessionResponse()

    def TeachName(self, request: Any, context: Any) -> Any:  # noqa: N802
        self._noted("TeachName", context)
        self.unary(context)
        return pb.TeachNameResponse()

    def ListNames(self, request: Any, context: Any) -> Any:  # noqa: N802
        self._noted("ListNames", context)
        self.unary(context)
        return pb.ListNamesResponse()

    def ForgetName(self, request: Any, context: Any) -> Any:  # noqa: N802
        self._noted("ForgetName", context)
        self.unary(context)
        return pb.ForgetNameResponse()

    def check_health(self, request: Any, context: Any) -> Any:
        self._noted("Check", context)
        self.unary(context)
        return wrappers_pb2.Int32Value(value=self.health)


def serve_scripted(scripted: Scripted, credentials: grpc.ServerCredentials | None = None) -> grpc.Server:
    server = grpc.server(futures.ThreadPoolExecutor(16))
    pb_grpc.add_SegmentationServiceServicer_to_server(scripted, server)
    check = grpc.unary_unary_rpc_method_handler(
        scripted.check_health,
        request_deserializer=wrappers_pb2.StringValue.FromString,
        response_serializer=wrappers_pb2.Int32Value.SerializeToString,
    )
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("grpc.health.v1.Health", {"Check": check})])
    if credentials is None:
        port = server.add_insecure_port("127.0.0.1:0")
    else:
        port = server.add_secure_port("127.0.0.1:0", credentials)
    scripted.address = f"127.0.0.1:{port}"
    server.start()
    return server


@pytest.fixture
def scripted() -> Iterator[Scripted]:
    """A gRPC server whose behaviour the test writes."""
    service = Scripted()
    server = serve_scripted(service)
    yield service
    service.released.set()
    server.stop(0).wait()


# -- the real server


def _tiny_bundle_module() -> ModuleType:
    path = Path(__file__).parents[1] / "core" / "tiny_bundle.py"
    spec = importlib.util.spec_from_file_location("sdk_tiny_bundle", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def tiny_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real bundle: 3 channels (`CHANNELS`), 30 Hz, named ``tiny``."""
    folder = tmp_path_factory.mktemp("bundles") / "tiny"
    return Path(_tiny_bundle_module().write_tiny_bundle(folder))


@pytest.fixture(scope="session")
def server(tiny_bundle: Path) -> Iterator[str]:
    """Address of the real server with the tiny bundle; shared, so tests name their own sessions."""
    from kineseg_service.config import Settings
    from kineseg_service.server import BackgroundServer

    settings = Settings(bundles=(tiny_bundle,), packaged_bundle=False, port=0, metrics_port=None, log_level="error")
    with BackgroundServer(settings) as running:
        yield running.address


@pytest.fixture
def motion() -> np.ndarray[Any, np.dtype[np.float32]]:
    """``(1800, 3)``: a minute at 30 Hz that alternates between two movements every six seconds."""
    t = np.arange(1800) / 30
    fast = (t // 6 % 2).astype(bool)
    phase = np.where(fast, 9.0, 3.0) * t
    wave = np.stack([np.sin(phase), np.cos(phase), np.sin(2 * phase)], axis=1) * np.where(fast, 1.5, 0.5)[:, None]
    noise = np.random.default_rng(0).normal(0, 0.02, wave.shape)
    return (wave + noise).astype(np.float32)


@pytest.fixture
def script() -> ModuleType:
    """The helpers above, for scripts: `opened`, `ack`, `started`, `summary`, `model`, `until`, `serve_scripted` ..."""
    return sys.modules[__name__]
