"""Segmenters of few channels in the rows of a table decide what they do by themselves, to the last bit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kineseg_core.boundary_network import BoundaryNetwork, packaged_network
from kineseg_core.generic import PatternPlan, PatternSegmenter
from kineseg_core.generic.table import PatternTable, PatternTablePlan, RowPatterns
from kineseg_core.segmenter import Decision, SegmenterSettings
from numpy.typing import NDArray

F32 = NDArray[np.float32]
DIM, ROWS, STREAMS = 5, 6, 4


def embeddings(seed: int, blocks: int, rate_hz: float, patterns: int = 3) -> F32:
    """Patterns that repeat, one after the other, and a stillness within, with a glitch; (T, DIM)."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(blocks * 0.1 * rate_hz)) / rate_hz
    pace = np.repeat(rng.uniform(0.5, 3.0, (patterns, DIM)), -(-len(t) // patterns), axis=0)[: len(t)]
    values = np.sin(2 * np.pi * t[:, None] * pace) + 0.05 * rng.standard_normal((len(t), DIM))
    still = len(t) // 2
    values[still : still + round(9 * rate_hz)] = values[still]
    values[still + round(6 * rate_hz)] += 1.0
    return values.astype(np.float32)


def by_itself(
    plan: PatternPlan, frames: F32, surprises: F32, gap: int, network: BoundaryNetwork
) -> tuple[list[list[Decision]], list[float]]:
    """What is decided with each frame, and at the end, and scores; the stream is interrupted before frame `gap`."""
    segmenter, decided, scores = PatternSegmenter(plan), [], []
    for at, (frame, surprise) in enumerate(zip(frames, surprises, strict=True)):
        cut = segmenter.restart() if at == gap else []
        decided.append([*cut, *segmenter.step(frame, frame, float(surprise), network)])
        scores.append(segmenter.anomaly_score)
    return [*decided, segmenter.finish()], scores


@pytest.mark.parametrize("rate_hz", [30.0, 10.0, 1.0])
@settings(max_examples=4)
@given(seed=st.integers(0, 1000))
def test_a_table_decides_what_segmenters_by_themselves_do(rate_hz: float, seed: int) -> None:
    rng, network = np.random.default_rng(seed), BoundaryNetwork(packaged_network())
    plans = [PatternPlan(SegmenterSettings(), DIM, rate_hz, latency_s) for latency_s in (4.0, 0.5, 2.0, 10.0)]
    frames = [embeddings(seed + i, int(rng.integers(300, 500)), rate_hz) for i in range(STREAMS)]
    surprises = [rng.exponential(size=len(each)).astype(np.float32) for each in frames]
    gaps = [int(rng.integers(0, len(each) + 10)) for each in frames]
    table = PatternTable(PatternTablePlan.of(plans[0]), ROWS, ROWS)
    for column in table.columns:  # whatever was there before
        column.view(np.uint8)[...] = 0x55
    places = rng.permutation(ROWS)[:STREAMS]
    rows: list[RowPatterns] = [table.seat(int(row), plan) for row, plan in zip(places, plans, strict=True)]
    decided: list[list[list[Decision]]] = [[] for _ in rows]
    in_rows: list[list[float]] = [[] for _ in rows]
    while going := [i for i in range(STREAMS) if len(decided[i]) < len(frames[i])]:
        some = [int(i) for i in rng.permutation(going)[: rng.integers(1, len(going) + 1)]]
        cuts = [rows[i].restart() if len(decided[i]) == gaps[i] else [] for i in some]
        now = np.stack([frames[i][len(decided[i])] for i in some])
        surprise = np.array([surprises[i][len(decided[i])] for i in some], np.float32)
        follows = table.step(places[some], now, now, surprise, network)
        for place, (i, cut) in enumerate(zip(some, cuts, strict=True)):
            counts = follows.get(place, ())
            decided[i].append([*cut, *(rows[i].follow(counts) if counts or rows[i].begins else ())])
            in_rows[i].append(rows[i].anomaly_score)
    for i, plan in enumerate(plans):
        want = by_itself(plan, frames[i], surprises[i], gaps[i], network)
        assert ([*decided[i], rows[i].finish()], in_rows[i]) == want


def test_nor_does_it_learn_anything_else_of_long_streams() -> None:
    plan, network = PatternPlan(SegmenterSettings(), DIM, 10.0), BoundaryNetwork(packaged_network())
    frames = np.stack([embeddings(seed, 2000, 10.0, patterns=2) for seed in range(STREAMS)], axis=1)
    frames[:, -1] = frames[:5, -1].repeat(400, axis=0)  # many blocks are equally near
    surprises = np.ones((len(frames), STREAMS), np.float32)
    table, rows = PatternTable(PatternTablePlan.of(plan), STREAMS, STREAMS), np.arange(STREAMS)
    seated, alone = [table.seat(row, plan) for row in rows], [PatternSegmenter(plan) for _ in rows]
    boundaries = 0
    for now, surprise in zip(frames, surprises, strict=True):
        follows = table.step(rows, now, now, surprise, network)
        boundaries += len(follows)
        for row in rows:
            want = alone[row].step(now[row], now[row], 1.0, network)
            assert seated[row].follow(follows.get(row, ())) == want
    assert boundaries > STREAMS
    for row in rows:
        of_row = {name: column[row] for name, column in table.columns._asdict().items()}
        blocks, rests = alone[row]._blocks, alone[row]._rests
        assert blocks.count > blocks._settings.horizon
        for name in ("past", "distances", "farthest", "nearest"):
            np.testing.assert_array_equal(of_row[name], getattr(blocks, f"_{name}"), name)
        assert list(of_row["scores"][: of_row["counters"]["waiting"]]) == blocks._recent_scores
        np.testing.assert_array_equal(of_row["background"], blocks._background._ring)
        assert of_row["counters"]["moved"] == rests._moved
