"""Small data and small models for the tests of training."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from kineseg.motion import generate
from kineseg_training.data import Augmentation, Corpus, Source, load_corpus
from kineseg_training.data.labelled import LabelledClips, cmu_actions
from kineseg_training.default.task import FitSettings

FEW = ("jumping", "running", "soccer")


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """What is promised to be equal is promised for equal numbers of threads."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with six files of generated motion: two kinds, three takes each, as joint positions."""
    folder = tmp_path_factory.mktemp("recordings")
    for kind, actions in (("legs", ("walk", "squat")), ("arms", ("wave", "clap"))):
        (folder / kind).mkdir()
        for take in range(3):
            made = generate(seed=take, duration_s=12.0, rate=60.0, actions=actions)
            assert made.positions is not None
            np.savez(folder / kind / f"{take}.npz", positions=made.positions, joints=made.joints, rate=made.rate)
    return folder


@pytest.fixture(scope="session")
def corpus(recordings: Path) -> Corpus:
    """What is in `recordings`."""
    return load_corpus(Source((recordings,)))


@pytest.fixture(scope="session")
def few_clips(cmu_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder like that of the CMU clips, with clips of two actions only."""
    folder = tmp_path_factory.mktemp("few")
    for part, action, takes in (("train", "running", 4), ("train", "jumping", 3), ("test", "running", 1)):
        (folder / part / action).mkdir(parents=True)
        for file in sorted((cmu_folder / part / action).glob("*.txt"))[-takes:]:
            (folder / part / action / file.name).symlink_to(file.resolve())
    return folder


@pytest.fixture
def tiny() -> FitSettings:
    """Settings that train in a second."""
    return FitSettings(
        hidden=12,
        source=12,
        target=6,
        shortest_source=4,
        batch=8,
        steps=4,
        epochs=4,
        augmentation=Augmentation(noise=0.01),
        seed=3,
    )


@pytest.fixture(scope="session")
def few(cmu_folder: Path) -> tuple[LabelledClips, LabelledClips]:
    """(training, test) clips of three CMU actions, five seconds of each at most."""
    return tuple(_shortened(clips.only(FEW)) for clips in cmu_actions(cmu_folder))  # type: ignore[return-value]


def _shortened(clips: LabelledClips) -> LabelledClips:
    """The first 150 frames of each clip."""
    return replace(clips, clips=tuple(replace(clip, frames=clip.frames[:150]) for clip in clips.clips))
