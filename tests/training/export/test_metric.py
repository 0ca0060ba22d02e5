"""The temporal metric: what it is for, and its stated properties."""

from __future__ import annotations

import numpy as np
import pytest
from kineseg_training.errors import DataError, SettingsError
from kineseg_training.export.metric import MetricSettings, learn_metric

RATE = 30.0


def takes_of_actions(rng: np.random.Generator, repeats: int = 4) -> list[list[np.ndarray]]:
    """Takes of three actions in ten features.

    The first two features depend on the action. The third wanders slowly within every take, four times as far.
    """
    takes = []
    for action in range(3):
        for _ in range(repeats):
            n = 240
            values = 0.3 * rng.standard_normal((n, 10))
            values[:, 0] += (0.0, 2.0, 0.0)[action]
            values[:, 1] += (0.0, 0.0, 2.0)[action]
            values[:, 2] += 6.0 * np.sin(2 * np.pi * (np.arange(n) / 180.0 + rng.random()))
            takes.append([values[:, :6], values[:, 6:]])
    return takes


def separation(embedded: list[np.ndarray], repeats: int) -> float:
    """Share of the total variance that lies between the actions."""
    actions = [np.concatenate(embedded[i : i + repeats]) for i in range(0, len(embedded), repeats)]
    everything = np.concatenate(actions)
    within = sum(((action - action.mean(axis=0)) ** 2).sum() for action in actions)
    return float(1.0 - within / ((everything - everything.mean(axis=0)) ** 2).sum())


def test_it_looks_past_what_varies_within_an_action() -> None:
    takes = takes_of_actions(np.random.default_rng(0))
    plain = separation([np.concatenate(take, axis=1) for take in takes], 4)
    metric = learn_metric(takes, RATE, MetricSettings(dimensions=2, regularisation=0.01))
    learned = separation([metric.embed(take) for take in takes], 4)
    assert plain < 0.1
    assert learned > 0.5


def test_heavy_regularisation_leaves_distances_as_they_are() -> None:
    takes = takes_of_actions(np.random.default_rng(1))
    metric = learn_metric(takes, RATE, MetricSettings(dimensions=10, regularisation=1e9))
    joined = [np.concatenate(take, axis=1) for take in takes]
    scale = np.concatenate(
        [
            np.full(w, 1 / np.sqrt(np.concatenate(b).var(axis=0).sum()))
            for w, b in ((6, [take[0] for take in takes]), (4, [take[1] for take in takes]))
        ]
    )
    a, b = (joined[i][5:50] * scale for i in (0, 5))
    before = ((a - b) ** 2).sum(axis=1)
    after = (
        (
            metric.embed([joined[0][5:50, :6], joined[0][5:50, 6:]])
            - metric.embed([joined[5][5:50, :6], joined[5][5:50, 6:]])
        )
        ** 2
    ).sum(axis=1)
    np.testing.assert_allclose(after / after.mean(), before / before.mean(), rtol=1e-6)


def test_the_smoothed_corpus_has_mean_zero_and_total_variance_one() -> None:
    takes = takes_of_actions(np.random.default_rng(2))
    settings = MetricSettings(dimensions=4, smoothing_s=1 / RATE)  # no smoothing: easy to say what comes out
    metric = learn_metric(takes, RATE, settings)
    embedded = np.concatenate([metric.embed(take)[15:] for take in takes])
    assert np.cov(embedded, rowvar=False).trace() == pytest.approx(1.0)
    assert np.abs(np.concatenate([metric.embed(take) for take in takes]).mean(axis=0)).max() < 1e-9
    # Directions come in the order of how much they vary after whitening, and do not repeat each other.
    assert metric.weight.shape == (10, 4)
    assert np.linalg.matrix_rank(metric.weight) == 4


def test_units_of_a_block_do_not_matter() -> None:
    takes = takes_of_actions(np.random.default_rng(3))
    metric = learn_metric(takes, RATE, MetricSettings(dimensions=3))
    scaled = [[take[0], 1000.0 * take[1] + 5.0] for take in takes]
    other = learn_metric(scaled, RATE, MetricSettings(dimensions=3))
    np.testing.assert_allclose(other.embed(scaled[0]), metric.embed(takes[0]), atol=1e-8)


def test_equal_input_gives_equal_bits() -> None:
    first, second = (
        learn_metric(takes_of_actions(np.random.default_rng(4)), RATE, MetricSettings(dimensions=3)) for _ in range(2)
    )
    np.testing.assert_array_equal(first.weight, second.weight)
    np.testing.assert_array_equal(first.bias, second.bias)


def test_what_cannot_be_learned_from() -> None:
    takes = takes_of_actions(np.random.default_rng(5))
    with pytest.raises(SettingsError, match=r"dimensions .11. must not exceed the number of features, 10"):
        learn_metric(takes, RATE, MetricSettings(dimensions=11))
    with pytest.raises(DataError, match="too short"):
        learn_metric([[block[:15] for block in take] for take in takes], RATE, MetricSettings(dimensions=2))
    with pytest.raises(DataError, match="do not vary"):
        learn_metric([[np.ones((100, 3))]], RATE, MetricSettings(dimensions=2))
    with pytest.raises(DataError, match="no takes"):
        learn_metric([], RATE, MetricSettings(dimensions=2))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"dimensions": 0}, "dimensions"),
        ({"drop": 1.0}, "drop"),
        ({"regularisation": 0.0}, "regularisation"),
        ({"lag_s": -1.0}, "lag_s"),
    ],
)
def test_settings_that_make_no_sense(change: dict[str, float], says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        MetricSettings(**change)  # type: ignore[arg-type]
