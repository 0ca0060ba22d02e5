"""The pictures of concatenated clips: where the predictor is surprised, what is clustered, and the scores."""

from __future__ import annotations

import io
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from sklearn.decomposition import PCA

from kineseg_training.files import write_atomically
from kineseg_training.studies.colors import action_colours
from kineseg_training.studies.su_shlizerman_2019.clips.case import K_MEANS_POSES, SINGLE_POSES, UNTRAINED, CaseResult
from kineseg_training.studies.su_shlizerman_2019.clusters import named

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

_UNNAMED = "#bbbbbb"
_FOUND = "#d62728"


def draw_cuts(results: Mapping[str, CaseResult], file: Path) -> None:
    """For each case a panel with the error, threshold and cuts over true and found bars."""
    heights = [ratio for _ in results for ratio in (3.0, 1.0)]
    figure = _figure(11, 3.1 * len(results))
    axes = figure.subplots(2 * len(results), 1, gridspec_kw={"height_ratios": heights})
    for row, (name, result) in enumerate(results.items()):
        _errors(axes[2 * row], name, result)
        _bars(axes[2 * row + 1], result)
    axes[-1].set_xlabel("time (s)")
    _save(figure, file)


def draw_states(results: Mapping[str, CaseResult], file: Path) -> None:
    """For each case the decoder states on their first two principal axes, coloured by true action."""
    figure = _figure(4.6 * len(results), 4.8)
    for axes, (name, result) in zip(np.atleast_1d(figure.subplots(1, len(results))), results.items(), strict=True):
        sequence = result.sequence
        colours = action_colours(sequence.actions)
        pca = PCA(2)
        points = pca.fit_transform(result.cutting.states)
        true = sequence.labels()[result.cutting.frames]
        for label, action in enumerate(sequence.actions):
            rows = true == label
            axes.scatter(*points[rows].T, s=6, color=colours[action], label=action.replace("_", " "), linewidths=0)
        first, second = pca.explained_variance_ratio_
        axes.set(title=name, xlabel=f"axis 1 ({first:.0%} of variance)", ylabel=f"axis 2 ({second:.0%})")
        axes.legend(fontsize="small", markerscale=2.5, ncols=3, loc="upper center", bbox_to_anchor=(0.5, -0.14))
        axes.grid(alpha=0.2)
    _save(figure, file)


def draw_scores(results: Mapping[str, CaseResult], file: Path) -> None:
    """For each case bars of the ARI of decoder states and of simpler ways."""
    figure = _figure(11, 4.2)
    axes = figure.subplots()
    ways = {
        "decoder states, single linkage": ("#0072B2", [r.given["single"].ari for r in results.values()]),
        "decoder states, average linkage": ("#7CC4F2", [r.given["average"].ari for r in results.values()]),
        UNTRAINED: ("#CC79A7", [r.others[UNTRAINED].ari for r in results.values()]),
        SINGLE_POSES: ("#666666", [r.others[SINGLE_POSES].ari for r in results.values()]),
        K_MEANS_POSES: ("#bbbbbb", [r.others[K_MEANS_POSES].ari for r in results.values()]),
    }
    width = 0.8 / len(ways)
    places = np.arange(len(results))
    for number, (way, (colour, values)) in enumerate(ways.items()):
        values = [round(value, 2) + 0.0 for value in values]  # no "-0.00"
        bars = axes.bar(places + (number - (len(ways) - 1) / 2) * width, values, width, color=colour, label=way)
        axes.bar_label(bars, fmt="%.2f", fontsize=7, padding=1)
    axes.set_xticks(places, [name.replace(", ", ",\n") for name in results])
    axes.set(ylabel="adjusted Rand index", ylim=(min(0.0, *axes.get_ylim()), 1.35))
    axes.set_yticks(np.arange(0, 1.01, 0.2))
    axes.grid(axis="y", alpha=0.3)
    axes.set_axisbelow(True)
    axes.legend(fontsize="small", ncols=3, loc="upper center")
    _save(figure, file)


def _errors(axes: Axes, name: str, result: CaseResult) -> None:
    cutting, rate = result.cutting, result.sequence.rate
    # One value a window: drawn over the frames that it predicts.
    begins = np.repeat(cutting.starts, 2) / rate
    ends = [*cutting.starts[1:], cutting.n_frames]
    begins[1::2] = np.array(ends) / rate
    axes.plot(begins, np.repeat(cutting.errors, 2), color="black", linewidth=1, label="error of the window")
    axes.axhline(cutting.threshold, color="grey", linestyle=":", label="threshold")
    for number, boundary in enumerate(result.sequence.boundaries()):
        axes.axvline(
            boundary / rate, color="#2ca02c", linewidth=5, alpha=0.35, label="true boundary" if number == 0 else None
        )
    for number, cut in enumerate(cutting.cuts):
        axes.axvline(cut / rate, color=_FOUND, linewidth=1.2, linestyle="--", label="cut" if number == 0 else None)
    axes.set(title=name, ylabel="squared error", xlim=(0, cutting.n_frames / rate), yscale="log")
    axes.legend(fontsize="small", ncols=4, loc="upper right")
    axes.tick_params(labelbottom=False)
    low, high = axes.get_ylim()
    axes.set_ylim(low, high * 3)  # room for the legend
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter("")


def _bars(axes: Axes, result: CaseResult) -> None:
    sequence = result.sequence
    colours = [action_colours(sequence.actions)[action] for action in sequence.actions]
    true = sequence.labels()
    rows = {
        "true": true,
        "single": named(true, result.labels["single"]),
        "average": named(true, result.labels["average"]),
    }
    for place, labels in enumerate(rows.values()):
        edges = np.concatenate([[0], np.flatnonzero(np.diff(labels)) + 1, [len(labels)]])
        spans = [(a / sequence.rate, (b - a) / sequence.rate) for a, b in pairwise(edges)]
        faces = [colours[labels[a]] if labels[a] >= 0 else _UNNAMED for a in edges[:-1]]
        axes.broken_barh(spans, (-place - 0.4, 0.8), facecolors=faces)
    axes.set_yticks([0, -1, -2], list(rows))
    axes.set(xlim=(0, len(true) / sequence.rate))
    for spine in axes.spines.values():
        spine.set_visible(False)
    handles = [_patch(colour) for colour in colours]
    axes.legend(
        handles,
        [action.replace("_", " ") for action in sequence.actions],
        fontsize="small",
        loc="center left",
        bbox_to_anchor=(1.0, 0.5),
        frameon=False,
    )


def _patch(colour: str) -> Patch:
    from matplotlib.patches import Patch  # a second to import

    return Patch(color=colour)


def _figure(width: float, height: float) -> Figure:
    from matplotlib.figure import Figure  # a second to import

    return Figure(figsize=(width, height), layout="constrained")


def _save(figure: Figure, file: Path) -> None:
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=120, metadata={"Software": None})
    write_atomically(file, picture.getvalue())
