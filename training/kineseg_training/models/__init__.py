"""Families of predictors."""

from kineseg_training.models.seq2seq import Seq2Seq, Seq2SeqSettings

__all__ = ["Seq2Seq", "Seq2SeqSettings"]
