"""What can go wrong while training, exporting or evaluating, each with its remedy in the message."""

from __future__ import annotations


class TrainingError(ValueError):
    """Base of the errors of `kineseg_training`; the message says what is wrong and what to do."""


class DataError(TrainingError):
    """The recordings are missing, unreadable, too short, or do not fit together."""


class SettingsError(TrainingError):
    """A setting has a value that makes no sense; the message begins with its name."""


class CheckpointError(TrainingError):
    """A run folder or a checkpoint is missing or does not belong to what was asked."""


class BundleError(TrainingError):
    """A bundle could not be written or read back."""


class EvaluationError(TrainingError):
    """The evaluation could not be carried out."""
