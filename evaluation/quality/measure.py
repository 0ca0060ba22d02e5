"""Runs every method on every set, and keeps what came out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import NoReturn

from kineseg import Segmentation
from kineseg_core.segmenter import SegmenterSettings
from tqdm import tqdm

from evaluation.quality import oracle, peers, service
from evaluation.quality.calibration import Reliability, reliability
from evaluation.quality.leave_one_out import leave_one_out
from evaluation.quality.peers import Peer
from evaluation.quality.scores import Prediction, StreamScore, mean, score_stream
from evaluation.quality.sets import Seeds, load
from evaluation.quality.stream import AnnotatedStream

FINAL, PROVISIONAL = "kineseg, final", "kineseg, provisional"
LEFT_OUT = "kineseg, final, settings chosen on the other takes"
WORKERS = 2


@dataclass(frozen=True)
class MethodResult:
    """One method on one set.

    Attributes:
        method: Its name.
        score: Mean figures.
        streams: How many.
        frames_per_s: Frames of the streams' own rates that one core deals with in a second; None if not measured.
    """

    method: str
    score: StreamScore
    streams: int
    frames_per_s: float | None = None


@dataclass(frozen=True, eq=False)
class ScoredStream:
    """One stream, for its picture: what our service said about it."""

    stream: AnnotatedStream
    result: Segmentation
    final: StreamScore
    provisional: StreamScore


@dataclass(eq=False)
class SetResult:
    """All about one set.

    Attributes:
        name: Of the set.
        rows: In the order shown.
        streams: Its streams, with their scores.
        reliability: Of the confidence of provisional segments; None if there were none.
        not_served: Why our service has no rows; empty if it has.
    """

    name: str
    rows: list[MethodResult] = field(default_factory=list)
    streams: list[ScoredStream] = field(default_factory=list)
    reliability: Reliability | None = None
    not_served: str = ""


@dataclass(frozen=True)
class QualityPlan:
    """What to run.

    Attributes:
        sets: Names, in the order shown.
        seeds: Which seeds.
        peers: Which peers.
        bundle: Another bundle than the packaged one.
        latency_s: Budget of final decisions; the server's default if None.
        leave_one_take_out: Whether to choose settings for each take on the other five.
        limit: At most so many streams of each set; None for all.
    """

    sets: tuple[str, ...]
    seeds: Seeds = "dev"
    peers: peers.Choice = "all"
    bundle: Path | None = None
    latency_s: float | None = None
    leave_one_take_out: bool = True
    limit: int | None = None


DEFAULT_LATENCY_S = 4.0  # of the server


def measure(plan: QualityPlan) -> Iterator[SetResult]:
    """The sets, one after the other.

    Raises:
        QualityError: Data or metrics are not there, or the server failed.
    """
    methods, _ = peers.chosen(plan.peers)
    settings = oracle.shipped_settings(plan.bundle)
    with service.running(plan.bundle) as server, _workers(bool(methods)) as workers:
        for name in plan.sets:
            streams = load(name, plan.seeds, plan.limit)
            result = SetResult(name)
            wanted = {stream.model for stream in streams} - {""}
            if missing := wanted - set(server.models):
                result.not_served = f"the server has no model {', '.join(sorted(missing))}"
            else:
                _ours(result, server, streams, plan, settings)
            _others(result, streams, methods, workers)
            yield result


def _ours(
    result: SetResult,
    server: service.Service,
    streams: Sequence[AnnotatedStream],
    plan: QualityPlan,
    settings: SegmenterSettings,
) -> None:
    with _progress(f"{result.name}: kineseg", len(streams)) as bar:

        def done() -> None:
            bar.update()

        run = service.segment(server, streams, latency_s=plan.latency_s, done=done)
    for stream, segmentation in zip(streams, run.results, strict=True):
        final = score_stream(stream, service.final(stream, segmentation))
        provisional = score_stream(stream, service.provisional(stream, segmentation))
        result.streams.append(ScoredStream(stream, segmentation, final, provisional))
    speed = sum(stream.n_frames for stream in streams) / run.cpu_s if run.cpu_s else None
    count = len(streams)
    result.rows.append(MethodResult(FINAL, mean([each.final for each in result.streams]), count, speed))
    result.rows.append(MethodResult(PROVISIONAL, mean([each.provisional for each in result.streams]), count, speed))
    result.reliability = reliability(run.results)
    if result.name == "takes" and plan.leave_one_take_out and count > 1:
        latency_s = DEFAULT_LATENCY_S if plan.latency_s is None else plan.latency_s
        scores = leave_one_out(streams, run.results, settings, latency_s)
        result.rows.append(MethodResult(LEFT_OUT, mean(scores), count))
    named = [(stream, each) for stream, each in zip(streams, run.results, strict=True) if stream.labels is not None]
    if named:
        labelled = [score_stream(s, oracle.our_labels_on_true_boundaries(s, each, settings)) for s, each in named]
        result.rows.append(MethodResult("ORACLE: true boundaries + our labels", mean(labelled), len(named)))


def _others(
    result: SetResult, streams: Sequence[AnnotatedStream], methods: Sequence[Peer], workers: ProcessPoolExecutor | None
) -> None:
    if streams[0].labels is not None:
        labelled = [score_stream(stream, peers.true_boundaries(stream)) for stream in streams]
        result.rows.append(MethodResult("ORACLE: true boundaries + nearest centroid", mean(labelled), len(streams)))
    for method in methods:
        assert workers is not None  # there are methods
        found: dict[int, tuple[Prediction, float]] = {}
        futures = {workers.submit(peers.run, method.name, stream): i for i, stream in enumerate(streams)}
        with _progress(f"{result.name}: {method.name}", len(streams)) as bar:
            for future in as_completed(futures):
                found[futures[future]] = future.result()
                bar.update()
        scores = [score_stream(stream, found[i][0]) for i, stream in enumerate(streams)]
        cpu_s = sum(cost for _, cost in found.values())
        speed = sum(stream.n_frames for stream in streams) / cpu_s if cpu_s else None
        result.rows.append(MethodResult(method.name, mean(scores), len(streams), speed))
    floors = (("blind cut every 7 s", peers.blind), ("one label, no boundary", peers.one_label))
    for name, floor in floors:
        result.rows.append(
            MethodResult(name, mean([score_stream(stream, floor(stream)) for stream in streams]), len(streams))
        )


@contextmanager
def _workers(needed: bool) -> Iterator[ProcessPoolExecutor | None]:
    if not needed:
        yield None
        return
    # Spawned, since gRPC's threads do not survive a fork.
    with ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn")) as pool:
        yield pool


def _progress(what: str, total: int) -> tqdm[NoReturn]:
    return tqdm(total=total, desc=what, leave=False, dynamic_ncols=True, unit="stream", disable=None)
