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
from kineseg_core.boundary_network.file import METADATA
from kineseg_core.boundary_network.layout import LAGS
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
    arrays = ((getattr(each, name) for name in ("patches", "units", "discrepancies", "far")) for each in (one, other))
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
    assert not early.patches[:, : early.first_piece].any()
    assert not early.patches[:, :, : early.first_piece].any()
    assert LAGS[-1] == 30


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
