"""What the embedding through training says about the paper: findings in words, agreement, verdict."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kineseg_training.studies.embedding.early_stop import CROWDING
from kineseg_training.studies.exhibit import Agreement
from kineseg_training.studies.su_shlizerman_2019.optimality.results import (
    DIMENSION,
    K_MEANS,
    LOSS,
    SILHOUETTE,
    TEST_LOSS,
    Sweep,
    Watch,
    rank_correlation,
)

# By how much what the embedding keeps may be worse than what the loss keeps, before we say that it is.
_SILHOUETTE_MARGIN, _LOSS_MARGIN = 0.01, 0.05


def judged(watches: Sequence[Watch], sweep: Sweep) -> tuple[Agreement, str, tuple[str, ...]]:
    """Agreement, verdict and findings."""
    findings, tells = [], []
    for one in watches:
        loss, embedding = one.best(LOSS), one.best(CROWDING)
        at_loss, at_embedding = one.values(SILHOUETTE)[loss], one.values(SILHOUETTE)[embedding]
        cost = one.values(TEST_LOSS)[embedding] / one.values(TEST_LOSS)[loss] - 1.0
        tells.append(at_embedding >= at_loss - _SILHOUETTE_MARGIN and cost <= _LOSS_MARGIN)
        when = one.course[embedding].iteration - one.course[loss].iteration
        apart = f"{abs(when)} iterations {'later' if when > 0 else 'earlier'}" if when else "at the same moment"
        findings.append(
            f"{one.hidden} units: the validation loss is best after {one.course[loss].iteration} iterations; the "
            f"embedding, judged without labels, {apart}. Going by it changes the test loss by {cost:+.1%} and the "
            f"silhouette of test actions from {at_loss:.2f} to {at_embedding:.2f} (best of all: "
            f"{one.values(SILHOUETTE).max():.2f}, after {_iteration(one, one.values(SILHOUETTE).argmax())})."
        )
    dimension = [one.values("test_dimension") for one in watches]
    findings.append(
        "Effective dimension of the decoder states in test clips, before training, at its lowest, and at the end: "
        + "; ".join(
            f"{one.hidden} units {values[0]:.1f}, {values.min():.1f} after {_iteration(one, values.argmin())} "
            f"iterations, {values[-1]:.1f}"
            for one, values in zip(watches, dimension, strict=True)
        )
        + "."
    )
    others = {"effective dimension": DIMENSION, "silhouette of k-means clusters": K_MEANS}
    findings.append(
        "Parameters that other figures without labels would have kept, at their maximum: "
        + "; ".join(
            f"{one.hidden} units by the {words} those of iteration {_iteration(one, one.values(name).argmax())} "
            f"(test silhouette {one.values(SILHOUETTE)[one.values(name).argmax()]:.2f})"
            for one in watches
            for words, name in others.items()
        )
        + "."
    )
    follows = [
        [rank_correlation(-one.values(name), one.values(SILHOUETTE)) for name in (CROWDING, LOSS)] for one in watches
    ]
    ahead = sum(by_window > by_loss for by_window, by_loss in follows)
    findings.append(
        "Rank correlation with the silhouette of test actions, of the embedding without labels and of the validation "
        "loss: "
        + "; ".join(
            f"{one.hidden} units {by_window:.2f} and {by_loss:.2f}"
            for one, (by_window, by_loss) in zip(watches, follows, strict=True)
        )
        + f". The embedding follows it more closely than the loss does in {ahead} of {len(watches)} sizes."
    )
    kept = [[one.stop(judge, sweep.patience) for judge in (LOSS, CROWDING)] for one in watches]
    findings.append(
        f"Stopped with a patience of {sweep.patience}: "
        + "; ".join(
            f"{one.hidden} units by the loss after {one.course[by_loss[1]].iteration} iterations (test silhouette "
            f"{one.values(SILHOUETTE)[by_loss[0]]:.2f}), by the embedding after {one.course[by_state[1]].iteration} "
            f"({one.values(SILHOUETTE)[by_state[0]]:.2f})"
            for one, (by_loss, by_state) in zip(watches, kept, strict=True)
        )
        + "."
    )
    lower = sum(
        one.values(TEST_LOSS)[by_state[0]] < one.values(TEST_LOSS)[by_loss[0]]
        for one, (by_loss, by_state) in zip(watches, kept, strict=True)
    )
    after = sum(one.best(CROWDING) > one.best(LOSS) for one in watches)
    before = sum(one.best(CROWDING) < one.best(LOSS) for one in watches)
    agreement: Agreement = "agrees" if all(tells) else "partly" if any(tells) else "disagrees"
    return (
        agreement,
        "The embedding, without labels, keeps a model that tells test actions apart as well as the one kept by the "
        f"loss (silhouette at most {_SILHOUETTE_MARGIN} worse) at no more than {_LOSS_MARGIN:.0%} of test loss in "
        f"{sum(tells)} of {len(tells)} sizes; its optimum comes later than that of the loss in {after} and earlier in "
        f"{before}. Stopped with a patience of {sweep.patience}, it keeps the lower test loss of the two in {lower}.",
        tuple(findings),
    )


def _iteration(one: Watch, place: np.intp) -> int:
    return one.course[int(place)].iteration
