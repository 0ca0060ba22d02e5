"""An embedding made to separate actions: a recurrent encoder, trained on streams joined from single-action clips."""

from kineseg_training.studies.contrastive.encoder import Encoder, EncoderSettings
from kineseg_training.studies.contrastive.streams import Joined, JoinSettings, Pool, draw_stream
from kineseg_training.studies.contrastive.task import TrainingSettings, train_encoder

__all__ = [
    "Encoder",
    "EncoderSettings",
    "JoinSettings",
    "Joined",
    "Pool",
    "TrainingSettings",
    "draw_stream",
    "train_encoder",
]
