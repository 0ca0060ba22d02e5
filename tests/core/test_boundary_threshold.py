"""How likely a boundary must be to become final: one number for every segmenter that has probabilities."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kineseg.motion import canonical_pose, generate
from kineseg_core.boundary_network import OperatingPoint
from kineseg_core.events import SegmentClosed, SegmentStarted
from kineseg_core.opening import Opener, StreamRequest
from numpy.typing import NDArray

from tests.core.in_process import SCRATCH, SHIPPED, events, shipped

RATE = 30.0
PROBABILITIES = st.floats(0.01, 0.99)


@cache
def motion(seed: int) -> NDArray[np.float32]:
    return canonical_pose(generate(seed, 45.0, RATE)).frames.astype(np.float32)


@cache
def noisy_steps(seed: int) -> NDArray[np.float32]:
    """Six channels that change their levels now and then, some changes hardly larger than the noise."""
    random = np.random.default_rng(seed)
    levels = np.cumsum((random.random((900, 6)) < 0.01) * random.standard_normal((900, 6)), axis=0)
    return (levels + 0.5 * random.standard_normal((900, 6))).astype(np.float32)


@pytest.mark.parametrize(("model", "seed"), [(SHIPPED, 3), (SCRATCH, 11), ("steps", 1)])
def test_a_higher_threshold_never_gives_more_boundaries(model: str, seed: int) -> None:
    frames = noisy_steps(seed) if model == "steps" else motion(seed)
    model = SCRATCH if model == "steps" else model
    found = []
    for threshold in (0.02, 0.3, 0.5, 0.7, 0.99):
        emitted = events(frames, RATE, model, boundary_threshold=threshold)
        found.append(sum(isinstance(event.detail, SegmentClosed) for event in emitted))
    assert all(fewer <= more for more, fewer in pairwise(found)), found
    assert found[-1] < found[0], found


@pytest.mark.parametrize("model", [SHIPPED, SCRATCH])
def test_the_models_own_threshold_changes_nothing(model: str) -> None:
    own = Opener({"motion": shipped()}).session(request(model)).config.boundary_threshold
    given_, usual = (
        [event.detail for event in events(motion(3), RATE, model, boundary_threshold=threshold)]
        for threshold in (own, 0.0)
    )
    assert given_ == usual


@pytest.mark.parametrize("model", [SHIPPED, SCRATCH])
def test_what_is_provisional_moves_with_it(model: str) -> None:
    provisional = []
    for threshold in (0.1, 0.9):
        emitted = events(motion(11), RATE, model, boundary_threshold=threshold)
        provisional.append(sum(isinstance(e.detail, SegmentStarted) and not e.detail.confirmed for e in emitted))
    assert provisional[0] > provisional[1]


def test_nothing_provisional_is_emitted_where_there_is_no_candidate() -> None:
    frames = motion(11)
    for event in events(frames, RATE, boundary_threshold=0.02):
        if isinstance(event.detail, SegmentStarted) and not event.detail.confirmed:
            assert event.decided_frame - event.frame <= 4.0 * RATE


@given(
    final=PROBABILITIES, margin=st.floats(0, 1), surest=PROBABILITIES, provisional=PROBABILITIES,
    threshold=PROBABILITIES,
)  # fmt: skip
def test_all_probabilities_of_an_operating_point_keep_their_order(
    final: float, margin: float, surest: float, provisional: float, threshold: float
) -> None:
    point = OperatingPoint(final, margin, surest, provisional)
    moved = point.at(threshold)
    assert moved.final == threshold
    assert moved.shortest == point.shortest
    names = ("final", "surest", "provisional", "retracted")
    before, after = ([getattr(one, name) for name in names] for one in (point, moved))
    assert all(0.0 <= value <= 1.0 for value in after)
    for i, j in [(i, j) for i in range(4) for j in range(4) if before[i] < before[j]]:
        assert after[i] <= after[j] + 1e-12  # but for rounding
    back = moved.at(final)
    assert [getattr(back, name) for name in names] == pytest.approx(before, abs=1e-5)


@given(low=PROBABILITIES, high=PROBABILITIES)
def test_a_higher_threshold_asks_for_more_at_every_moment(low: float, high: float) -> None:
    low, high = sorted((low, high))
    lenient, strict = OperatingPoint().at(low), OperatingPoint().at(high)
    assert lenient.final + lenient.margin <= strict.final + strict.margin + 1e-12
    assert lenient.surest <= strict.surest
    assert lenient.provisional <= strict.provisional
    assert lenient.retracted <= strict.retracted


def test_a_servers_default_is_for_the_default_model_alone() -> None:
    opener = Opener({"motion": shipped()}, default_boundary_threshold=0.7)
    usual = Opener({"motion": shipped()})
    in_force = [opener.session(request(model)).config.boundary_threshold for model in (SHIPPED, SCRATCH)]
    assert in_force == [0.7, usual.session(request(SCRATCH)).config.boundary_threshold]
    asked = opener.session(request(SHIPPED, 0.3))
    assert asked.config.boundary_threshold == 0.3


def test_where_there_is_no_probability_a_default_is_left_out() -> None:
    opener = Opener({}, default_boundary_threshold=0.7)
    few = StreamRequest(RATE, channels=("c0", "c1"))
    assert opener.session(few).config.boundary_threshold == 0.0


def request(model: str, threshold: float = 0.0) -> StreamRequest:
    channels = () if model == SHIPPED else tuple(f"c{i}" for i in range(6))
    return StreamRequest(RATE, model=model, channels=channels, boundary_threshold=threshold)
