"""Label smoothness over the layers of every family, trained and with random weights: which layers separate actions."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from kineseg_training.data import LabelledClips, cmu_actions
from kineseg_training.files import write_atomically
from kineseg_training.studies.das_2023.gradcam.pictures import write_picture
from kineseg_training.studies.das_2023.layers.dataset_graph import Neighbours, graph_of_distances
from kineseg_training.studies.das_2023.layers.families import Family, families, layered, untrained
from kineseg_training.studies.das_2023.layers.pictures import (
    FamilyLine,
    Panel,
    families_figure,
    graphs_figure,
    layers_figure,
)
from kineseg_training.studies.das_2023.layers.report import (
    APART,
    LONGEST_S,
    SETS,
    Sequences,
    Smooth,
    exhibit,
    mean_over,
    words,
)
from kineseg_training.studies.das_2023.layers.smoothness import (
    Features,
    Layered,
    LayerSettings,
    Pieces,
    distances_between,
    layer_features,
    pieces_of,
)
from kineseg_training.studies.exhibit import Exhibit, RunContext, Table

Array = NDArray[np.float64]

_PER_ACTION = {"tiny": 3, "small": 8, "full": 24}
_RANDOM_NETWORKS = {"tiny": 1, "small": 3, "full": 5}
_SETTINGS = {"window_s": "window of {} s", "dimensions": "{} components", "k": "k = {}"}

BOTH: tuple[Neighbours, ...] = ("nnk", "knn")


def layers(context: RunContext) -> Exhibit:
    """Smoothness at every layer of the models of the place, which are trained first if they are not there.

    Raises:
        DataError: There are no CMU clips.
    """
    train, test = cmu_actions(context.needs_cmu())
    sequences = _sequences(train, test, _PER_ACTION[context.preset])
    settings = LayerSettings(rate=train.rate)
    known = families(context, train)
    data = {"train": train.fingerprint, "test": test.fingerprint}
    found = {
        family.name: _family(context, family, sequences, settings, data)
        for family in tqdm(known, disable=not context.progress, desc="families")
    }

    features = layer_features(layered(known[0].trained()), sequences.pieces.frames)
    names = found["stgcn"][0].layers
    drawn = tuple(dict.fromkeys((names[0], names[len(names) // 2], names[-1])))
    distances = distances_between(features, sequences.pieces.longest, settings, drawn)
    takes = sequences.pieces.takes
    graphs = {
        layer: (matrix, graph_of_distances(matrix, k=settings.k, takes=takes)) for layer, matrix in distances.items()
    }
    write_picture(
        context.out / "layers_graphs.png",
        graphs_figure(graphs, sequences.pieces.labels, sequences.pieces.actions, seed=context.seed),
    )
    write_picture(context.out / "layers_stgcn.png", layers_figure(_panels(*found["stgcn"], sequences), names))
    lines = [
        FamilyLine(
            family.title,
            found[family.name][0].layers,
            found[family.name][0].at(APART),
            mean_over(found[family.name][1]),
        )
        for family in known
    ]
    write_picture(context.out / "layers_families.png", families_figure(lines, sequences.shuffled(APART)))
    return exhibit(
        context, known, found, sequences, settings, _checks(features, sequences, settings, (names[0], names[-1]))
    )


def _sequences(train: LabelledClips, test: LabelledClips, per_action: int) -> Sequences:
    parts = [
        pieces_of(clips, longest_s=LONGEST_S, per_action=per_action)
        for clips in (train, replace(test, actions=train.actions))
    ]
    pieces = Pieces(
        parts[0].frames + parts[1].frames,
        np.concatenate([part.labels for part in parts]),
        np.concatenate([parts[0].takes, parts[1].takes + len(train.clips)]),
        train.actions,
    )
    return Sequences(pieces, len(parts[0]))


def _family(
    context: RunContext, family: Family, sequences: Sequences, settings: LayerSettings, data: Mapping[str, str]
) -> tuple[Smooth, tuple[Smooth, ...]]:
    """Trained, and with random weights; what an interrupted run had computed is read."""
    path = context.out / f"layers_{family.name}.json"
    made_of = {"preset": context.preset, "seed": context.seed, **asdict(settings), **data}
    if path.is_file():
        raw = json.loads(path.read_text())
        if raw["made_of"] == made_of:
            smooths = [Smooth.from_plain(one) for one in raw["networks"]]
            return smooths[0], tuple(smooths[1:])
    trained = family.trained()
    networks = [trained]
    networks += [untrained(trained, context.seed + 1 + number) for number in range(_RANDOM_NETWORKS[context.preset])]
    smooths = [_smooth(layered(network), sequences, settings) for network in networks]
    content = {"made_of": made_of, "networks": [asdict(smooth) for smooth in smooths]}
    write_atomically(path, (json.dumps(content, indent=1) + "\n").encode())
    return smooths[0], tuple(smooths[1:])


def _smooth(model: Layered, sequences: Sequences, settings: LayerSettings) -> Smooth:
    features = layer_features(model, sequences.pieces.frames)
    distances = distances_between(features, sequences.pieces.longest, settings)
    values = {
        f"{clips}/{neighbours}": tuple(
            sequences.smoothness(matrix, clips, neighbours, settings.k) for matrix in distances.values()
        )
        for clips in SETS
        for neighbours in BOTH
    }
    return Smooth(tuple(distances), values, tuple(sequences.nearest(matrix) for matrix in distances.values()))


def _panels(trained: Smooth, random: Sequence[Smooth], sequences: Sequences) -> list[Panel]:
    return [
        Panel(
            clips,
            sequences.shuffled(clips),
            {neighbours: trained.at(clips, neighbours) for neighbours in BOTH},
            {neighbours: [network.at(clips, neighbours) for network in random] for neighbours in BOTH},
        )
        for clips in SETS
    ]


def _checks(features: Features, sequences: Sequences, settings: LayerSettings, ends: tuple[str, str]) -> Table:
    """Whether what was chosen matters: the first and the last layer under other settings."""
    rows: list[tuple[str | float | int, ...]] = []
    for name, values in (("window_s", (0.0, 0.25, 0.5, 1.0)), ("dimensions", (8, 32, 10_000)), ("k", (3, 5, 8))):
        for value in values:
            chosen = replace(settings, **{name: value})  # type: ignore[arg-type]  # of the type of its name
            distances = distances_between(features, sequences.pieces.longest, chosen, ends)
            cells = [sequences.smoothness(distances[layer], APART, kind, chosen.k) for layer in ends for kind in BOTH]
            rows.append((_SETTINGS[name].format("all" if value == 10_000 else value), *cells))
    return Table(
        ("setting", *(f"{layer}, {kind.upper()}" for layer in (words(end) for end in ends) for kind in BOTH)),
        tuple(rows),
        f"Label smoothness across takes of the trained ST-GCN, one setting changed at a time from "
        f"{settings.window_s:g} s, {settings.dimensions} components, k = {settings.k}: {ends[0]} and {ends[1]}.",
    )
