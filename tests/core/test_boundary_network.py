"""What the boundary network is given, what it gives, and what is refused as one."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kineseg_core.boundary_network import (
    BlockRing,
    BoundaryNetwork,
    Look,
    NetworkFile,
    StreamViews,
    ViewPlan,
    packaged_network,
)
from kineseg_core.boundary_network.decider import FIRST_CANDIDATE, REACHES, BoundaryDecider
from kineseg_core.boundary_network.file import METADATA
from kineseg_core.boundary_network.layout import LAGS, PATCH_RANGE, PIECES, PIECES_BEFORE, pieces_known
from kineseg_core.errors import BadBundle

CHANNELS = 6


def looks(seed: int, blocks: int = 250, pickled: frozenset[int] = frozenset(), rate_hz: float = 30.0) -> list[Look]:
    """All looks at lags 4, 15 and 30 of a wandering signal."""
    rng = np.random.default_rng(seed)
    plan = ViewPlan.of_signal(CHANNELS, 0, rate_hz)
    views, ring = StreamViews(plan), BlockRing(plan.ends, plan.views)
    frames = np.cumsum(rng.standard_normal((int(blocks * 0.1 * rate_hz), CHANNELS)), axis=0).astype(np.float32)
    found: list[Look] = []
    for i, frame in enumerate(frames):
        if i in pickled:
            views, ring = pickle.loads(pickle.dumps((views, ring)))
        for block in views.update(frame, frame[:0]):
            ring.append(block)
            found += ring.look([(ring.count - lag, lag) for lag in (4, 15, 30) if ring.count - lag >= 8])
    return found


def same(one: Look, other: Look) -> bool:
    arrays = ((getattr(each, name) for name in ("maps", "units", "discrepancies", "far")) for each in (one, other))
    return all(np.array_equal(a, b) for a, b in zip(*arrays, strict=True))


def test_a_row_has_the_same_bits_whatever_it_is_run_with() -> None:
    network, some = BoundaryNetwork(packaged_network()), looks(1)[:40]
    together = network(some)
    assert [network([look])[0] for look in some] == together.tolist()
    assert network(some[::-1]).tolist() == together[::-1].tolist()
    assert len(network([])) == 0


@settings(max_examples=5)
@given(seed=st.integers(0, 100), pickled=st.frozensets(st.integers(0, 700), max_size=3))
def test_pickling_in_between_changes_nothing(seed: int, pickled: frozenset[int]) -> None:
    assert all(same(*pair) for pair in zip(looks(seed), looks(seed, pickled=pickled), strict=True))


@pytest.mark.parametrize("rate_hz", [1.0, 7.3, 10.0, 15.0, 25.0, 30.0])
def test_blocks_keep_time_at_any_rate(rate_hz: float) -> None:
    views = StreamViews(ViewPlan.of_signal(CHANNELS, 0, rate_hz))
    frames = np.zeros((int(60 * rate_hz), CHANNELS), np.float32)
    blocks = 0
    for i, frame in enumerate(frames):
        blocks += len(views.update(frame, frame[:0]))
        assert blocks == pytest.approx((i + 1) / rate_hz / 0.1, abs=1.0)
        assert views.first_frame(max(blocks - 1, 0)) <= i


def test_a_look_says_nothing_of_what_was_before_the_stream() -> None:
    early = next(look for look in looks(2) if look.lag == 30 and look.candidate == 8)
    assert early.first_piece > 0
    assert not early.maps[:, : early.first_piece].any()
    assert not early.maps[:, :, : early.first_piece].any()
    assert not early.far[:, : early.first_piece].any()
    assert LAGS[-1] == 30


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 100))
def test_a_look_stays_within_what_says_anything_and_shows_what_is_known(seed: int) -> None:
    for look in looks(seed, blocks=150):
        first, end = look.first_piece, pieces_known(look.lag)
        assert PATCH_RANGE[0] <= min(look.maps.min(), look.far.min())
        assert max(look.maps.max(), look.far.max()) <= PATCH_RANGE[1]
        known = np.zeros((PIECES, PIECES))
        known[first:end, first:end] = 1.0
        assert np.array_equal(look.maps[-1], known)
        assert not look.maps[:, known == 0.0].any()
        assert not look.far[:, end:].any()
        assert np.array_equal(look.context[: look.far.size], look.far.ravel())
        assert look.context[-1] == known[first, first:PIECES_BEFORE].sum() / PIECES_BEFORE


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_nothing_depends_on_a_last_look_near_the_beginning_of_the_open_segment(seed: int) -> None:
    point = packaged_network().operating_point
    one, other = (BoundaryDecider(point, 50) for _ in range(2))
    rng, count = np.random.default_rng(seed), 600
    peaks = np.cumsum(rng.integers(4, 40, 40))
    near = np.exp(-0.2 * (np.arange(count)[:, None] - peaks) ** 2) * rng.uniform(0.3, 1.0, len(peaks))
    likely = np.clip(near.max(axis=1)[:, None] * rng.uniform(0.8, 1.2, (count, len(LAGS))), 0.0, 1.0).astype(np.float32)
    last, passed_over, found = one.lags[-1], 0, 0
    for now in range(1, count):
        due = one.due(now)
        looked_at, candidate = list(due), now - last
        if candidate >= FIRST_CANDIDATE and candidate + REACHES < one.start + point.shortest:
            assert (candidate, last) not in due
            looked_at.append((candidate, last))
            passed_over += 1
        for each, some in ((one, due), (other, looked_at)):
            each.note(now, some, np.array([likely[at, LAGS.index(lag)] for at, lag in some], np.float32))
        decided = one.decide(now)
        assert decided == other.decide(now)
        found += decided.final is not None
    assert one.finish(count - 1) == other.finish(count - 1)
    assert passed_over > 0
    assert found > 4


def _with(**changes: object) -> bytes:
    model = onnx.load_model_from_string(packaged_network().graph)
    (entry,) = (each for each in model.metadata_props if each.key == METADATA)
    entry.value = json.dumps(json.loads(entry.value) | changes)
    return model.SerializeToString()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"no graph", "not an ONNX graph"),
        (onnx.ModelProto().SerializeToString(), "version is None"),
        (_with(version="0"), "version is '0'.*fit it again"),
        (_with(operating_point={"final": 2.0}), "final is 2, it must be 0 to 1"),
        (_with(operating_point={"finality": 0.5}), "unknown settings finality"),
    ],
)
def test_what_is_no_such_network_is_refused(content: bytes, reason: str) -> None:
    with pytest.raises(BadBundle, match=reason):
        NetworkFile.read(content, Path("bundle"))
