"""Windows and filling with and without an oracle.

The script that the authors published for subject 86 uses the annotation twice before it clusters anything: it cuts the
take at the true boundaries, so that no window ever reaches across one, and it fills the frames that were not decoded
with a label from the same true segment. Both are kept here, by name, beside what can be done without them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from kineseg_training.errors import DataError
from kineseg_training.models.su_shlizerman import TiedSeq2Seq, decode

Span = tuple[int, int]


@dataclass(frozen=True, eq=False)
class States:
    """What was decoded in a take.

    Attributes:
        frames: ``(K,)`` rows that were decoded, rising.
        states: ``(K, H)`` float32, the decoder state of each.
    """

    frames: NDArray[np.int64]
    states: NDArray[np.float32]


def window_starts(spans: Sequence[Span], source: int, target: int) -> NDArray[np.int64]:
    """First rows of windows of `source` + `target` frames, `target` apart, none of which reaches across two spans.

    Args:
        spans: First row and the one after the last; the true segments (an oracle), or one span for the whole take.
        source: Frames read.
        target: Frames predicted.
    """
    starts = [np.arange(first, last - source - target + 1, target) for first, last in spans]
    return np.concatenate([np.empty(0, dtype=np.int64), *starts]).astype(np.int64)


def decode_spans(model: TiedSeq2Seq, frames: NDArray[np.floating], spans: Sequence[Span]) -> States:
    """Decode windows that slide through each span by as many frames as are predicted.

    Args:
        model: In eval mode.
        frames: ``(T, C)`` channels, not normalised.
        spans: See `window_starts`.

    Raises:
        DataError: Every span is shorter than a window.
    """
    source, target = model.settings.source, model.settings.target
    starts = window_starts(spans, source, target)
    if not len(starts):
        longest = max((last - first for first, last in spans), default=0)
        raise DataError(
            f"no window of {source} + {target} frames fits (the longest stretch has {longest}); read or predict fewer"
        )
    with torch.no_grad():
        clip = model.normalise(torch.from_numpy(np.asarray(frames, dtype=np.float32)).to(model.mean.device))
        rows = torch.from_numpy(starts[:, None] + np.arange(source)).to(clip.device)
        states = decode(model, clip[rows], target).states
    where = (starts[:, None] + source + np.arange(target)).ravel()
    return States(where, states.reshape(len(where), -1))


def fill_nearest(labels: NDArray[np.int64], decoded: NDArray[np.int64], length: int) -> NDArray[np.int64]:
    """Labels of all `length` rows: each row takes that of the decoded row nearest in time, the earlier of two.

    Args:
        labels: ``(K,)``.
        decoded: ``(K,)`` rising rows that have them.
        length: T.
    """
    edges = (decoded[1:] + decoded[:-1]) / 2
    return labels[np.searchsorted(edges, np.arange(length))]


def fill_per_span(
    labels: NDArray[np.int64], decoded: NDArray[np.int64], length: int, spans: Sequence[Span]
) -> NDArray[np.int64]:
    """As `fill_nearest`, but each row takes its label from its own span: with true segments for spans, an ORACLE.

    A span without any decoded row takes the label that is nearest in time.
    """
    filled = fill_nearest(labels, decoded, length)
    for first, last in spans:
        mine = (decoded >= first) & (decoded < last)
        if mine.any():
            filled[first:last] = fill_nearest(labels[mine], decoded[mine] - first, last - first)
    return filled
