"""The experiment `transfer`: a network that knows the CMU actions learns those of the BVH set by its last layers only.

Das, Shekkizhar & Ortega 2023 (arXiv 2312.07777) find that early layers of an ST-GCN see general motion, that late ones
separate actions, and that a network therefore transfers when its late layers alone are trained again. Choices that
they leave open: the classifier is always new; the channels keep the normalisation of the first data set, which belongs
to the frozen weights; frozen blocks keep the statistics of their batch norm; every training has the same number of
steps and the same learning rate, however much of it is trained.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from kineseg_training.data.labelled import LabelledClips, bvh_contents, cut_labelled, long_enough
from kineseg_training.data.splits import hold_out
from kineseg_training.files import write_atomically
from kineseg_training.loop import LoopSettings, train
from kineseg_training.models.stgcn import STGCN
from kineseg_training.studies.das_2023.layers.dataset_graph import graph_of_distances
from kineseg_training.studies.das_2023.layers.smoothness import (
    LayerSettings,
    Pieces,
    label_smoothness,
    layer_distances,
    pieces_of,
)
from kineseg_training.studies.das_2023.scores import balanced, evaluate, nearest_neighbour
from kineseg_training.studies.das_2023.task import Recognise
from kineseg_training.studies.das_2023.trained import PRESETS, RecognitionPreset, new_stgcn, trained_stgcn
from kineseg_training.studies.exhibit import RunContext

RESULT = "result.json"
# In place of a number of blocks: all of a network that starts from random weights.
FROM_RANDOM = -1
_GRAPH = LayerSettings(k=5, window_s=0.3, dimensions=16)
_PIECE_S, _PER_ACTION = 2.0, 4


@dataclass(frozen=True)
class Run:
    """One network, fine-tuned.

    Attributes:
        retrained: Number of last blocks that were trained, the classifier besides; `FROM_RANDOM`.
        seed: Of its training.
        windows: Share of test windows named rightly, actions alike.
        clips: Share of test clips named rightly.
        smoothness: Of the labels on the graph of each layer, by its name.
    """

    retrained: int
    seed: int
    windows: float
    clips: float
    smoothness: dict[str, float]


@dataclass(frozen=True, eq=False)
class Transferred:
    """What the experiment measured.

    Attributes:
        runs: All of them.
        before: Smoothness of each layer of the network as it was trained on the CMU actions.
        blocks: L, of the network.
        actions: Names of the K new actions.
        test_clips: Number of them.
        neighbour: Share of test windows that the nearest neighbour by pooled poses names rightly, actions alike.
    """

    runs: tuple[Run, ...]
    before: dict[str, float]
    blocks: int
    actions: tuple[str, ...]
    test_clips: int
    neighbour: float

    def of(self, retrained: int) -> tuple[Run, ...]:
        """The runs with so many blocks trained."""
        return tuple(run for run in self.runs if run.retrained == retrained)

    def numbers(self) -> tuple[int, ...]:
        """The numbers of blocks, `FROM_RANDOM` not among them."""
        return tuple(sorted({run.retrained for run in self.runs} - {FROM_RANDOM}))


def measure_transfer(context: RunContext) -> Transferred:
    """Fine-tune for each number of blocks and each seed; what is finished in `RunContext.out` is not done again.

    Raises:
        DataError: The CMU clips or the BVH recordings are not there.
    """
    preset = PRESETS[context.preset]
    source = trained_stgcn(context)
    window = source.settings.window
    train_clips, test_clips = bvh_contents(context.needs_bvh(), source.settings.rate)
    actions = long_enough(train_clips, test_clips, window)
    train_clips, test_clips = (_long(clips.only(actions), window) for clips in (train_clips, test_clips))
    pieces = _pieces(train_clips, test_clips)
    before = smoothness(source, pieces)
    runs = []
    for seed in range(context.seed, context.seed + preset.seeds):
        for retrained in (*preset.retrained, FROM_RANDOM):
            name = f"random-seed{seed}" if retrained == FROM_RANDOM else f"last{retrained}-seed{seed}"
            runs.append(_run(context, preset, name, source, retrained, seed, (train_clips, test_clips), pieces, before))
    every = preset.every
    windows = cut_labelled(test_clips, window, every)
    mean, scale = source.mean.double().numpy(), source.scale.double().numpy()
    nearest = nearest_neighbour(cut_labelled(train_clips, window, every), windows, mean, scale)
    return Transferred(
        tuple(runs),
        before,
        len(source.blocks),
        actions,
        len(test_clips.clips),
        balanced(nearest == windows.labels, windows.labels),
    )


def with_classes(source: STGCN, classes: tuple[str, ...], seed: int) -> STGCN:
    """The same blocks and normalisation under a new, random classifier of other actions, not calibrated."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = STGCN(replace(source.settings, classes=classes))
    own = network.state_dict()
    kept = {name: value for name, value in source.state_dict().items() if name.startswith(("blocks.", "mean", "scale"))}
    network.load_state_dict(own | kept)
    return network


