"""Of a source below 10 frames a second several blocks come with a frame: nothing may depend on how many."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kineseg_core.blocks import BLOCK_S
from kineseg_core.boundary_network import BoundaryNetwork, Look, ViewPlan, packaged_network
from kineseg_core.boundary_network.looked import Looked
from kineseg_core.segmenter import Decision, Segmenter, SegmenterPlan, SegmenterSettings
from kineseg_core.segmenter.table import SegmenterTable, TablePlan
from numpy.typing import NDArray

F32 = NDArray[np.float32]
At = Callable[[int, int], float]

CHANNELS = 8
SECONDS = 60
SLOW = (1.0, 1.2, 1.3, 2.0, 3.0, 5.0, 7.0, 9.9)
BY_ITSELF_AND_IN_A_TABLE = pytest.mark.parametrize("in_table", [False, True], ids=["by itself", "in a table"])


class SaysWhatIsWritten(BoundaryNetwork):
    """Says of a candidate what is written, and keeps at which it was asked to look, and how likely they were.

    Args:
        likely: How likely a segment begins at a candidate, seen at a lag.
        lags: Those of a stream, in blocks.
    """

    def __init__(self, likely: At, lags: Sequence[int]) -> None:
        self._likely, self._lags = likely, lags
        self.looks: set[tuple[int, int]] = set()
        self.count = 0

    def __call__(self, looks: Sequence[Look]) -> F32:
        return np.array([self._say(look.candidate, look.lag) for look in looks], np.float32)

    def of_table(self, looked: Looked, looks: int) -> F32:
        said = np.zeros(looks, np.float32)
        for _, count, first, end in looked.of.tolist():
            if first == end or end > looks or count <= self.count:
                continue
            self.count = count
            for look in range(first, end):
                lag = self._lags[looked.lag_of[look]]
                said[look] = self._say(count - lag, lag)
        return said

    def _say(self, candidate: int, lag: int) -> float:
        assert (candidate, lag) not in self.looks
        self.looks.add((candidate, lag))
        return self._likely(candidate, lag)


def planned(rate_hz: float, latency_s: float) -> SegmenterPlan:
    """With as many blocks to decide within as a quicker source has: a slow one's wait for its frames comes on top."""
    wait_s = max(0.0, 1.0 / rate_hz - 2.0 * BLOCK_S)
    views = ViewPlan.of_signal(CHANNELS, 0, rate_hz)
    return SegmenterPlan(SegmenterSettings(), views, packaged_network().operating_point, latency_s + wait_s)


def decided(plan: SegmenterPlan, network: BoundaryNetwork, frames: F32, *, in_table: bool) -> list[list[Decision]]:
    """What is decided with each frame."""
    embedding = np.zeros((1, 0), np.float32)
    if not in_table:
        segmenter = Segmenter(plan)
        return [segmenter.step(frame, embedding[0], 1.0, network) for frame in frames]
    table, row, surprise = SegmenterTable(TablePlan.of(plan), 1, 1), np.zeros(1, np.int64), np.ones(1, np.float32)
    seated = table.seat(0, plan)
    return [seated.follow(table.step(row, frame, embedding, surprise, network).get(0, ())) for frame in frames[:, None]]


def written(seed: int, often: float, *, likeliest: float) -> At:
    """Stretches in which segments are likely to begin, and others; a little less or more so at another lag."""
    rng = np.random.default_rng(seed)
    stirs = np.repeat(rng.random(200) < often, rng.integers(1, 9, 200))
    likely = np.where(stirs, rng.uniform(0.08, likeliest, len(stirs)), 0.02)
    by_lag = rng.uniform(0.9, 1.1, (len(stirs), 40))
    return lambda candidate, lag: float(likely[candidate] * by_lag[candidate, lag])


def looks(rate_hz: float, latency_s: float, likely: At, *, in_table: bool) -> set[tuple[int, int]]:
    plan = planned(rate_hz, latency_s)
    network = SaysWhatIsWritten(likely, plan.decider().lags)
    frames = np.random.default_rng(0).standard_normal((int(SECONDS * rate_hz) + 1, CHANNELS)).astype(np.float32)
    decided(plan, network, frames, in_table=in_table)
    last = round(SECONDS / BLOCK_S) - 20
    return {look for look in network.looks if sum(look) <= last}


@BY_ITSELF_AND_IN_A_TABLE
@pytest.mark.parametrize("rate_hz", SLOW)
@pytest.mark.parametrize("latency_s", [4.0, 3.0, 2.0, 1.0])
@settings(max_examples=2, deadline=None)
@given(seed=st.integers(0, 1000), often=st.floats(0.05, 0.5))
def test_the_same_candidates_are_looked_at_whatever_comes_with_a_frame(
    rate_hz: float, latency_s: float, in_table: bool, seed: int, often: float
) -> None:
    likely = written(seed, often, likeliest=0.19)  # a boundary is likelier
    singly = looks(10.0, latency_s, likely, in_table=False)
    assert looks(rate_hz, latency_s, likely, in_table=in_table) == singly
    assert len({lag for _, lag in singly}) == len(planned(10.0, latency_s).decider().lags)


@pytest.mark.parametrize("rate_hz", SLOW)
@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10**6), often=st.floats(0.1, 0.9), latency_s=st.sampled_from([4.0, 2.0, 1.4, 1.0]))
def test_a_table_misses_nothing_that_follows_from_the_blocks_of_one_frame(
    rate_hz: float, seed: int, often: float, latency_s: float
) -> None:
    plan, likely = planned(rate_hz, latency_s), written(seed, often, likeliest=1.0)
    frames = np.random.default_rng(seed).standard_normal((int(SECONDS * rate_hz), CHANNELS)).astype(np.float32)
    by_itself, in_a_table = (
        decided(plan, SaysWhatIsWritten(likely, plan.decider().lags), frames, in_table=in_table)
        for in_table in (False, True)
    )
    assert in_a_table == by_itself
