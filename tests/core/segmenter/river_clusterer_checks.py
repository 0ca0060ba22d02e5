"""Checks that any River `Clusterer` can be put through: River's own, and what a stream that runs for days needs.

River yields its data-driven checks for regressors and classifiers only; a clusterer is put through the same ones here.
"""

from __future__ import annotations

import itertools
import pickle
from collections.abc import Callable, Iterator

from river import base, checks, datasets
from river.checks import common

Check = Callable[[base.Clusterer], None]

_ON_DATA = (
    common.check_learn_one,
    common.check_pickling,
    common.check_shuffle_features_no_impact,
    common.check_emerging_features,
    common.check_disappearing_features,
    common.check_radically_disappearing_features,
    common.check_no_state_aliasing_with_input,
    common.check_clone_is_independent,
)


def points(n: int) -> list[dict[str, float]]:
    """`n` real points; River ships them."""
    rows = itertools.islice(itertools.cycle(datasets.TrumpApproval()), n)
    return [{k: float(v) for k, v in x.items()} for x, _ in rows]


def river_checks(model: base.Clusterer) -> Iterator[Check]:
    """River's checks of any estimator, then those that need data."""
    yield from checks.yield_checks(model)
    for check in _ON_DATA:
        yield _with_data(check, 200)
    yield _with_data(common.check_bounded_memory_growth, 2000)


def own_checks() -> tuple[Check, ...]:
    """What we ask beyond River's checks."""
    return (
        check_predicts_before_learning,
        check_prediction_changes_nothing,
        check_clone_is_fresh,
        check_pickle_continues_alike,
        check_size_is_bounded,
    )


def check_predicts_before_learning(model: base.Clusterer) -> None:
    """A label before the first point, and it is an integer."""
    assert isinstance(model.predict_one({"a": 1.0}), int)


def check_prediction_changes_nothing(model: base.Clusterer) -> None:
    """The whole state is byte for byte the same after any prediction: fresh, of known features, of unknown ones."""
    for x in [{}, *points(60)]:
        state = pickle.dumps(model)
        for asked in ({}, x, {"never seen": 2.0}, {**x, "never seen": -1.0}):
            model.predict_one(asked)
        assert pickle.dumps(model) == state, "predict_one changed the model"
        model.learn_one(x)


def check_clone_is_fresh(model: base.Clusterer) -> None:
    """A clone of a model that has learned is what the model was before."""
    fresh = pickle.dumps(model)
    for x in points(60):
        model.learn_one(x)
    assert pickle.dumps(model.clone()) == fresh


def check_pickle_continues_alike(model: base.Clusterer) -> None:
    """Pickling at every step changes no prediction."""
    copy = pickle.loads(pickle.dumps(model))
    for x in points(120):
        assert copy.predict_one(x) == model.predict_one(x)
        model.learn_one(x)
        copy.learn_one(x)
        copy = pickle.loads(pickle.dumps(copy))


def check_size_is_bounded(model: base.Clusterer) -> None:
    """After a warm-up the state does not grow, though the data moves on for good."""
    sizes = []
    for lap in range(8):
        for x in points(500):
            model.learn_one({k: v + 10.0 * lap for k, v in x.items()})
        sizes.append(len(pickle.dumps(model)))
    assert max(sizes[4:]) <= 1.1 * max(sizes[:4]), f"pickled sizes {sizes}"


def _with_data(check: Callable[..., None], n: int) -> Check:
    def run(model: base.Clusterer) -> None:
        check(model, dataset=[(x, None) for x in points(n)])

    run.__name__ = check.__name__
    return run
