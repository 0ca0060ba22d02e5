"""What goes on inside a predictor: its states while it reads a window and while it goes on by itself."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from kineseg_training.data.labelled import LabelledClips, LabelledWindows, cut_labelled
from kineseg_training.errors import DataError, SettingsError
from kineseg_training.models.composite import CompositeLSTM
from kineseg_training.models.seq2seq import VELOCITY_GAIN, Seq2Seq, heard
from kineseg_training.models.su_shlizerman import TiedSeq2Seq

ENCODER, DECODER, POSE = "encoder", "decoder", "pose"

Parts = dict[str, NDArray[np.float32]]


@torch.no_grad()
def read_states(model: nn.Module, frames: NDArray[np.float32], decoded: int) -> Parts:
    """Read windows, then go on.

    Args:
        model: One of the recurrent predictors.
        frames: ``(N, S, C)`` channels, not normalised.
        decoded: n, frames to go on for.

    Returns:
        ``encoder`` ``(N, S, H)``: the state after each frame read. ``decoder`` ``(N, n, H)``: the states that the n
        frames after them were predicted from. Of several layers, the top one.

    Raises:
        SettingsError: A model of a kind that has no such states.
        DataError: Windows of another number of channels, or none.
    """
    if not isinstance(model, TiedSeq2Seq | Seq2Seq | CompositeLSTM):
        raise SettingsError(f"model: {type(model).__name__} has no encoder and decoder states")
    if frames.ndim != 3 or not len(frames) or frames.shape[2] != len(model.mean):
        raise DataError(f"windows of shape {frames.shape}: expected (at least 1, frames, {len(model.mean)} channels)")
    source = model.normalise(torch.from_numpy(frames).to(model.mean.device))
    if isinstance(model, TiedSeq2Seq):
        encoder, _ = model.encode(source)
        _, decoder = model(source, decoded)
    elif isinstance(model, CompositeLSTM):
        encoder, last = model.encode(source)
        going_on = model.future if model.future is not None else model.past_decoder()
        _, decoder = going_on(last, decoded, before=source[:, -1])
    else:
        encoder, decoder = _shipped(model, source, decoded)
    return {ENCODER: encoder.float().cpu().numpy(), DECODER: decoder.float().cpu().numpy()}


def balanced_windows(clips: LabelledClips, length: int, each: int) -> LabelledWindows:
    """At most `each` windows of every action, spread evenly over all that can be cut from its clips.

    Raises:
        DataError: An action of which every clip is shorter than a window.
    """
    windows = cut_labelled(clips, length, 1)
    chosen = []
    for label in range(len(clips.actions)):
        rows = np.flatnonzero(windows.labels == label)
        chosen.append(rows[np.unique(np.linspace(0, len(rows) - 1, each).round().astype(np.int64))])
    return windows.rows(np.concatenate(chosen))


def _shipped(model: Seq2Seq, source: Tensor, decoded: int) -> tuple[Tensor, Tensor]:
    """As `Seq2Seq.forward` goes on, keeping the states."""
    encoder, state = model.rnn(heard(source))
    before, hidden = source[:, -1:], encoder[:, -1:]
    frame, seen = before + model.velocity(hidden), [hidden]
    for _ in range(decoded - 1):
        hidden, state = model.rnn(torch.cat([frame, VELOCITY_GAIN * (frame - before)], dim=2), state)
        before, frame = frame, frame + model.velocity(hidden)
        seen.append(hidden)
    return encoder, torch.cat(seen, dim=1)
