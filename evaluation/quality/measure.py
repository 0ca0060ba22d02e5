"""Runs every method on every set, and keeps what came out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from kineseg_core.segmenter import SegmenterSettings

from evaluation.quality import oracle, peers, service
from evaluation.quality.calibration import reliability, repetition_reliability
from evaluation.quality.others import others
from evaluation.quality.peers.cache import PeerCache
from evaluation.quality.plan import QualityPlan
from evaluation.quality.progress import progress
from evaluation.quality.results import FINAL, OUR_LABELS, PROVISIONAL, MethodResult, ScoredStream, SetResult
from evaluation.quality.sets import SETS, load
from evaluation.quality.stream import AnnotatedStream


def measure(plan: QualityPlan, cache: PeerCache) -> Iterator[SetResult]:
    """The sets, one after the other, each with the bundle that the plan has for it.

    Raises:
        QualityError: Data or metrics are not there, or the server failed.
    """
    methods, _ = peers.chosen(plan.peers)
    with others(methods, cache) as rest:
        for bundle, names in groupby(plan.sets, plan.bundle_for):
            settings = oracle.shipped_settings(bundle)
            with service.running(bundle) as server:
                for name in names:
                    streams = load(name, plan.seeds, plan.limit)
                    result = SetResult(name, SETS[name].family in plan.left_out, bundle.name if bundle else "")
                    if missing := {stream.model for stream in streams} - {"", *server.models}:
                        result.not_served = f"the server has no model {', '.join(sorted(missing))}"
                    else:
                        _ours(result, server, streams, plan.latency_s, settings)
                    rest.add_to(result, streams)
                    yield result


def _ours(
    result: SetResult,
    server: service.Service,
    streams: Sequence[AnnotatedStream],
    latency_s: float | None,
    settings: SegmenterSettings,
) -> None:
    with progress(f"{result.name}: kineseg", len(streams)) as bar:

        def done() -> None:
            bar.update()

        run = service.segment(server, streams, latency_s=latency_s, done=done)
    pairs = list(zip(streams, run.results, strict=True))
    decided = [service.final(*pair) for pair in pairs]
    emitted = [service.provisional(*pair) for pair in pairs]
    final = MethodResult.of(FINAL, "ours", streams, decided, run.cpu_s)
    provisional = MethodResult.of(PROVISIONAL, "ours", streams, emitted, run.cpu_s)
    result.rows += [final, provisional]
    result.streams += map(ScoredStream, streams, run.results, final.each, provisional.each)
    result.reliability = reliability(run.results)
    result.repetition = repetition_reliability(pairs)
    if all(stream.labels is not None for stream in streams):
        labelled = [oracle.our_labels_on_true_boundaries(*pair, settings) for pair in pairs]
        result.rows.append(MethodResult.of(OUR_LABELS, "oracle", streams, labelled))
