"""Our service, as a client gets it: a real server process, many streams at once over one connection."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import kineseg
import psutil
from kineseg_core.inference.bundle import packaged_bundle
from kineseg_training.errors import EvaluationError
from kineseg_training.server_process import running_server

from evaluation.quality.errors import QualityError
from evaluation.quality.provisional import as_first_emitted
from evaluation.quality.scores import Prediction
from evaluation.quality.stream import AnnotatedStream

AT_ONCE = 16


@dataclass(frozen=True)
class Service:
    """A server that runs.

    Attributes:
        address: Where.
        pid: Its process.
        models: Names of the models that it serves.
    """

    address: str
    pid: int
    models: tuple[str, ...]

    def cpu_seconds(self) -> float:
        """CPU time that the process has used so far."""
        times = psutil.Process(self.pid).cpu_times()
        return float(times.user + times.system)


@contextmanager
def running(bundle: Path | None = None) -> Iterator[Service]:
    """Serve `bundle`, or the packaged one, until the block ends.

    Raises:
        QualityError: There is no bundle, or the server did not start.
    """
    path = bundle or packaged_bundle()
    if path is None:
        raise QualityError("the service has no packaged bundle; give one with --bundle")
    before = {child.pid for child in psutil.Process().children()}
    try:
        with running_server(path) as address:
            started = [child for child in psutil.Process().children() if child.pid not in before]
            pid = next(child.pid for child in started if address.rsplit(":", 1)[1] in child.cmdline())
            with kineseg.Client(address) as client:
                models = tuple(model.name for model in client.models())
            yield Service(address, pid, models)
    except EvaluationError as error:
        raise QualityError(str(error)) from error


@dataclass(frozen=True, eq=False)
class Run:
    """What the service said about the streams of a set.

    Attributes:
        results: One of each stream.
        cpu_s: CPU time that the server took for all of them.
    """

    results: tuple[kineseg.Segmentation, ...]
    cpu_s: float


def segment(
    service: Service,
    streams: Sequence[AnnotatedStream],
    *,
    latency_s: float | None = None,
    done: Callable[[], None] = lambda: None,
) -> Run:
    """Send the streams, as fast as they are taken.

    Args:
        service: Where to.
        streams: What to send.
        latency_s: Budget of final decisions; the server's default unless given.
        done: Called after each stream.

    Raises:
        QualityError: The server refused or failed; names the stream.
    """
    before = service.cpu_seconds()
    # Filled, not returned: asyncio prints the result of the task that it ran, embeddings and all.
    results: dict[int, kineseg.Segmentation] = {}
    asyncio.run(_segment_all(service.address, streams, latency_s, done, results))
    return Run(tuple(results[number] for number in range(len(streams))), service.cpu_seconds() - before)


async def _segment_all(
    address: str,
    streams: Sequence[AnnotatedStream],
    latency_s: float | None,
    done: Callable[[], None],
    results: dict[int, kineseg.Segmentation],
) -> None:
    room = asyncio.Semaphore(AT_ONCE)

    async with kineseg.AsyncClient(address) as client:

        async def one(number: int, stream: AnnotatedStream) -> None:
            async with room:
                try:
                    results[number] = await client.segment(
                        stream.recording, model=stream.model, latency_s=latency_s, frame_results=True
                    )
                except kineseg.KinesegError as error:
                    raise QualityError(
                        f"{stream.set_name}/{stream.name}: the server refused or failed: {error}"
                    ) from error
                done()

        await asyncio.gather(*(one(number, stream) for number, stream in enumerate(streams)))


def final(stream: AnnotatedStream, result: kineseg.Segmentation) -> Prediction:
    """What was final: closed segments, each boundary emitted when it was confirmed."""
    pairs = list(zip(result.boundaries, result.decided_frames, strict=True))
    return Prediction.of(pairs, stream.n_frames, result.labels())


def provisional(stream: AnnotatedStream, result: kineseg.Segmentation) -> Prediction:
    """What was emitted first, see `as_first_emitted`."""
    return as_first_emitted(result.events, stream.n_frames, stream.rate)
