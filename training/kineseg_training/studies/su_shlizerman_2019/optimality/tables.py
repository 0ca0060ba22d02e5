"""Tables of the embedding through training: optima, correlations, and what stopping would have kept."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kineseg_training.studies.embedding.early_stop import CROWDING
from kineseg_training.studies.exhibit import Table
from kineseg_training.studies.su_shlizerman_2019.optimality.results import (
    DIMENSION,
    K_MEANS,
    LOSS,
    RECOGNISED,
    SILHOUETTE,
    TEST_LOSS,
    TRAIN_SILHOUETTE,
    Sweep,
    Watch,
    rank_correlation,
)


def optima(watches: Sequence[Watch]) -> Table:
    """Where the loss and the embedding have their optima, and what the model is worth there."""
    rows: list[tuple[str | float | int, ...]] = []
    for one in watches:
        for name, place in (
            ("validation loss", one.best(LOSS)),
            ("embedding, without labels", one.best(CROWDING)),
            ("embedding, test labels", int(np.argmax(one.values(SILHOUETTE)))),
            ("(last)", len(one.course) - 1),
        ):
            figures = one.course[place].figures
            rows.append(
                (
                    one.hidden,
                    name,
                    one.course[place].iteration,
                    figures[LOSS],
                    1.0 - figures[CROWDING],
                    figures[TEST_LOSS],
                    figures[TRAIN_SILHOUETTE],
                    figures[SILHOUETTE],
                    figures["test_davies_bouldin"],
                    figures["test_ari_kmeans"],
                    figures["test_ari_agglomerative"],
                    100.0 * figures[RECOGNISED],
                    figures["test_dimension"],
                )
            )
    return Table(
        (
            "units",
            "optimum of",
            "iteration",
            "validation loss",
            "silhouette by window",
            "test loss",
            "silhouette, training",
            "silhouette, test",
            "Davies-Bouldin",
            "ARI k-means",
            "ARI agglomerative",
            "recognised, %",
            "effective dimension",
        ),
        tuple(rows),
        "Where the validation loss and the embedding have their optima, and what the model is worth there. Losses are "
        "mean squared errors in normalised channels; separation is that of decoder states by action (from "
        "Davies-Bouldin on, in test clips). The embedding without labels is judged on validation clips by the "
        "silhouette of states by window; with test labels is what hindsight would have kept.",
    )


def correlations(watches: Sequence[Watch]) -> Table:
    """How figures without labels go with what counts on test clips."""
    signs = {LOSS: -1.0, CROWDING: -1.0, DIMENSION: 1.0, K_MEANS: 1.0}
    words = {
        LOSS: "validation loss",
        CROWDING: "silhouette by window",
        DIMENSION: "effective dimension",
        K_MEANS: "silhouette of k-means clusters",
    }
    return Table(
        (
            "units",
            "figure, without labels",
            "with test silhouette",
            "with windows recognised",
            "with test loss",
            "optimum at",
        ),
        tuple(
            (
                one.hidden,
                words[name],
                rank_correlation(sign * one.values(name), one.values(SILHOUETTE)),
                rank_correlation(sign * one.values(name), one.values(RECOGNISED)),
                rank_correlation(sign * one.values(name), -one.values(TEST_LOSS)),
                one.course[int(np.argmax(sign * one.values(name)))].iteration,
            )
            for one in watches
            for name, sign in signs.items()
        ),
        "Rank correlation (Spearman) through training of four figures that need no labels, on validation clips, with "
        "what counts on test clips: separation of actions, windows recognised, predicted frames. Every figure is taken "
        "so that 1 is full agreement; the last column tells where it would have had training end. The silhouette by "
        "window was chosen out of about a dozen figures for its correlation, in trial runs, with separation in these "
        "same test clips: this table shows it, and is no independent confirmation.",
    )


def stops(watches: Sequence[Watch], sweep: Sweep) -> Table:
    """What stopping by either would have kept and cost."""
    rows: list[tuple[str | float | int, ...]] = []
    for one in watches:
        best_loss, best_silhouette = one.values(TEST_LOSS).min(), one.values(SILHOUETTE).max()
        for name, judge in (("loss", LOSS), ("embedding", CROWDING)):
            kept, last = one.stop(judge, sweep.patience)
            rows.append(
                (
                    one.hidden,
                    name,
                    one.course[last].iteration,
                    one.course[kept].iteration,
                    one.values(TEST_LOSS)[kept],
                    100.0 * (one.values(TEST_LOSS)[kept] / best_loss - 1.0),
                    one.values(SILHOUETTE)[kept],
                    one.values(SILHOUETTE)[kept] - best_silhouette,
                    100.0 * one.values(RECOGNISED)[kept],
                )
            )
    return Table(
        (
            "units",
            "--stop-by",
            "stopped after",
            "kept",
            "test loss",
            "above the best, %",
            "test silhouette",
            "from the best",
            "recognised, %",
        ),
        tuple(rows),
        f"What stopping would have kept and cost: iterations trained with a patience of {sweep.patience} looks, one "
        f"every {sweep.validate_every} iterations, the iteration whose parameters are kept, and how these do in test "
        f"clips, beside the best of all {sweep.iterations} iterations.",
    )
