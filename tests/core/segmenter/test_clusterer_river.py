"""Our clusterer as a River estimator, and that the checks find out a clusterer that is none."""

from __future__ import annotations

import doctest
import random
from collections.abc import Callable

import pytest
from kineseg_core.segmenter import PrototypeClusterer, clusterer
from river import base, checks, cluster

from tests.core.segmenter.river_clusterer_checks import own_checks, river_checks


def name(check: Callable[..., None]) -> str:
    return check.__name__


@pytest.mark.parametrize("check", list(river_checks(PrototypeClusterer())), ids=name)
def test_passes_rivers_checks(check: Callable[[base.Clusterer], None]) -> None:
    random.seed(0)  # some of them drop features at random
    check(PrototypeClusterer())


def test_its_example_runs() -> None:
    result = doctest.testmod(clusterer)
    assert (result.failed, result.attempted > 0) == (0, True)


def test_passes_rivers_checks_as_river_runs_them() -> None:
    checks.check_estimator(PrototypeClusterer())


@pytest.mark.parametrize("check", own_checks(), ids=name)
@pytest.mark.parametrize("limit", [1, 4, 64])
def test_passes_our_own_checks(check: Callable[[base.Clusterer], None], limit: int) -> None:
    check(PrototypeClusterer(radius=2.0, max_prototypes=limit, max_weight=50.0))


def test_the_checks_find_what_is_wrong_with_others() -> None:
    failed = {}
    for model in (cluster.KMeans(seed=0), cluster.STREAMKMeans(), cluster.DBSTREAM()):
        failed[type(model).__name__] = {name(check) for check in own_checks() if not _passes(check, model.clone())}
    assert "check_prediction_changes_nothing" in failed["KMeans"]  # it draws centres when it is asked
    assert "check_predicts_before_learning" in failed["STREAMKMeans"]
    assert "check_predicts_before_learning" not in failed["DBSTREAM"]


def _passes(check: Callable[[base.Clusterer], None], model: base.Clusterer) -> bool:
    try:
        check(model)
    except Exception:
        return False
    return True
