"""Pictures of a recogniser: whether its probabilities can be believed, and which action it took for which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kineseg_training.studies.das_2023.scores import Reliability

_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")


def draw_calibration(
    path: Path,
    reliabilities: Mapping[str, Reliability],
    probabilities: Mapping[str, NDArray[np.float64]],
    threshold: float,
) -> None:
    """Left: accuracy against probability. Right: distribution of the highest probability.

    Args:
        path: PNG to write.
        reliabilities: By what the legend is to say.
        probabilities: Highest probability of each window, by kind of window.
        threshold: Below it an action is called unknown.
    """
    from matplotlib.figure import Figure  # a second to import

    figure = Figure(figsize=(11, 4.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.plot([0, 1], [0, 1], color="grey", linestyle="--", linewidth=1, label="as often right as said")
    for (name, found), colour, marker in zip(reliabilities.items(), _COLOURS, "os^D", strict=False):
        left.plot(found.probability, found.accuracy, color=colour, linewidth=1)
        left.scatter(
            found.probability,
            found.accuracy,
            s=20 + 400 * found.share,
            color=colour,
            marker=marker,
            alpha=0.7,
            label=f"{name}: error {found.error:.2f}",
        )
    left.set(xlabel="probability of the chosen action", ylabel="share of windows named rightly")
    left.set(xlim=(0, 1.03), ylim=(-0.03, 1.03))
    legend = left.legend(fontsize=9, loc="lower right")
    for handle in legend.legend_handles[1:]:
        if handle is not None and hasattr(handle, "set_sizes"):
            handle.set_sizes([40])
    edges = np.linspace(0, 1, 26)
    for (name, values), colour in zip(probabilities.items(), _COLOURS, strict=False):
        weights = np.full(len(values), 1.0 / len(values))
        right.hist(values, edges, weights=weights, histtype="stepfilled", color=colour, alpha=0.25)
        right.hist(values, edges, weights=weights, histtype="step", color=colour, linewidth=1.6, label=name)
    right.axvline(threshold, color="black", linestyle=":", linewidth=1.5, label=f"unknown below {threshold:.2f}")
    right.set(xlabel="probability of the chosen action, calibrated", ylabel="share of the windows", xlim=(0, 1))
    right.legend(fontsize=9, loc="upper left")
    for axes in (left, right):
        axes.grid(alpha=0.3)
    figure.savefig(path, dpi=120, metadata={"Software": None})


def draw_confusion(
    path: Path, counts: NDArray[np.int64], actions: Sequence[str], right_by_clip: Sequence[tuple[int, int]]
) -> None:
    """Shares of each row, with the numbers of windows.

    Args:
        path: PNG to write.
        counts: ``(K, K)`` windows by true and chosen action.
        actions: K names.
        right_by_clip: Clips named rightly and all clips of each action.
    """
    from matplotlib.figure import Figure  # a second to import

    figure = Figure(figsize=(9.4, 7.2), layout="constrained")
    axes = figure.subplots()
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    image = axes.imshow(shares, cmap="Blues", vmin=0.0, vmax=1.0)
    for row, column in np.ndindex(*counts.shape):
        if counts[row, column]:
            colour = "white" if shares[row, column] > 0.55 else "black"
            text = f"{100 * shares[row, column]:.0f}%\n{counts[row, column]}"
            axes.text(column, row, text, ha="center", va="center", fontsize=9, color=colour)
    names = [action.replace("_", " ") for action in actions]
    axes.set_xticks(range(len(names)), names, rotation=35, ha="right")
    clips = [f"{name}\n{right} of {all_} clips" for name, (right, all_) in zip(names, right_by_clip, strict=True)]
    axes.set_yticks(range(len(names)), clips)
    axes.set(xlabel="recognised as", ylabel="true action (clips named rightly)")
    figure.colorbar(image, ax=axes, label="share of the windows of the true action", shrink=0.8)
    figure.savefig(path, dpi=120, bbox_inches="tight", metadata={"Software": None})
