"""Segmenters in the rows of a table decide what segmenters by themselves do, to the last bit."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kineseg_core.boundary_network import BoundaryNetwork, ViewPlan, packaged_network
from kineseg_core.segmenter import Decision, Segmenter, SegmenterPlan, SegmenterSettings
from kineseg_core.segmenter.table import RowSegmenter, SegmenterTable, TablePlan
from numpy.typing import NDArray

from tests.core.segmenter.streams import embedding_stream

F32 = NDArray[np.float32]

CHANNELS = 8
ROWS = 6
LATENCIES_S = (4.0, 0.5, 2.0, 10.0)


@cache
def network() -> BoundaryNetwork:
    return BoundaryNetwork(packaged_network())


def plan(kind: str, rate_hz: float) -> ViewPlan:
    if kind == "motion":
        return ViewPlan.of_model(CHANNELS, CHANNELS, rate_hz)
    return ViewPlan.of_signal(CHANNELS, 0, rate_hz)


def planned(views: ViewPlan, latency_s: float) -> SegmenterPlan:
    return SegmenterPlan(SegmenterSettings(), views, packaged_network().operating_point, latency_s)


def stream(seed: int, blocks: int, rate_hz: float) -> F32:
    """Actions, a stillness within, and noise; (T, CHANNELS)."""
    actions, _ = embedding_stream([0, 1, 0, 2, 1], [blocks / 50.0] * 5, seed, CHANNELS)
    at = np.linspace(0, len(actions) - 1, round(blocks * 0.1 * rate_hz)).astype(int)
    frames = actions[at]
    still = len(frames) // 2
    frames[still : still + round(9 * rate_hz)] = frames[still]
    return frames


def by_itself(views: ViewPlan, frames: F32, surprises: F32, latency_s: float, gap: int) -> list[list[Decision]]:
    """What a segmenter decides with each frame, and at the end; the stream is interrupted before frame `gap`."""
    segmenter = Segmenter(planned(views, latency_s))
    decided = []
    for at, (frame, surprise) in enumerate(zip(frames, surprises, strict=True)):
        cut = segmenter.restart() if at == gap else []
        decided.append([*cut, *segmenter.step(frame, frame[: views.embedding], float(surprise), network())])
    return [*decided, segmenter.finish()]


class Seated:
    """A stream that is stepped as a row of a table."""

    def __init__(self, table: SegmenterTable, row: int, views: ViewPlan, latency_s: float) -> None:
        self.row = row
        self.segmenter: RowSegmenter = table.seat(row, planned(views, latency_s))
        self.decided: list[list[Decision]] = []

    @property
    def at(self) -> int:
        return len(self.decided)


def in_a_table(
    views: ViewPlan, streams: list[tuple[F32, F32, float, int]], rng: np.random.Generator
) -> list[list[list[Decision]]]:
    """The same of streams that come and go in a table, some of them in each step, in any order."""
    table = SegmenterTable(TablePlan(views, SegmenterSettings()), ROWS, ROWS, at_once=int(rng.integers(1, ROWS + 1)))
    rows = rng.permutation(ROWS)
    seated = [
        Seated(table, int(row), views, latency_s) for row, (_, _, latency_s, _) in zip(rows, streams, strict=False)
    ]
    while True:
        going = [i for i, one in enumerate(seated) if one.at < len(streams[i][0])]
        if not going:
            break
        some = [int(i) for i in rng.permutation(going)[: rng.integers(1, len(going) + 1)]]
        cuts = {i: seated[i].segmenter.restart() if seated[i].at == streams[i][3] else [] for i in some}
        frames = np.stack([streams[i][0][seated[i].at] for i in some])
        surprises = np.array([streams[i][1][seated[i].at] for i in some], np.float32)
        follows = table.step(
            np.array([seated[i].row for i in some]), frames, np.ascontiguousarray(frames[:, : views.embedding]),
            surprises, network(),
        )  # fmt: skip
        for place, i in enumerate(some):
            segmenter = seated[i].segmenter
            counts = follows.get(place, ())
            now = segmenter.follow(counts) if counts or segmenter.begins else []
            seated[i].decided.append([*cuts[i], *now])
    return [[*one.decided, one.segmenter.finish()] for one in seated]


@pytest.mark.parametrize("kind", ["motion", "signal"])
@pytest.mark.parametrize("rate_hz", [30.0, 100.0, 7.0, 1.0])
@settings(max_examples=2)
@given(seed=st.integers(0, 1000))
def test_a_table_decides_what_segmenters_by_themselves_do(kind: str, rate_hz: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    views = plan(kind, rate_hz)
    streams = []
    for i in range(4):
        frames = stream(seed + i, int(rng.integers(120, 250)), rate_hz)
        surprises = rng.exponential(size=len(frames)).astype(np.float32)
        streams.append((frames, surprises, LATENCIES_S[i], int(rng.integers(0, len(frames) + 10))))
    want = [by_itself(views, *one) for one in streams]
    assert in_a_table(views, streams, rng) == want
    assert sum(len(decisions) for decided in want for decisions in decided) > 8


def test_a_row_begins_anew_with_its_next_stream() -> None:
    views = plan("motion", 30.0)
    table = SegmenterTable(TablePlan(views, SegmenterSettings()), 2, 2)
    rows = np.array([1])

    def run(seed: int) -> list[Decision]:
        one = Seated(table, 1, views, 4.0)
        decided: list[Decision] = []
        for frame in stream(seed, 300, 30.0)[:, None]:
            follows = table.step(rows, frame, frame, np.ones(1, np.float32), network())
            decided += one.segmenter.follow(follows.get(0, ()))
        return [*decided, *one.segmenter.finish()]

    first = run(1)
    run(2)
    assert run(1) == first
