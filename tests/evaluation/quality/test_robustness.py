"""How far the result may change under other circumstances: bounds, on generated streams through the real server."""

from __future__ import annotations

from collections.abc import Iterator

import kineseg
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kineseg.motion import Recording, generate
from kineseg_service.config import Settings
from kineseg_service.server import BackgroundServer
from scipy.optimize import linear_sum_assignment

from evaluation.quality.perturb import PERTURBATIONS, Perturbed
from evaluation.quality.robustness_compare import Agreement, Result, compare, matched
from evaluation.quality.robustness_measure import segment

STREAMS = [generate(seed=seed, duration_s=70.0, rate=60.0) for seed in (301, 302)]
# By the circumstance: the least share of boundaries that are kept and the least F1, over both streams.
EXACT = ("turned", "moved", "size-0.6", "size-100")
BOUNDS = {
    **dict.fromkeys(("mirrored", "proportions", "rate-24", "rate-30", "rate-120", "rate-240"), (0.9, 0.9)),
    **dict.fromkeys(("dropped-numbered", "dropped-timed", "jitter-stamps", "jitter-capture"), (0.9, 0.9)),
    "joint-lost": (0.9, 0.9),
    "joint-frozen": (0.8, 0.8),
    **dict.fromkeys(("tempo-0.8", "tempo-1.25"), (0.8, 0.8)),
    **dict.fromkeys(("tempo-0.6", "tempo-1.6"), (0.75, 0.75)),
}


@pytest.fixture(scope="module")
def client() -> Iterator[kineseg.Client]:
    settings = Settings(port=0, metrics_port=None, log_level="error")
    with BackgroundServer(settings) as server, kineseg.Client(server.address) as client:
        yield client


@pytest.fixture(scope="module")
def as_is(client: kineseg.Client) -> list[Result]:
    return [segment(client, Perturbed(stream)) for stream in STREAMS]


def agreements(client: kineseg.Client, as_is: list[Result], name: str) -> list[Agreement]:
    """Of both streams under the circumstance of that name."""
    (perturbation,) = (each for each in PERTURBATIONS if each.name == name)

    def agreement(stream: Recording, before: Result, seed: int) -> Agreement:
        motion = perturbation.apply(stream, np.random.default_rng(seed))
        return compare(before.played(motion.tempo), segment(client, motion))

    return [agreement(*each) for each in zip(STREAMS, as_is, (0, 1), strict=True)]


def test_there_is_something_to_change(as_is: list[Result]) -> None:
    for stream, result in zip(STREAMS, as_is, strict=True):
        assert stream.truth is not None
        assert abs(len(result.boundaries) - len(stream.truth.changes)) <= 2
        assert result.duration_s == pytest.approx(70.0, abs=0.1)


@pytest.mark.parametrize("name", EXACT)
def test_place_heading_and_size_change_nothing(client: kineseg.Client, as_is: list[Result], name: str) -> None:
    assert agreements(client, as_is, name) == [Agreement(kept=1.0, f1=1.0, ari=1.0)] * 2


@pytest.mark.parametrize("name", BOUNDS)
def test_most_boundaries_stay(client: kineseg.Client, as_is: list[Result], name: str) -> None:
    found = agreements(client, as_is, name)
    kept, f1 = BOUNDS[name]
    assert np.mean([each.kept for each in found]) >= kept
    assert np.mean([each.f1 for each in found]) >= f1


def test_every_circumstance_is_bounded() -> None:
    assert {each.name for each in PERTURBATIONS} - {*EXACT, *BOUNDS} == {"rate-60"}  # what the streams are


times = st.lists(st.floats(0.0, 60.0), max_size=12).map(lambda values: np.array(sorted(values)))


@given(times, times, st.floats(0.0, 5.0))
def test_no_matching_has_more_pairs(a: np.ndarray, b: np.ndarray, tolerance: float) -> None:
    pairs = matched(a, b, tolerance)
    assert all(abs(a[i] - b[j]) <= tolerance for i, j in pairs)
    assert len({i for i, _ in pairs}) == len({j for _, j in pairs}) == len(pairs)
    near = np.abs(a[:, None] - b[None, :]) <= tolerance
    rows, columns = linear_sum_assignment(-near.astype(float))
    assert len(pairs) == int(near[rows, columns].sum())


def test_results_are_compared_in_time() -> None:
    def result(*starts: float, labels: tuple[int, ...], duration_s: float = 20.0) -> Result:
        at = np.array([0.0, *starts])
        return Result(at, np.array(labels), at, duration_s)

    before = result(5.0, 10.0, labels=(0, 1, 0))
    assert compare(before, before) == Agreement(1.0, 1.0, 1.0)
    assert compare(before, result(5.4, 10.0, labels=(7, 8, 7))).f1 == 1.0
    extra = compare(before, result(5.0, 10.0, 15.0, labels=(0, 1, 0, 1)))
    assert (extra.kept, extra.f1) == (1.0, 0.8)
    assert extra.ari < 1.0
    fewer = compare(before, result(5.6, 10.0, labels=(0, 1, 0)))
    assert (fewer.kept, fewer.f1) == (0.5, 0.5)
    assert before.played(2.0).boundaries.tolist() == [2.5, 5.0]
    assert compare(before.played(2.0), result(2.5, 5.0, labels=(3, 4, 3), duration_s=10.0)) == Agreement(1.0, 1.0, 1.0)
