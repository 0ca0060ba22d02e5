"""The composite LSTM of Srivastava, Mansimov & Salakhutdinov (2015): training, variants, extrapolation."""

from kineseg_training.studies.srivastava_2015.sequences import PoseSequences, Sequences, ShapeSequences
from kineseg_training.studies.srivastava_2015.task import CompositeTask, CompositeTraining
from kineseg_training.studies.srivastava_2015.trained import load_composite, trained_composite

__all__ = [
    "CompositeTask",
    "CompositeTraining",
    "PoseSequences",
    "Sequences",
    "ShapeSequences",
    "load_composite",
    "trained_composite",
]
