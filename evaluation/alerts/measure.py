"""Runs our monitor at every budget, and the peers, on sets of streams."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, as_completed
from multiprocessing import get_context

from tqdm import tqdm

from evaluation.alerts.ours import Monitor
from evaluation.alerts.peers import PEERS, Peer
from evaluation.alerts.peers.cache import PeerCache
from evaluation.alerts.results import BUDGETS, SetResult
from evaluation.alerts.sets import SETS
from evaluation.alerts.stream import AlertStream
from evaluation.alerts.trials import Trial, trials
from evaluation.alerts.watch import Watched, watch

WORKERS = 2


def measure(names: Sequence[str], seed: int, peers: Sequence[Peer], cache: PeerCache) -> Iterator[SetResult]:
    """The sets, one after the other.

    Args:
        names: Of `SETS`.
        seed: What all that is random follows from.
        peers: To be run where faults are put in or real events are.
        cache: What they made of the same streams before.

    Raises:
        QualityError: Data is not there.
    """
    # Spawned, since threads of libraries do not survive a fork; a process begins when there is something to do.
    with ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn")) as workers:
        for name in names:
            chosen = SETS[name]
            streams = tuple(chosen.load(seed))
            put_in = tuple(tuple(trials(stream, chosen.places, seed)) for stream in streams)
            wanted = peers if chosen.places or chosen.has_events else ()
            yield measure_set(name, streams, put_in, wanted, workers, cache)


def measure_set(
    name: str,
    streams: Sequence[AlertStream],
    put_in: Sequence[tuple[Trial, ...]],
    peers: Sequence[Peer],
    workers: Executor,
    cache: PeerCache,
) -> SetResult:
    """One set: its streams and the trials of each."""
    pairs = list(zip(streams, put_in, strict=True))
    found: dict[tuple[float | str, int], Watched] = {}
    pending: dict[Future[Watched], tuple[float | Peer, int]] = {}
    for number, pair in enumerate(pairs):
        for per_hour in BUDGETS:
            pending[workers.submit(_ours, per_hour, *pair)] = per_hour, number
        for peer in peers:
            if (kept := cache.find(peer, *pair)) is not None:
                found[peer.name, number] = kept
            else:
                pending[workers.submit(_peer, peer.name, *pair)] = peer, number
    for future in tqdm(
        as_completed(pending), total=len(pending), desc=name, leave=False, dynamic_ncols=True, disable=None
    ):
        method, number = pending[future]
        if isinstance(method, Peer):
            cache.keep(method, *pairs[number], future.result())
        found[method.name if isinstance(method, Peer) else method, number] = future.result()
    numbers = range(len(pairs))
    return SetResult(
        name,
        tuple(streams),
        tuple(put_in),
        {per_hour: [found[per_hour, number] for number in numbers] for per_hour in BUDGETS},
        {peer.name: [found[peer.name, number] for number in numbers] for peer in peers},
    )


def _ours(per_hour: float, stream: AlertStream, trials: Sequence[Trial]) -> Watched:
    return watch(Monitor(stream, per_hour), stream, trials)


def _peer(name: str, stream: AlertStream, trials: Sequence[Trial]) -> Watched:
    peer = next(peer for peer in PEERS if peer.name == name)
    return watch(peer.make(stream), stream, trials)
