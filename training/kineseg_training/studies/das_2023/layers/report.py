"""What was found at the layers of every family, and what it says about the paper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kineseg_training.studies.das_2023.layers.dataset_graph import Neighbours, graph_of_distances
from kineseg_training.studies.das_2023.layers.families import Family
from kineseg_training.studies.das_2023.layers.smoothness import (
    LayerSettings,
    Pieces,
    label_smoothness,
    shuffled_smoothness,
)
from kineseg_training.studies.exhibit import Agreement, Exhibit, Picture, RunContext, Table

_PAPER = "Das, Shekkizhar & Ortega 2023"
# Running clips last 1.4 s. Were the others longer, their length alone would give away running, basketball and soccer.
LONGEST_S = 1.5
_CLEAR = 0.03  # difference of two shares of weight that is called one

TRAIN, TEST, APART = "training clips", "test clips", "across takes"
SETS = (TRAIN, TEST, APART)

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Smooth:
    """Smoothness of one network's layers.

    Attributes:
        layers: Their names.
        values: By set of clips and kind of neighbours (``"test clips/nnk"``), one number a layer.
        nearest: Share of pieces at each layer whose nearest neighbour of another take shows the same action.
    """

    layers: tuple[str, ...]
    values: Mapping[str, tuple[float, ...]]
    nearest: tuple[float, ...]

    @classmethod
    def from_plain(cls, raw: Mapping[str, Any]) -> Smooth:
        """From what ``asdict`` gave, after JSON."""
        values = {name: tuple(numbers) for name, numbers in raw["values"].items()}
        return cls(tuple(raw["layers"]), values, tuple(raw["nearest"]))

    def at(self, clips: str, neighbours: Neighbours = "nnk") -> tuple[float, ...]:
        """One number a layer."""
        return self.values[f"{clips}/{neighbours}"]


@dataclass(frozen=True, eq=False)
class Sequences:
    """Pieces of training and test clips.

    Attributes:
        pieces: Training pieces, then test pieces.
        n_train: How many are the former.
    """

    pieces: Pieces
    n_train: int

    def smoothness(self, distances: Array, clips: str, neighbours: Neighbours, k: int) -> float:
        """Of one layer on one set."""
        rows = {TRAIN: slice(None, self.n_train), TEST: slice(self.n_train, None), APART: slice(None)}[clips]
        takes = self.pieces.takes if clips == APART else None
        weights = graph_of_distances(distances[rows, rows], k=k, neighbours=neighbours, takes=takes)
        return label_smoothness(weights, self.pieces.labels[rows])

    def nearest(self, distances: Array) -> float:
        """Share of pieces whose nearest one of another take shows the same action."""
        same_take = np.equal.outer(self.pieces.takes, self.pieces.takes)
        nearest = np.where(same_take, np.inf, distances).argmin(axis=1)
        return float((self.pieces.labels[nearest] == self.pieces.labels).mean())

    def shuffled(self, clips: str) -> float:
        """Of labels dealt out at random."""
        rows = {TRAIN: slice(None, self.n_train), TEST: slice(self.n_train, None), APART: slice(None)}[clips]
        return shuffled_smoothness(self.pieces.labels[rows])


def mean_over(networks: Sequence[Smooth], clips: str = APART, neighbours: Neighbours = "nnk") -> tuple[float, ...]:
    return tuple(np.mean([network.at(clips, neighbours) for network in networks], axis=0).tolist())


def exhibit(
    context: RunContext,
    known: Sequence[Family],
    found: Mapping[str, tuple[Smooth, tuple[Smooth, ...]]],
    sequences: Sequences,
    settings: LayerSettings,
    checks: Table,
) -> Exhibit:
    trained, random = found["stgcn"]
    values, at_random = trained.at(APART), mean_over(random)
    first, last = values[0], values[-1]
    falls, learnt = last < first - _CLEAR, last < at_random[-1] - _CLEAR
    third = max(1, (len(values) - 1) // 3)
    early, late = float(np.mean(values[1 : 1 + third])), float(np.mean(values[-third:]))
    early_random = float(np.mean(at_random[1 : 1 + third]))
    general = abs(early - early_random) <= _CLEAR or early >= first - _CLEAR
    agreement: Agreement = "agrees" if falls and learnt and general else "partly" if falls or learnt else "disagrees"
    length = graph_of_distances(_lengths(sequences), k=settings.k, takes=sequences.pieces.takes)
    length_only = label_smoothness(length, sequences.pieces.labels)
    findings = [
        f"ST-GCN, across takes (NNK graph): {first:.2f} of the weight of edges joins different actions at the input, "
        f"{early:.2f} after the first third of the blocks, {late:.2f} in the last third, {last:.2f} after the last; "
        f"{sequences.shuffled(APART):.2f} if labels were shuffled. With random weights the last block has "
        f"{at_random[-1]:.2f}.",
        _where_it_falls(trained),
        f"On training clips the last block has {trained.at(TRAIN)[-1]:.2f} (input {trained.at(TRAIN)[0]:.2f}), on test "
        f"clips {trained.at(TEST)[-1]:.2f} (input {trained.at(TEST)[0]:.2f}).",
    ]
    findings += [_without_labels(family, *found[family.name]) for family in known if not family.supervised]
    findings.append(
        f"Control: the length of the pieces alone, without what is in them, gives {length_only:.2f} across takes."
    )
    figures = {
        f"{family.name}_{layer}": value
        for family in known
        for layer, value in zip(found[family.name][0].layers, found[family.name][0].at(APART), strict=True)
    }
    return Exhibit(
        title="What each layer sees alike: label smoothness of dataset graphs",
        paper=_PAPER,
        command=f"kineseg-train interpret layers OUT --preset {context.preset}",
        findings=tuple(findings),
        agreement=agreement,
        verdict=(
            "The paper: early layers carry general motion and late layers separate actions. Here "
            + (
                "the last block separates actions better than the input"
                if falls
                else "the last block does not separate actions better than the input"
            )
            + (", which random weights do not" if learnt else ", and random weights do as well")
            + ("; the early blocks do not yet." if general else "; but the early blocks do so already.")
        ),
        pictures=_pictures(sequences, settings, len(random)),
        tables=(_table(known, found, sequences), checks),
        figures=figures
        | {
            "stgcn_random_last": at_random[-1],
            "shuffled": sequences.shuffled(APART),
            "length_only": length_only,
        },
    )


def _where_it_falls(trained: Smooth) -> str:
    values = np.array(trained.at(APART))
    steps = -np.diff(values)
    best = int(values.argmin())
    return (
        f"The largest step down is at {words(trained.layers[int(steps.argmax()) + 1])} (by {steps.max():.2f}), and "
        f"the smoothest layer is {words(trained.layers[best])} ({values[best]:.2f}); the nearest neighbour of another "
        f"take shows the same action for {100 * trained.nearest[0]:.0f} % of the pieces at the input and for "
        f"{100 * trained.nearest[-1]:.0f} % after the last block."
    )


def _without_labels(family: Family, trained: Smooth, random: Sequence[Smooth]) -> str:
    values = trained.at(APART)
    best = int(np.argmin(values[1:])) + 1
    at_random = mean_over(random)[best]
    than_input = (
        "separates actions better than" if values[best] < values[0] - _CLEAR
        else "separates actions worse than" if values[best] > values[0] + _CLEAR
        else "separates actions no better than"
    )  # fmt: skip
    than_random = (
        "better than" if values[best] < at_random - _CLEAR
        else "worse than" if values[best] > at_random + _CLEAR
        else "as well as"
    )  # fmt: skip
    return (
        f"The {family.title}, which was given no actions, {than_input} its input even at its best layer, "
        f"{trained.layers[best]} ({values[best]:.2f}; input {values[0]:.2f}), and {than_random} random weights do "
        f"({at_random:.2f})."
    )


def _table(
    known: Sequence[Family], found: Mapping[str, tuple[Smooth, tuple[Smooth, ...]]], sequences: Sequences
) -> Table:
    rows: list[tuple[str | float | int, ...]] = []
    for family in known:
        trained, random = found[family.name]
        rows += [
            (
                family.title,
                words(layer),
                *(trained.at(clips)[at] for clips in SETS),
                trained.at(APART, "knn")[at],
                mean_over(random)[at],
                100.0 * trained.nearest[at],
                100.0 * float(np.mean([network.nearest[at] for network in random])),
            )
            for at, layer in enumerate(trained.layers)
        ]
    rows.append(("labels shuffled", "", *(sequences.shuffled(clips) for clips in SETS), *[""] * 4))
    return Table(
        (
            "model",
            "layer",
            "training clips",
            "test clips",
            "across takes",
            "across takes, k-NN",
            "across takes, random weights",
            "nearest right (%)",
            "nearest right, random weights (%)",
        ),
        tuple(rows),
        "Label smoothness of the dataset graph of every layer of every family: share of the weight of edges that joins "
        "different actions, smaller is better. NNK graphs but for one column; across takes: training and test pieces "
        "in one graph, no edges within a take. Nearest right: pieces whose nearest neighbour of another take shows the "
        f"same action. {sequences.n_train} training and {len(sequences.pieces) - sequences.n_train} test pieces; "
        "random weights: mean over networks.",
    )


def _pictures(sequences: Sequences, settings: LayerSettings, n_random: int) -> tuple[Picture, ...]:
    how = (
        f"Nodes are {len(sequences.pieces)} pieces of CMU clips of at most {LONGEST_S:g} s; distances by dynamic time "
        f"warping within {settings.window_s:g} s on the first {settings.dimensions} principal components of the "
        f"layer's standardised features; k = {settings.k}"
    )
    return (
        Picture(
            "layers_stgcn.png",
            "Label smoothness over the layers of the ST-GCN, trained and with random weights (shaded: from the least "
            f"to the largest of {n_random} networks), by NNK and by k-NN graphs: share of the weight of edges that "
            "joins different actions. Left to right: among training clips, among test clips, and across takes (all "
            f"pieces, no edges within a take). Dashed: labels shuffled. {how}.",
        ),
        Picture(
            "layers_graphs.png",
            "The NNK dataset graph across takes at the input, a middle and the last block of the ST-GCN. Grey edges "
            "join pieces of one action, red ones pieces of different actions, each as strong as its weight: label "
            "smoothness is the share of red. Places by t-SNE of the same distances.",
        ),
        Picture(
            "layers_families.png",
            "Label smoothness across takes (NNK) at the layers of all families, trained (filled) and with random "
            f"weights (open). Only the ST-GCN was given the actions. Dashed: labels shuffled. {how}.",
        ),
    )


def _lengths(sequences: Sequences) -> Array:
    lengths = np.array([len(piece) for piece in sequences.pieces.frames], dtype=np.float64)
    return np.abs(np.subtract.outer(lengths, lengths))


def words(name: str) -> str:
    return name.replace("block", "block ")
