"""Label smoothness and dataset graphs drawn: over layers, over families, and as graphs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray
from sklearn.manifold import TSNE

from kineseg_training.studies.colors import action_colours
from kineseg_training.studies.das_2023.layers.dataset_graph import Neighbours
from kineseg_training.studies.das_2023.layers.smoothness import label_smoothness

Array = NDArray[np.float64]

_COLOUR: dict[Neighbours, str] = {"nnk": "#0072B2", "knn": "#D55E00"}
_NAME: dict[Neighbours, str] = {"nnk": "NNK", "knn": "k-NN"}
_WRONG, _RIGHT = "#D7301F", "#8c8c8c"
_YLABEL = "label smoothness\n(share of weight between actions)"


@dataclass(frozen=True)
class Panel:
    """Smoothness over the layers of one network on one set of clips.

    Attributes:
        title: Of the set.
        shuffled: If labels were shuffled.
        trained: By kind of graph, one number a layer.
        random: By kind of graph, the same of each network of random weights.
    """

    title: str
    shuffled: float
    trained: Mapping[Neighbours, Sequence[float]]
    random: Mapping[Neighbours, Sequence[Sequence[float]]]


@dataclass(frozen=True)
class FamilyLine:
    """Smoothness over the layers of one family.

    Attributes:
        title: Of the family.
        layers: Their names.
        trained: One number a layer.
        random: The same with random weights.
    """

    title: str
    layers: Sequence[str]
    trained: Sequence[float]
    random: Sequence[float]


def layers_figure(panels: Sequence[Panel], layers: Sequence[str]) -> Figure:
    """One panel a set of clips."""
    figure = Figure(figsize=(4.3 * len(panels), 4.2), dpi=120, layout="constrained")
    row = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    at = np.arange(len(layers))
    for axes, panel in zip(row, panels, strict=True):
        for kind, values in panel.trained.items():
            random = np.array(panel.random[kind])
            axes.fill_between(at, random.min(axis=0), random.max(axis=0), color=_COLOUR[kind], alpha=0.18, lw=0)
            axes.plot(at, random.mean(axis=0), color=_COLOUR[kind], ls=":", lw=1.5, label=f"{_NAME[kind]}, random")
            axes.plot(at, values, color=_COLOUR[kind], marker="o", ms=5, label=f"{_NAME[kind]}, trained")
        _shuffled(axes, panel.shuffled)
        axes.set_xticks(at, [_short(layer) for layer in layers])
        axes.set_xlabel("layer (block of the ST-GCN)")
        axes.set_title(panel.title, fontsize=12)
        _plain(axes)
    row[0].set_ylabel(_YLABEL)
    handles, names = row[0].get_legend_handles_labels()
    order = np.argsort(["trained" not in name for name in names], kind="stable")
    row[-1].legend([handles[i] for i in order], [names[i] for i in order], fontsize="small", frameon=False, ncols=2)
    return figure


def families_figure(lines: Sequence[FamilyLine], shuffled: float) -> Figure:
    """One panel a family, layers from left to right."""
    widths = [max(3.0, len(line.layers)) for line in lines]
    figure = Figure(figsize=(13.0, 4.4), dpi=120, layout="constrained")
    row = figure.subplots(1, len(lines), sharey=True, squeeze=False, width_ratios=widths)[0]
    for axes, line in zip(row, lines, strict=True):
        at = np.arange(len(line.layers))
        axes.axhline(line.trained[0], color="#999999", lw=1, ls="--")
        axes.vlines(at, line.trained, line.random, color="#cccccc", lw=2, zorder=1)
        axes.plot(at, line.random, "o", mfc="white", mec=_COLOUR["nnk"], ms=7, label="random weights")
        axes.plot(at, line.trained, "o", color=_COLOUR["nnk"], ms=7, label="trained")
        _shuffled(axes, shuffled)
        short = len(line.layers) > 6
        axes.set_xticks(
            at,
            [_short(layer) if short else layer for layer in line.layers],
            rotation=0 if short else 35,
            ha="center" if short else "right",
        )
        axes.set_xlim(-0.6, len(at) - 0.4)
        axes.set_title(line.title, fontsize=12)
        _plain(axes)
    row[0].set_ylabel(_YLABEL)
    row[0].set_xlabel("block")
    row[0].annotate("input", (len(lines[0].layers) - 1, lines[0].trained[0]), (0, 3), textcoords="offset points",
                    ha="right", fontsize=9, color="#777777")  # fmt: skip
    row[0].legend(fontsize="small", frameon=False, loc="lower left")
    return figure


def graphs_figure(
    graphs: Mapping[str, tuple[Array, Array]], labels: NDArray[np.int64], actions: Sequence[str], seed: int = 0
) -> Figure:
    """The dataset graphs of some layers, one beside the other.

    Args:
        graphs: By layer, distances and weights, both ``(N, N)``.
        labels: ``(N,)``.
        actions: Names of the labels.
        seed: Of the layout.
    """
    figure = Figure(figsize=(4.5 * len(graphs), 5.2), dpi=120, layout="constrained")
    row = figure.subplots(1, len(graphs), squeeze=False)[0]
    colours = action_colours(actions)
    for axes, (layer, (distances, weights)) in zip(row, graphs.items(), strict=True):
        places = TSNE(
            metric="precomputed", init="random", perplexity=min(12.0, (len(labels) - 1) / 3), random_state=seed
        ).fit_transform(distances)
        _draw_edges(axes, places, weights, labels)
        for label, action in enumerate(actions):
            own = places[labels == label]
            axes.scatter(own[:, 0], own[:, 1], s=34, color=colours[action], edgecolors="white", lw=0.6, zorder=3)
        smoothness = label_smoothness(weights, labels)
        axes.set_title(f"{layer.replace('block', 'block ')}: {smoothness:.2f} between actions", fontsize=12)
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set_color("#dddddd")
    dots = [
        Line2D([], [], marker="o", ls="", color=colours[action], label=action.replace("_", " ")) for action in actions
    ]
    edges = [
        Line2D([], [], color=_RIGHT, lw=2, label="edge within an action"),
        Line2D([], [], color=_WRONG, lw=2, label="edge between actions"),
    ]
    figure.legend(handles=[*dots, *edges], loc="outside lower center", ncols=5, frameon=False, fontsize=10)
    return figure


def _draw_edges(axes: Axes, places: Array, weights: Array, labels: NDArray[np.int64]) -> None:
    i, j = np.nonzero(np.triu(weights))
    strength = np.minimum(1.0, weights[i, j] / np.quantile(weights[i, j], 0.95))
    wrong = labels[i] != labels[j]
    for which, colour in ((~wrong, _RIGHT), (wrong, _WRONG)):
        axes.add_collection(
            LineCollection(
                list(np.stack([places[i[which]], places[j[which]]], axis=1)),
                colors=colour,
                alpha=np.clip(0.1 + 0.8 * strength[which], 0.0, 1.0),
                linewidths=0.4 + 1.8 * strength[which],
                zorder=1 if colour == _RIGHT else 2,
            )
        )


def _shuffled(axes: Axes, value: float) -> None:
    axes.axhline(value, color="#555555", lw=1.2, ls=(0, (5, 3)))
    axes.text(0.99, value, "shuffled labels", transform=axes.get_yaxis_transform(), ha="right", va="bottom", fontsize=9)


def _plain(axes: Axes) -> None:
    axes.set_ylim(0.0, 1.0)
    axes.grid(axis="y", alpha=0.3)
    axes.spines[["right", "top"]].set_visible(False)


def _short(layer: str) -> str:
    return "in" if layer == "input" else layer.removeprefix("block")
