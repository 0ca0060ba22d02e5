"""Training examples: what is taken of a stream, and that it is what was known at the time."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
from kineseg_core.blocks import BLOCK_S
from kineseg_core.boundary_network import layout
from kineseg_training.default.boundary_network.examples import Examples, make_examples, stream_examples
from kineseg_training.default.boundary_network.looks import block_count, look, step
from kineseg_training.default.boundary_network.streams.library import Library
from kineseg_training.default.boundary_network.streams.stream import TrainingStream, Truth

VIEWS, PIECES = layout.VIEWS, layout.PIECES


def two_levels(seconds: float = 40.0, certainty: float = 0.5) -> TrainingStream:
    """Noise that jumps half-way."""
    frames = 0.1 * np.random.default_rng(0).standard_normal((int(30 * seconds), 6))
    frames[len(frames) // 2 :] += 2.0
    return TrainingStream("process", False, frames, 30.0, Truth.of([(seconds / 2, 0.1)], [1.0, certainty]))


def test_every_kind_of_stream_gives_examples(streams: list[TrainingStream]) -> None:
    for stream in {stream.kind: stream for stream in streams}.values():
        examples = stream_examples(stream, *step([stream]), np.random.default_rng(0))
        count = len(examples)
        assert count > 50
        assert examples.patches.shape == (count, 2 * VIEWS, PIECES, PIECES)
        assert examples.units.shape == (count, VIEWS)
        assert np.isfinite(examples.patches).all()
        assert np.isfinite(examples.units).all()
        assert examples.discrepancies.shape == (count, layout.COMPARED)
        assert ((examples.discrepancies >= 0.0) & (examples.discrepancies < 1.5)).all()
        assert examples.far.shape == (count, 2, PIECES, layout.STRETCHES)
        assert np.isfinite(examples.far).all()
        first, end = examples.known.T
        assert (first >= 0).all()
        assert (first < layout.PIECES_BEFORE).all()
        assert (end == [layout.pieces_known(layout.LAGS[lag]) for lag in examples.lag]).all()
        assert ((examples.target >= 0.0) & (examples.target <= 1.0)).all()
        assert ((examples.weight > 0.0) & (examples.weight <= 1.0)).all()
        piece = np.arange(PIECES)
        unknown = (piece < first[:, None]) | (piece >= end[:, None])
        assert not examples.patches.transpose(0, 2, 1, 3)[unknown].any()
        assert not examples.patches.transpose(0, 3, 1, 2)[unknown].any()


def test_the_target_is_high_at_a_boundary_and_doubt_counts_inside_only() -> None:
    levels = two_levels()
    examples = stream_examples(levels, *step([levels]), np.random.default_rng(1))
    assert examples.target.max() == pytest.approx(1.0)
    near = examples.target > np.exp(-0.5 * (0.65 / 0.25) ** 2)
    assert 4 <= near.sum() <= 13
    assert (examples.weight[near] == 1.0).all()
    assert set(examples.weight[~near]) == {0.5, 1.0}
    # Distances across the jump are large where the candidate is right at it; many channels have posture in front.
    last = max(np.flatnonzero(examples.target > 0.99), key=lambda row: examples.known[row, 1])
    posture = examples.patches[last, 0, layout.PIECES_BEFORE]
    across = posture[layout.PIECES_BEFORE - 4 : layout.PIECES_BEFORE]
    within = posture[layout.PIECES_BEFORE + 1 : layout.PIECES_BEFORE + 4]
    assert across.min() > within.max() + 1.0


def test_an_idle_stream_has_no_target() -> None:
    frames = np.random.default_rng(3).standard_normal((1800, 2))
    stream = TrainingStream("idle", False, frames, 30.0, Truth.of_one_segment())
    examples = stream_examples(stream, *step([stream]), np.random.default_rng(1))
    assert len(examples) > 100
    assert not examples.target.any()
    assert (examples.weight == 1.0).all()


def test_a_look_uses_nothing_later_than_itself(streams: list[TrainingStream]) -> None:
    for stream in (streams[0], streams[2]):
        candidates = np.array([12, 100, 300])
        lags = np.array([layout.LAGS[0], layout.LAGS[-1], layout.LAGS[4]])
        due = int((candidates + lags).max())
        frames = stream.frames[: int((due + 1) * BLOCK_S * stream.rate) + 2]
        early = TrainingStream(stream.kind, stream.canonical, frames, stream.rate, stream.truth)
        assert block_count(early) < block_count(stream)
        whole, cut = look(*step([stream]), candidates, lags), look(*step([early]), candidates, lags)
        np.testing.assert_array_equal(whole.patches, cut.patches)
        np.testing.assert_array_equal(whole.units, cut.units)
        np.testing.assert_array_equal(whole.discrepancies, cut.discrepancies)
        np.testing.assert_array_equal(whole.far, cut.far)


def test_a_pool_gives_the_rows_that_are_asked_for(library: Library) -> None:
    pool = make_examples(library, 3, 7)
    every = pool.batch(np.arange(len(pool)))
    rows = np.array([len(pool) - 1, 0, 17, len(pool) // 2])
    some = pool.batch(rows)
    for field in fields(Examples):
        np.testing.assert_array_equal(getattr(some, field.name), getattr(every, field.name)[np.sort(rows)])
    again = make_examples(library, 3, 7).batch(np.arange(len(pool)))
    for field in fields(Examples):
        assert getattr(again, field.name).tobytes() == getattr(every, field.name).tobytes()
