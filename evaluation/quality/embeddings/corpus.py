"""What the candidates learn from, and generated streams of the kinds of action that they do not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from kineseg.motion import generate
from kineseg.motion.synthetic import ACTIONS
from kineseg_training.data import Clip, Source, generated_actions, load_corpus, mirrored, resample
from kineseg_training.default.recipe import CALIBRATION_FRAMES
from kineseg_training.studies.contrastive import Pool
from numpy.typing import NDArray

from evaluation.quality.places import data_folder
from evaluation.quality.stream import MODEL_RATE, AnnotatedStream, from_truth

Array = NDArray[np.float64]

# Generated kinds of action that nothing is learned from, so that there are some to compare on.
UNSEEN_KINDS = ("arm_circles", "bow", "jumping_jacks", "squat", "wave")
SEEN_KINDS = tuple(kind for kind in ACTIONS if kind not in UNSEEN_KINDS)
UNSEEN_SET = "generated-unseen"  # of kinds that are in no corpus

_UNSEEN_SEED = 200
_RATE = 60.0
_SAME_KIND = {"walking_extra": "walking", "walk": "walking", "run": "running", "jump": "jumping"}


@dataclass(frozen=True, eq=False)
class Material:
    """Clips to learn from.

    Attributes:
        clips: Of single actions; the folder in the name is the kind.
        channels: C names.
    """

    clips: tuple[Clip, ...]
    channels: tuple[str, ...]

    def pool(self) -> Pool:
        """For drawing streams."""
        return Pool.of(self.clips, self.channels, MODEL_RATE, same=_SAME_KIND)

    def frames(self) -> list[Array]:
        """``(T, C)`` of each clip and its mirror image at the model's rate."""
        plain = [resample(clip.frames, clip.rate, MODEL_RATE) for clip in self.clips]
        return plain + [mirrored(each, self.channels) for each in plain]


def cmu_material() -> Material:
    """The single-action CMU clips, what the shipped bundle learns from and a few more; none of subject 86."""
    folders = tuple(data_folder("cmu_mocap", part) for part in ("train", "test"))
    corpus = load_corpus(Source(folders, skip_first=CALIBRATION_FRAMES))
    return Material(corpus.clips, corpus.channels)


def generated_material(minutes: int) -> Material:
    """So many minutes of generated motion of the kinds `SEEN_KINDS`."""
    corpus = generated_actions(minutes, SEEN_KINDS)
    return Material(corpus.clips, corpus.channels)


def both(one: Material, other: Material) -> Material:
    """The clips of both, which share their channels."""
    return Material(one.clips + other.clips, one.channels)


def unseen_streams(count: int) -> list[AnnotatedStream]:
    """Streams of generated motion, of the kinds that are in no corpus."""
    seeds = range(_UNSEEN_SEED, _UNSEEN_SEED + count)
    return [from_truth(UNSEEN_SET, generate(seed, 80.0, _RATE, actions=UNSEEN_KINDS)) for seed in seeds]
