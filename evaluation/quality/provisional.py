"""What a stream's events said early: its provisional boundaries, and what a display showed as time went by."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from kineseg import Event, LabelsMerged, SegmentClosed, SegmentRetracted, SegmentStarted, SegmentUpdated
from numpy.typing import NDArray

from evaluation.quality.scores import Prediction

SHOWN_AFTER_S = 1.0


def as_first_emitted(events: Sequence[Event], n_frames: int, rate: float) -> Prediction:
    """Every segment where and when it was first emitted, whatever became of it.

    A boundary is where a segment was first said to begin, so one that was retracted later is a false one, and one that
    was moved later counts where it was. Segments that were confirmed at once count as emitted then. Labels are those of
    `shown_labels`.
    """
    pairs = [(event.frame, event.decided_frame) for event in events if isinstance(event, SegmentStarted)]
    return Prediction.of(pairs, n_frames, shown_labels(events, n_frames, rate))


def shown_labels(
    events: Sequence[Event], n_frames: int, rate: float, after_s: float = SHOWN_AFTER_S
) -> NDArray[np.int64]:
    """``(T,)`` the label that a display shows for every frame `after_s` later (at the stream's end if that is sooner).

    A display paints each frame as the latest segment begun by then that has not been retracted. Once two labels are
    merged it shows one of them for both.
    """
    display = _Display()
    labels = np.full(n_frames, -1, dtype=np.int64)
    pending = sorted(events, key=lambda event: event.decided_frame)
    done = 0
    wait = round(after_s * rate)
    for frame in range(n_frames):
        now = min(frame + wait, n_frames - 1)
        while done < len(pending) and pending[done].decided_frame <= now:
            display.add(pending[done])
            done += 1
        labels[frame] = display.label_at(frame)
    return labels


class _Display:
    """The segments as they are known at one moment."""

    def __init__(self) -> None:
        self._segments: dict[int, tuple[int, int]] = {}  # id -> first frame, label
        self._into: dict[int, int] = {}

    def add(self, event: Event) -> None:
        match event:
            case SegmentStarted() | SegmentUpdated():
                self._segments[event.segment_id] = event.frame, event.label
            case SegmentClosed():
                self._segments[event.segment_id] = event.start_frame, event.label
            case SegmentRetracted():
                self._segments.pop(event.segment_id, None)
            case LabelsMerged():
                self._into[event.label] = event.into

    def label_at(self, frame: int) -> int:
        begun = [(start, segment_id) for segment_id, (start, _) in self._segments.items() if start <= frame]
        if not begun:
            return -1
        label = self._segments[max(begun)[1]][1]
        while label in self._into:
            label = self._into[label]
        return label
