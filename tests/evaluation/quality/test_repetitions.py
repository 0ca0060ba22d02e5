"""Whether repetitions come true as often as they are said to be probable: who is counted, and what is right."""

from __future__ import annotations

import numpy as np
import pytest
from kineseg import EndReason, Event, LabelsMerged, Segmentation, SegmentClosed, Summary
from kineseg.motion import Recording

from evaluation.quality.calibration import repetition_reliability
from evaluation.quality.stream import AnnotatedStream

ACTIONS = [0, 1, 0, 1, 2]
EACH = 10


def stream(ignore: tuple[tuple[int, int], ...] = (), *, annotated: bool = True) -> AnnotatedStream:
    labels = np.repeat(ACTIONS, EACH)
    recording = Recording(np.zeros((len(labels), 2)), 10.0, ("a", "b"))
    return AnnotatedStream("made", "up", recording, np.zeros((0, 3)), labels if annotated else None, ignore=ignore)


def closed(number: int, label: int, probability: float) -> SegmentClosed:
    start, end = number * EACH, (number + 1) * EACH
    return SegmentClosed(
        seq=number + 1, frame=start, time_s=start / 10, decided_frame=end, decided_time_s=end / 10,
        segment_id=number, label=label, start_frame=start, end_frame=end, start_time_s=start / 10,
        end_time_s=end / 10, repeat_probability=probability,
    )  # fmt: skip


def merged(label: int, into: int) -> LabelsMerged:
    return LabelsMerged(seq=99, frame=0, time_s=0.0, decided_frame=0, decided_time_s=0.0, label=label, into=into)


def result(*events: Event) -> Segmentation:
    frames = len(ACTIONS) * EACH
    summary = Summary(
        seq=100, frame=frames - 1, time_s=0.0, decided_frame=frames - 1, decided_time_s=0.0, frames=frames,
        duration_s=frames / 10, segments=len(ACTIONS), labels=2, anomalies=0, filled_frames=0,
        reason=EndReason.COMPLETED,
    )  # fmt: skip
    return Segmentation.from_items([*events, summary], rate=10.0, n_frames=frames)


def test_only_labels_that_were_there_before_are_counted() -> None:
    right, wrong = closed(2, 0, 0.95), closed(4, 1, 0.75)
    found = repetition_reliability([(stream(), result(closed(0, 0, 0.0), closed(1, 1, 0.3), right, wrong))])
    assert found is not None
    assert found.total == 2
    assert (found.counts[9], found.confirmed[9]) == (1, 1.0)
    assert (found.counts[7], found.confirmed[7]) == (1, 0.0)
    assert found.error == pytest.approx((0.05 + 0.75) / 2)


def test_a_merged_label_stands_for_both() -> None:
    events = (closed(0, 0, 0.0), closed(1, 1, 0.1), closed(2, 2, 0.1), merged(2, 0), closed(4, 0, 0.85))
    found = repetition_reliability([(stream(), result(*events))])
    assert found is not None
    assert (found.counts[8], found.confirmed[8]) == (1, 0.0)


def test_what_no_one_labelled_counts_nowhere() -> None:
    events = result(closed(0, 0, 0.0), closed(2, 0, 0.9))
    assert repetition_reliability([(stream(ignore=((20, 30),)), events)]) is None
    assert repetition_reliability([(stream(annotated=False), events)]) is None
