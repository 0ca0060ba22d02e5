"""Which action was taken for which, as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


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
