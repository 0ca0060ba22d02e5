"""What fine-tuning more and more late layers does, as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from kineseg_training.studies.das_2023.transfer.run import FROM_RANDOM, Run, Transferred

_TUNED, _RANDOM, _OTHER = "#0072B2", "#D55E00", "#444444"


def draw_transfer(path: Path, found: Transferred) -> None:
    """Accuracy and smoothness against the number of re-trained blocks, and smoothness over the layers.

    Args:
        path: PNG to write.
        found: What was measured.
    """
    figure = Figure(figsize=(15.5, 4.9), layout="constrained")
    accuracy, last, layers = figure.subplots(1, 3, width_ratios=(1, 1, 1.25))
    numbers = found.numbers()
    final = f"block{found.blocks}"
    _against(accuracy, found, [[run.windows for run in found.of(n)] for n in numbers])
    _level(accuracy, [run.windows for run in found.of(FROM_RANDOM)], _RANDOM, "all, from random weights", "-")
    accuracy.axhline(found.neighbour, color=_OTHER, linestyle="--", linewidth=1.2, label="nearest neighbour by poses")
    accuracy.axhline(1 / len(found.actions), color=_OTHER, linestyle=":", linewidth=1.2, label="chance")
    accuracy.set(ylabel="test windows named rightly, actions alike", ylim=(0, 1))
    _against(last, found, [[run.smoothness[final] for run in found.of(n)] for n in numbers])
    _level(last, [run.smoothness[final] for run in found.of(FROM_RANDOM)], _RANDOM, "all, from random weights", "-")
    last.axhline(found.before[final], color=_OTHER, linestyle="--", linewidth=1.2, label="as trained on CMU")
    last.set(ylabel="label smoothness of the last block\n(smaller: neighbours share labels)")
    names = list(found.before)
    places = range(len(names))
    colours = colormaps["viridis"](np.linspace(0.0, 0.9, len(numbers)))
    layers.plot(
        places, list(found.before.values()), color=_OTHER, linestyle="--", linewidth=2, label="as trained on CMU"
    )
    for n, colour in zip(numbers, colours, strict=True):
        if n:
            layers.plot(places, _mean(found.of(n), names), color=colour, marker="o", markersize=3, linewidth=1.2)
            layers.plot([], [], color=colour, marker="o", markersize=4, label=f"last {n} re-trained")
    layers.plot(
        places, _mean(found.of(FROM_RANDOM), names), color=_RANDOM, linewidth=2, label="all, from random weights"
    )
    layers.set_xticks(places, ["input", *(str(number) for number in range(1, len(names)))])
    layers.set(xlabel="layer (block)", ylabel="label smoothness")
    for axes in (accuracy, last):
        axes.set_xticks(numbers)
        axes.set_xlabel("re-trained last blocks (and the classifier)")
        axes.legend(fontsize=9)
    layers.legend(fontsize=8, ncols=2)
    highest = max(max(run.smoothness.values()) for run in found.runs)
    for axes in (last, layers):
        axes.set_ylim(0.0, 1.08 * max(highest, *found.before.values()))
    for axes in (accuracy, last, layers):
        axes.grid(alpha=0.3)
    figure.savefig(path, dpi=120, metadata={"Software": None})


def _against(axes: Axes, found: Transferred, values: Sequence[Sequence[float]]) -> None:
    numbers = found.numbers()
    axes.plot(
        numbers, [np.mean(of_n) for of_n in values], color=_TUNED, linewidth=2, marker="o", label="from CMU weights"
    )
    for n, of_n in zip(numbers, values, strict=True):
        axes.scatter([n] * len(of_n), of_n, color=_TUNED, s=14, alpha=0.5)


def _level(axes: Axes, values: Sequence[float], colour: str, label: str, style: str) -> None:
    axes.axhline(float(np.mean(values)), color=colour, linestyle=style, linewidth=2, label=label)
    if len(values) > 1:
        axes.axhspan(min(values), max(values), color=colour, alpha=0.15, linewidth=0)


def _mean(runs: Sequence[Run], names: Sequence[str]) -> list[float]:
    return [float(np.mean([run.smoothness[name] for run in runs])) for name in names]