def smoothness(network: STGCN, pieces: Pieces, layers: Sequence[str] | None = None) -> dict[str, float]:
    """`label_smoothness` of the graphs of some layers (all of them), neighbours always from other takes."""
    looked_at = _Layers(network, tuple(layers) if layers is not None else network.layers)
    distances = layer_distances(looked_at, pieces.frames, _GRAPH)
    return {
        layer: label_smoothness(graph_of_distances(matrix, k=_GRAPH.k, takes=pieces.takes), pieces.labels)
        for layer, matrix in distances.items()
    }


class _Layers:
    """Some layers of a network."""

    def __init__(self, network: STGCN, layers: tuple[str, ...]) -> None:
        self._network, self._layers = network, layers

    def layer_sequences(self, frames: NDArray[np.floating]) -> dict[str, NDArray[np.float32]]:
        found = self._network.layer_sequences(frames)
        return {layer: found[layer] for layer in self._layers}


def _run(
    context: RunContext,
    preset: RecognitionPreset,
    name: str,
    source: STGCN,
    retrained: int,
    seed: int,
    clips: tuple[LabelledClips, LabelledClips],
    pieces: Pieces,
    before: dict[str, float],
) -> Run:
    out = context.out / "runs" / name
    if (out / RESULT).is_file():
        return Run(**json.loads((out / RESULT).read_text()))
    train_clips, test_clips = clips
    if retrained == FROM_RANDOM:
        network, blocks = new_stgcn(replace(source.settings, classes=train_clips.actions), train_clips, seed), None
    else:
        network, blocks = with_classes(source, train_clips.actions, seed), retrained
    fit, validation = hold_out(train_clips, source.settings.window)
    task = Recognise(network, fit, validation, preset.transfer, retrained=blocks, origin=_origin(source, retrained))
    settings = LoopSettings(preset.transfer.iterations, preset.validate_every, device=context.device, seed=seed)
    train(task, settings, out, resume=True, progress=context.progress)
    network.to("cpu")
    result = evaluate(network, test_clips, preset.every)
    changed = network.layers[1:] if blocks is None else network.layers[len(network.layers) - blocks :]
    found = (before if blocks is not None else {"input": before["input"]}) | (
        smoothness(network, pieces, changed) if changed else {}
    )
    run = Run(retrained, seed, result.balanced(), result.clip_accuracy(), found)
    write_atomically(out / RESULT, (json.dumps(asdict(run), indent=1) + "\n").encode())
    return run


def _origin(source: STGCN, retrained: int) -> str:
    if retrained == FROM_RANDOM:
        return "random weights"
    total = float(sum(parameter.detach().double().abs().sum() for parameter in source.parameters()))
    return f"{', '.join(source.settings.classes)} ({total:.6g})"


def _long(clips: LabelledClips, window: int) -> LabelledClips:
    return replace(clips, clips=tuple(clip for clip in clips.clips if len(clip.frames) >= window))


def _pieces(train_clips: LabelledClips, test_clips: LabelledClips) -> Pieces:
    together = replace(train_clips, clips=(*train_clips.clips, *test_clips.clips))
    return pieces_of(together, longest_s=_PIECE_S, per_action=_PER_ACTION)
