"""What was seen of models through training, and its tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from kineseg_training.errors import SettingsError
from kineseg_training.loop import Course
from kineseg_training.studies.early_stop import CROWDING
from kineseg_training.studies.exhibit import Preset, Table

# Names of figures.
LOSS, TEST_LOSS = "validation_loss", "test_loss"
SILHOUETTE, TRAIN_SILHOUETTE = "test_silhouette", "train_silhouette"
DIMENSION, K_MEANS = "effective_dimension", "kmeans_silhouette"
RECOGNISED = "test_recognised"


@dataclass(frozen=True)
class Sweep:
    """How the sizes are trained and watched.

    Attributes:
        hidden: Units of each model.
        iterations: Of each training; nothing stops it early.
        validate_every: Steps between two looks at the states.
        each: Windows of every action that are looked at, in training and in test clips.
        patience: Looks without anything better after which a training would have been stopped.
    """

    hidden: tuple[int, ...]
    iterations: int
    validate_every: int
    each: int
    patience: int

    def __post_init__(self) -> None:
        if len(self.hidden) < 1 or len(set(self.hidden)) < len(self.hidden) or min(self.hidden) < 2:
            raise SettingsError(f"hidden: name different numbers of units, 2 at least, got {self.hidden}")


SWEEPS: Mapping[Preset, Sweep] = {
    "tiny": Sweep((4, 8, 12), 20, 5, 4, 2),
    "small": Sweep((32, 128, 256), 1000, 50, 10, 4),
    "full": Sweep((64, 256, 1024), 10_000, 250, 40, 6),
}


@dataclass(frozen=True, eq=False)
class Watch:
    """A size watched through training.

    Attributes:
        hidden: Units.
        course: A row a look.
        stages: ``(iteration, states)`` of the decoder in test windows, ``(N, T, H)`` float16, at every look.
    """

    hidden: int
    course: Course
    stages: tuple[tuple[int, NDArray[np.float16]], ...]

    def values(self, name: str) -> NDArray[np.float64]:
        """``(R,)``: a figure through training."""
        return np.array([row.figures[name] for row in self.course])

    @property
    def iterations(self) -> NDArray[np.int64]:
        """``(R,)``."""
        return np.array([row.iteration for row in self.course])

    def best(self, figure: str) -> int:
        """The row that is the best by a figure (lower is better)."""
        return int(np.argmin(self.values(figure)))

    def stop(self, figure: str, patience: int) -> tuple[int, int]:
        """(row kept, last row trained) if `loop.train` had gone by the figure with so much patience."""
        values = self.values(figure)
        for last in range(len(values)):
            kept = int(np.argmin(values[: last + 1]))
            if last - kept >= patience:
                return kept, last
        return int(np.argmin(values)), len(values) - 1


def rank_correlation(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Spearman's; 0 where one does not vary."""
    if np.ptp(a) == 0.0 or np.ptp(b) == 0.0:
        return 0.0
    return float(spearmanr(a, b)[0])


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
        "Davies-Bouldin on, in test clips). The embedding without labels is measured on validation clips by the "
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
        "so that 1 is full agreement; the last column says where it would have had training end. The silhouette by "
        "window was chosen out of about a dozen figures for its correlation, in trial runs, with separation in these "
        "same test clips: this table shows it, and is no independent confirmation.",
    )


def stops(watches: Sequence[Watch], sweep: Sweep) -> Table:
    """What stopping by either would have kept and cost."""
    rows: list[tuple[str | float | int, ...]] = []
    for one in watches:
        best_loss, best_silhouette = one.values(TEST_LOSS).min(), one.values(SILHOUETTE).max()
        for name, figure in (("loss", LOSS), ("embedding", CROWDING)):
            kept, last = one.stop(figure, sweep.patience)
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
