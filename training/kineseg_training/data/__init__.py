"""From recordings on disk to windows of canonical pose at the model's rate."""

from kineseg_training.data.augment import Augmentation, augment, mirrored
from kineseg_training.data.corpus import Clip, Corpus, Source, generated_actions, load_corpus
from kineseg_training.data.labelled import (
    LabelledClip,
    LabelledClips,
    LabelledWindows,
    bvh_contents,
    cmu_actions,
    cut_labelled,
    long_enough,
)
from kineseg_training.data.resample import resample
from kineseg_training.data.splits import split_by_take
from kineseg_training.data.windows import Windows, cut_windows, sample_windows

__all__ = [
    "Augmentation",
    "Clip",
    "Corpus",
    "LabelledClip",
    "LabelledClips",
    "LabelledWindows",
    "Source",
    "Windows",
    "augment",
    "bvh_contents",
    "cmu_actions",
    "cut_labelled",
    "cut_windows",
    "generated_actions",
    "load_corpus",
    "long_enough",
    "mirrored",
    "resample",
    "sample_windows",
    "split_by_take",
]
