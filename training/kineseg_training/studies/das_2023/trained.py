"""A trained ST-GCN: trained when it is first needed, found again afterwards."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import softmax

from kineseg_training.data.labelled import LabelledClips, cmu_actions, cut_labelled
from kineseg_training.data.splits import hold_out
from kineseg_training.errors import CheckpointError
from kineseg_training.files import write_atomically
from kineseg_training.loop import LAST, LoopSettings, load_saved, train
from kineseg_training.models.stgcn import STGCN, STGCNSettings
from kineseg_training.studies.das_2023.scores import fitted_temperature, recommended_threshold
from kineseg_training.studies.das_2023.task import FAMILY, Recognise, RecogniseSettings, window_logits
from kineseg_training.studies.exhibit import Preset, RunContext

_STRIDES = (1, 1, 1, 2, 1, 1, 2, 1, 1)
CALIBRATION = "calibration.json"
_CALIBRATE_EVERY = 2  # frames between windows
# Body sizes: a joint that hardly moves in the training clips (the hips' own joints) shows whose skeleton it is,
# and would outweigh the rest if it were scaled to variance one.
_LEAST_SCALE = 0.05


@dataclass(frozen=True)
class RecognitionPreset:
    """One size.

    Attributes:
        widths: Of the blocks.
        strides: Of the blocks.
        temporal_kernel: Frames that a temporal convolution sees.
        training: Of a network from random weights.
        validate_every: Steps between validations.
        every: Frames between test windows.
        transfer: Of a network that is fine-tuned, and of those that it is compared with.
        retrained: Numbers of last blocks that are re-trained.
        seeds: Trainings for each of them.
        dropout: Of the network.
    """

    widths: tuple[int, ...]
    strides: tuple[int, ...]
    temporal_kernel: int
    training: RecogniseSettings
    validate_every: int
    every: int
    transfer: RecogniseSettings
    retrained: tuple[int, ...]
    seeds: int
    dropout: float = 0.0

    def model(self, classes: tuple[str, ...]) -> STGCNSettings:
        """The network for these actions."""
        return STGCNSettings(classes, self.widths, self.strides, self.temporal_kernel, self.dropout)


PRESETS: dict[Preset, RecognitionPreset] = {
    "tiny": RecognitionPreset(
        widths=(4, 6, 8),
        strides=(1, 2, 1),
        temporal_kernel=3,
        training=RecogniseSettings(iterations=6, batch=8),
        validate_every=3,
        every=30,
        transfer=RecogniseSettings(iterations=2, batch=8),
        retrained=(0, 2, 3),
        seeds=1,
    ),
    "small": RecognitionPreset(
        widths=(8, 8, 8, 16, 16, 16, 32, 32, 32),
        strides=_STRIDES,
        temporal_kernel=9,
        training=RecogniseSettings(iterations=200),
        validate_every=25,
        every=5,
        transfer=RecogniseSettings(iterations=80, learning_rate=5e-3),
        retrained=tuple(range(10)),
        seeds=2,
    ),
    "full": RecognitionPreset(
        widths=(64, 64, 64, 128, 128, 128, 256, 256, 256),
        strides=_STRIDES,
        temporal_kernel=9,
        training=RecogniseSettings(iterations=5000, batch=64, learning_rate=1e-3),
        validate_every=100,
        every=1,
        transfer=RecogniseSettings(iterations=1000, batch=64, learning_rate=1e-3),
        retrained=tuple(range(10)),
        seeds=5,
    ),
}


def trained_stgcn(context: RunContext) -> STGCN:
    """The network of the preset, trained on the training clips of the CMU actions, in eval mode on the CPU.

    It is kept in ``stgcn`` under `RunContext.models`; what is finished there is loaded, what was interrupted is gone on
    with.

    Raises:
        DataError: There are no CMU clips.
        CheckpointError: Another preset or other data was trained there.
    """
    clips, _ = cmu_actions(context.needs_cmu())
    preset = PRESETS[context.preset]
    settings = LoopSettings(preset.training.iterations, preset.validate_every, device=context.device, seed=context.seed)
    return train_stgcn(clips, preset, context.models / "stgcn", settings, resume=True, progress=context.progress)


def train_stgcn(
    clips: LabelledClips,
    preset: RecognitionPreset,
    out: Path,
    settings: LoopSettings,
    *,
    resume: bool = False,
    progress: bool = True,
) -> STGCN:
    """Train on the clips but for a held-out part, and calibrate by that; in eval mode on the CPU.

    Args:
        clips: Training clips.
        preset: Size of the network and the training.
        out: Run folder; what `load_stgcn` reads.
        settings: Of the loop; its iterations take the place of the preset's.
        resume: Go on with what is there.
        progress: Show a bar.

    Raises:
        DataError: An action of which every clip is shorter than a window.
        CheckpointError: The folder holds a run and `resume` is off, or the run is another.
    """
    network = new_stgcn(preset.model(clips.actions), clips, settings.seed)
    fit, validation = hold_out(clips, network.settings.window)
    training = replace(preset.training, iterations=settings.iterations)
    train(Recognise(network, fit, validation, training), settings, out, resume=resume, progress=progress)
    network.to("cpu")
    calibrate(network, validation)
    found = {"temperature": float(network.temperature), "unknown_below": float(network.unknown_below)}
    write_atomically(out / CALIBRATION, (json.dumps(found) + "\n").encode())
    return network


def load_stgcn(folder: Path) -> STGCN:
    """What `train_stgcn` left in a folder: its best parameters, calibrated if it was finished; in eval mode.

    Raises:
        CheckpointError: There is none, or it is of another family.
    """
    saved = load_saved(folder / LAST)
    if saved.recipe.get("family") != FAMILY:
        raise CheckpointError(f"{folder}: holds a run of {saved.recipe.get('family', 'another family')}, not an ST-GCN")
    prefix = "model_"
    settings = {name.removeprefix(prefix): value for name, value in saved.recipe.items() if name.startswith(prefix)}
    network = STGCN(STGCNSettings(**settings))  # type: ignore[arg-type]  # as `Recognise` wrote them
    network.load_state_dict(dict(saved.best))
    if (folder / CALIBRATION).is_file():
        found = json.loads((folder / CALIBRATION).read_text())
        network.temperature.fill_(found["temperature"])
        network.unknown_below.fill_(found["unknown_below"])
    return network.eval()


def calibrate(network: STGCN, validation: LabelledClips) -> None:
    """Set the temperature and the threshold for "unknown" by held-out clips."""
    windows = cut_labelled(validation, network.settings.window, _CALIBRATE_EVERY)
    network.temperature.fill_(1.0)
    logits = window_logits(network, windows.frames).double().numpy()
    temperature = fitted_temperature(logits, windows.labels)
    best = softmax(logits / temperature, axis=1).max(axis=1)
    network.temperature.fill_(temperature)
    network.unknown_below.fill_(recommended_threshold(best, windows.labels))


def new_stgcn(settings: STGCNSettings, clips: LabelledClips, seed: int) -> STGCN:
    """Random weights, and the normalisation of the clips."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = STGCN(settings)
    network.set_normalisation(*normalisation(clips))
    return network


def normalisation(clips: LabelledClips) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and scale of the channels, ``(C,)`` each: an action counts as much as any other."""
    means, squares = [], []
    for action in clips.actions:
        frames = np.concatenate([clip.frames for clip in clips.clips if clip.action == action])
        means.append(frames.mean(axis=0))
        squares.append((frames**2).mean(axis=0))
    mean = np.mean(means, axis=0)
    deviation = np.sqrt(np.maximum(np.mean(squares, axis=0) - mean**2, 0.0))
    return mean, np.maximum(deviation, _LEAST_SCALE)
