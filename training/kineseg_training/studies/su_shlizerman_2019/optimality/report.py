"""What the embedding through training says about the paper: pictures, findings in words, agreement, verdict."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from kineseg_training.files import write_atomically
from kineseg_training.studies.colors import action_colours
from kineseg_training.studies.early_stop import CROWDING
from kineseg_training.studies.exhibit import Agreement
from kineseg_training.studies.states import principal_components
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

_TRAIN, _VALIDATION, _TEST = "#999999", "#0072B2", "#D55E00"
_BY_LOSS, _BY_EMBEDDING = "#0072B2", "#009E73"
_DRAWN = 6
# By how much what the embedding keeps may be worse than what the loss keeps, before we say that it is.
_SILHOUETTE_MARGIN, _LOSS_MARGIN = 0.01, 0.05


def draw_course(path: Path, watches: Sequence[Watch], patience: int) -> None:
    """A column a size: losses, separation, dimension; marked where the loss and the embedding have their optimum."""
    figure = Figure(figsize=(4.6 * len(watches) + 0.6, 9.5), layout="constrained")
    panels = figure.subplots(3, len(watches), sharex="col", sharey="row", squeeze=False)
    for column, one in enumerate(watches):
        x = one.iterations
        loss, separation, dimension = panels[:, column]
        trained = [(row.iteration, row.figures["train_loss"]) for row in one.course if "train_loss" in row.figures]
        loss.plot(*zip(*trained, strict=True), color=_TRAIN, label="training")
        loss.plot(x, one.values("validation_loss"), color=_VALIDATION, label="validation")
        loss.plot(x, one.values("test_loss"), color=_TEST, label="test")
        loss.set(title=f"{one.hidden} units")
        separation.plot(x, one.values("train_silhouette"), color=_TRAIN, label="by action, training")
        separation.plot(x, one.values("test_silhouette"), color=_TEST, label="by action, test")
        separation.plot(x, 1 - one.values(CROWDING), color=_BY_EMBEDDING, label="by window, validation (no labels)")
        separation.axhline(0, color="0.7", linewidth=0.8, zorder=0)
        dimension.plot(x, one.values("train_dimension"), color=_TRAIN, label="training")
        dimension.plot(x, one.values("effective_dimension"), color=_VALIDATION, label="validation")
        dimension.plot(x, one.values("test_dimension"), color=_TEST, label="test")
        dimension.set(xlabel="iteration")
        for axes in (loss, separation, dimension):
            _mark(axes, x[one.best("validation_loss")], x[one.best(CROWDING)])
            axes.grid(alpha=0.25)
    for row, label in enumerate(
        (
            "mean squared error\n(normalised channels)",
            "silhouette of decoder states",
            "effective dimension of decoder states",
        )
    ):
        panels[row, 0].set_ylabel(label, fontsize=11)
        panels[row, 0].legend(fontsize=9, loc="best")
    panels[0, 0].set_yscale("log")
    panels[0, 0].yaxis.set_major_formatter("{x:.1f}")
    panels[0, 0].yaxis.set_minor_formatter("{x:.1f}")
    marks = [
        Line2D([], [], color=_BY_LOSS, linestyle="--", linewidth=2, label="best validation loss"),
        Line2D([], [], color=_BY_EMBEDDING, linewidth=2, label="best embedding, without labels"),
    ]
    figure.legend(handles=marks, loc="outside lower center", ncols=2, fontsize=11, frameon=False)
    _save(figure, path)


def draw_stages(path: Path, one: Watch, labels: NDArray[np.integer], actions: Sequence[str]) -> None:
    """States in test windows before training, early, at the two optima, at the end."""
    last = len(one.course) - 1
    moments = {0: "before training", min(1, last): "early", last: "at the end"}
    moments[one.best("validation_loss")] = "best validation loss"
    best = one.best(CROWDING)
    moments[best] = "best loss and embedding" if best == one.best("validation_loss") else "best embedding"
    figure = Figure(figsize=(3.3 * len(moments), 4.3), layout="constrained")
    colours = action_colours(actions)
    for axes, place in zip(figure.subplots(1, len(moments), squeeze=False)[0], sorted(moments), strict=True):
        iteration, states = one.stages[place]
        points = states.astype(np.float64)
        found = principal_components(points)
        flat = found.project(points, 2)
        for label, action in enumerate(actions):
            rows = np.flatnonzero(labels == label)
            for row in rows[np.unique(np.linspace(0, len(rows) - 1, _DRAWN).round().astype(int))]:
                axes.plot(*flat[row].T, color=colours[action], linewidth=1.1, alpha=0.8)
                axes.plot(*flat[row, :1].T, color=colours[action], marker="o", markersize=3, linestyle="none")
        axes.set_title(f"{moments[place]}\niteration {iteration}", fontsize=11)
        held = 100 * found.explained[min(1, len(found.explained) - 1)]
        axes.set_xlabel(f"component 1 (both hold {held:.0f} %)")
        axes.tick_params(labelsize=8)
    figure.axes[0].set_ylabel("component 2")
    handles = [Line2D([], [], color=colours[action], linewidth=3, label=action.replace("_", " ")) for action in actions]
    figure.legend(handles=handles, loc="outside lower center", ncols=8, fontsize=11, frameon=False)
    _save(figure, path)


def _mark(axes: Any, by_loss: int, by_embedding: int) -> None:
    axes.axvline(by_embedding, color=_BY_EMBEDDING, linewidth=2, alpha=0.7, zorder=0)
    axes.axvline(by_loss, color=_BY_LOSS, linewidth=2, linestyle="--", alpha=0.8, zorder=0)


def _save(figure: Figure, path: Path) -> None:
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=120, metadata={"Software": None})
    write_atomically(path, picture.getvalue())


def conclude(watches: Sequence[Watch], sweep: Sweep) -> tuple[Agreement, str, tuple[str, ...]]:
    """Agreement, verdict and findings."""
    findings, as_good = [], []
    for one in watches:
        loss, embedding = one.best(LOSS), one.best(CROWDING)
        at_loss, at_embedding = one.values(SILHOUETTE)[loss], one.values(SILHOUETTE)[embedding]
        cost = one.values(TEST_LOSS)[embedding] / one.values(TEST_LOSS)[loss] - 1.0
        as_good.append(at_embedding >= at_loss - _SILHOUETTE_MARGIN and cost <= _LOSS_MARGIN)
        when = one.course[embedding].iteration - one.course[loss].iteration
        apart = f"{abs(when)} iterations {'later' if when > 0 else 'earlier'}" if when else "at the same moment"
        findings.append(
            f"{one.hidden} units: the validation loss is best after {one.course[loss].iteration} iterations; the "
            f"embedding, measured without labels, {apart}. Going by it changes the test loss by {cost:+.1%} and the "
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
    kept = [[one.stop(figure, sweep.patience) for figure in (LOSS, CROWDING)] for one in watches]
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
    agreement: Agreement = "agrees" if all(as_good) else "partly" if any(as_good) else "disagrees"
    return (
        agreement,
        "The embedding, without labels, keeps a model that separates test actions as well as the one kept by the "
        f"loss (silhouette at most {_SILHOUETTE_MARGIN} worse) at no more than {_LOSS_MARGIN:.0%} of test loss in "
        f"{sum(as_good)} of {len(as_good)} sizes; its optimum comes later than that of the loss in {after} and earlier "
        f"in {before}. Stopped with a patience of {sweep.patience}, it keeps the lower of both test losses in {lower}.",
        tuple(findings),
    )


def _iteration(one: Watch, place: np.intp) -> int:
    return one.course[int(place)].iteration
