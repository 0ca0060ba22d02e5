"""Accuracy against the number of labelled windows, and what pretraining adds to it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from kineseg_training.studies.srivastava_2015.few_labels.results import NEAREST, RANDOM, Pair, Results, Trained
from kineseg_training.studies.srivastava_2015.few_labels.task import ALL, FewLabelsSettings

CURVES_FILE, DIFFERENCES_FILE = "few_labels.png", "few_labels_differences.png"

_PRETRAINED, _RANDOM, _NEAREST = "#0b6e99", "#c0561f", "#6b6b6b"
_SOURCES = ("#0b6e99", "#7a3f98", "#3d8b37", "#b8860b")


def draw_curves(
    folder: Path, results: Results, settings: FewLabelsSettings, recognised: Sequence[str], sources: Sequence[str]
) -> None:
    """`CURVES_FILE`: a panel for each pair of a data set recognised (row) and one pretrained on (column)."""
    figure = Figure(figsize=(4.1 * len(sources), 3.5 * len(recognised) + 0.5), layout="constrained")
    panels = figure.subplots(len(recognised), len(sources), sharex=True, sharey="row", squeeze=False)
    at = _places(settings)
    for row, data in zip(panels, recognised, strict=True):
        for axes, source in zip(row, sources, strict=True):
            lines: tuple[tuple[str, Trained, str, str, str], ...] = (
                (source, "all", _PRETRAINED, "-", "pretrained, all trained"),
                (source, "readout", _PRETRAINED, "--", "pretrained, readout trained"),
                (RANDOM, "all", _RANDOM, "-", "random, all trained"),
                (NEAREST, "all", _NEAREST, ":", "nearest neighbour"),
            )
            for start, trained, colour, style, name in lines:
                found = 100 * np.array(
                    [results.over_seeds("balanced", data, start, n, settings.seeds, trained) for n in settings.ordered]
                )
                _line(axes, at, found, colour, style, name, band=style == "-")
            axes.set_title(f"{data} recognised, pretrained on {source}", fontsize=10)
            _labels_axis(axes, settings)
        row[0].set_ylabel("balanced accuracy (%)")
    figure.legend(*panels[0, 0].get_legend_handles_labels(), fontsize="small", loc="outside lower center", ncols=4)
    for axes in panels[-1]:
        axes.set_xlabel("labelled windows of a class")
    figure.savefig(folder / CURVES_FILE, dpi=120, metadata={"Software": None})


def draw_differences(folder: Path, settings: FewLabelsSettings, pairs: Sequence[Pair]) -> None:
    """`DIFFERENCES_FILE`: pretrained minus random with its interval; a panel for each data set recognised."""
    panels = {name: list(group) for name, group in groupby(pairs, key=lambda pair: pair.recognised)}
    figure = Figure(figsize=(5.2 * len(panels), 3.8), layout="constrained")
    row = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for axes, (name, group) in zip(row, panels.items(), strict=True):
        axes.axhline(0.0, color="0.3", linewidth=0.8)
        for number, pair in enumerate(group):
            middle = 100 * np.array([one.mean for one in pair.by_labels])
            ends = 100 * np.array([(one.mean - one.low, one.high - one.mean) for one in pair.by_labels]).T
            axes.errorbar(
                _places(settings) + 0.12 * (number - (len(group) - 1) / 2),
                middle,
                yerr=ends,
                color=_SOURCES[number % len(_SOURCES)],
                marker="o",
                markersize=4,
                capsize=3,
                linewidth=1.3,
                label=f"pretrained on {pair.source}",
            )
        axes.set_title(f"{name} recognised", fontsize=10)
        axes.set_xlabel("labelled windows of a class")
        _labels_axis(axes, settings)
        axes.legend(fontsize="small", framealpha=0.9)
    figure.axes[0].set_ylabel("pretrained − random\n(points of balanced accuracy)")
    figure.savefig(folder / DIFFERENCES_FILE, dpi=120, metadata={"Software": None})


def _line(
    axes: Axes, at: NDArray[np.float64], found: NDArray[np.float64], colour: str, style: str, name: str, *, band: bool
) -> None:
    """Mean over the seeds of ``(labels, seeds)``, and one standard deviation to both sides if wanted."""
    mean, spread = found.mean(axis=1), found.std(axis=1, ddof=1)
    axes.plot(at, mean, style, color=colour, marker="o", markersize=3.5, linewidth=1.5, label=name)
    if band:
        axes.fill_between(at, mean - spread, mean + spread, color=colour, alpha=0.18, linewidth=0)


def _places(settings: FewLabelsSettings) -> NDArray[np.float64]:
    """Where each number of labels stands: its logarithm to base 2, "all" apart from the others."""
    numbers = [n for n in settings.ordered if n != ALL]
    places = [float(np.log2(n)) for n in numbers]
    return np.array(places + [(places[-1] if places else 0.0) + 1.5] * (ALL in settings.ordered))


def _labels_axis(axes: Axes, settings: FewLabelsSettings) -> None:
    axes.set_xticks(_places(settings), [str(n) if n != ALL else "all" for n in settings.ordered])
    axes.grid(alpha=0.3)
