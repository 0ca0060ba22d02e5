"""Peers, floors and oracles on a set."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context

from evaluation.quality import peers
from evaluation.quality.peers.cache import PeerCache
from evaluation.quality.peers.peer import Peer
from evaluation.quality.progress import progress
from evaluation.quality.results import BLIND, NEAREST_CENTROID, ONE_LABEL, MethodResult, SetResult
from evaluation.quality.scores import Prediction
from evaluation.quality.stream import AnnotatedStream

WORKERS = 2


@dataclass(frozen=True)
class Others:
    """Runs peers in processes of their own, and remembers what they said.

    Attributes:
        methods: The peers.
        workers: Where they run.
        cache: What they said before.
    """

    methods: Sequence[Peer]
    workers: ProcessPoolExecutor
    cache: PeerCache

    def add_to(self, result: SetResult, streams: Sequence[AnnotatedStream]) -> None:
        """Rows of what true boundaries are worth, of every peer, and of the floors."""
        if all(stream.labels is not None for stream in streams):
            labelled = [peers.true_boundaries(stream) for stream in streams]
            result.rows.append(MethodResult.of(NEAREST_CENTROID, "oracle", streams, labelled))
        for method in self.methods:
            found = self._run(method, streams, f"{result.name}: {method.name}")
            predictions = [prediction for prediction, _ in found]
            cpu_s = sum(cost for _, cost in found)
            result.rows.append(MethodResult.of(method.name, "peer", streams, predictions, cpu_s))
        for name, floor in ((BLIND, peers.blind), (ONE_LABEL, peers.one_label)):
            result.rows.append(MethodResult.of(name, "floor", streams, [floor(stream) for stream in streams]))

    def _run(self, method: Peer, streams: Sequence[AnnotatedStream], title: str) -> list[tuple[Prediction, float]]:
        found = {number: self.cache.find(method, stream) for number, stream in enumerate(streams)}
        missing = [number for number, said in found.items() if said is None]
        futures = {self.workers.submit(peers.run, method.name, streams[number]): number for number in missing}
        with progress(title, len(missing)) as bar:
            for future in as_completed(futures):
                number = futures[future]
                found[number] = said = future.result()
                self.cache.keep(method, streams[number], *said)
                bar.update()
        return [said for said in found.values() if said is not None]


@contextmanager
def others(methods: Sequence[Peer], cache: PeerCache) -> Iterator[Others]:
    """`Others`, until the block ends."""
    # Spawned, since gRPC's threads do not survive a fork; a process begins when there is something to do.
    with ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn")) as workers:
        yield Others(methods, workers, cache)
