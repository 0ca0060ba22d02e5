"""What was emitted early, in a story written by hand."""

from __future__ import annotations

import numpy as np
import pytest
from kineseg import (
    EndReason,
    Event,
    LabelsMerged,
    Segmentation,
    SegmentClosed,
    SegmentRetracted,
    SegmentStarted,
    SegmentUpdated,
    Summary,
)

from evaluation.quality.calibration import BINS, reliability
from evaluation.quality.provisional import as_first_emitted, shown_labels

RATE, FRAMES = 10.0, 200


class Story:
    """Writes events down, ten frames a second."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def _about(self, frame: int, emitted: int) -> dict[str, float]:
        return {
            "seq": len(self.events) + 1, "frame": frame, "time_s": frame / RATE, "decided_frame": emitted,
            "decided_time_s": emitted / RATE,
        }  # fmt: skip

    def start(self, number: int, frame: int, emitted: int, label: int, confidence: float = 1.0) -> None:
        self.events.append(
            SegmentStarted(
                **self._about(frame, emitted), segment_id=number, label=label, confidence=confidence,
                confirmed=confidence == 1.0,
            )
        )  # type: ignore[arg-type]  # fmt: skip

    def update(self, number: int, frame: int, emitted: int, label: int, confidence: float = 1.0) -> None:
        self.events.append(
            SegmentUpdated(
                **self._about(frame, emitted), segment_id=number, label=label, confidence=confidence,
                confirmed=confidence == 1.0,
            )
        )  # type: ignore[arg-type]  # fmt: skip

    def retract(self, number: int, frame: int, emitted: int) -> None:
        self.events.append(SegmentRetracted(**self._about(frame, emitted), segment_id=number))  # type: ignore[arg-type]

    def close(self, number: int, start: int, end: int, emitted: int, label: int) -> None:
        self.events.append(
            SegmentClosed(
                **self._about(start, emitted), segment_id=number, label=label, start_frame=start, end_frame=end,
                start_time_s=start / RATE, end_time_s=end / RATE,
            )
        )  # type: ignore[arg-type]  # fmt: skip

    def merge(self, emitted: int, label: int, into: int) -> None:
        self.events.append(LabelsMerged(**self._about(emitted, emitted), label=label, into=into))  # type: ignore[arg-type]

    def result(self) -> Segmentation:
        summary = Summary(
            **self._about(FRAMES - 1, FRAMES - 1), frames=FRAMES, duration_s=FRAMES / RATE, segments=1, labels=1,
            anomalies=0, filled_frames=0, reason=next(iter(EndReason)),
        )  # type: ignore[arg-type]  # fmt: skip
        return Segmentation.from_items([*self.events, summary], rate=RATE, n_frames=FRAMES)


@pytest.fixture
def story() -> Story:
    """Provisional at 50 and moved; provisional at 90 and retracted; emitted at 140 when it was final."""
    story = Story()
    story.start(0, 0, 0, label=0)
    story.start(1, 50, 55, label=1, confidence=0.8)
    story.update(1, 47, 70, label=2, confidence=0.9)
    story.update(1, 47, 85, label=2)
    story.close(0, 0, 47, 85, label=0)
    story.start(2, 90, 96, label=3, confidence=0.6)
    story.retract(2, 90, 120)
    story.start(3, 140, 175, label=0)
    story.close(1, 47, 140, 175, label=2)
    story.close(3, 140, 200, 199, label=0)
    return story


def test_everything_provisional_counts_where_it_was_first_emitted(story: Story) -> None:
    found = as_first_emitted(story.events, FRAMES, RATE)
    assert found.boundaries.tolist() == [50, 90, 140]
    assert found.emitted.tolist() == [55, 96, 175]


def test_a_display_shows_what_was_known_a_second_later(story: Story) -> None:
    shown = shown_labels(story.events, FRAMES, RATE)
    expected = np.zeros(FRAMES, dtype=int)
    expected[50:60] = 1  # provisional at 50, not moved yet when they were shown
    expected[60:90] = 2
    expected[90:110] = 3  # until it was retracted
    expected[110:165] = 2  # the next one was not emitted before 175
    expected[165:] = 0
    assert shown.tolist() == expected.tolist()


def test_with_more_patience_a_display_shows_more_of_what_is_final(story: Story) -> None:
    final = story.result().labels()
    shares = [float((shown_labels(story.events, FRAMES, RATE, s) == final).mean()) for s in (0.0, 1.0, 3.0, 20.0)]
    assert shares == sorted(shares)
    assert shares[0] < shares[-1] == 1.0


def test_merged_labels_are_shown_as_one_from_then_on() -> None:
    story = Story()
    story.start(0, 0, 0, label=0)
    story.start(1, 50, 50, label=1)
    story.merge(100, label=1, into=0)
    shown = shown_labels(story.events, FRAMES, RATE)
    assert np.flatnonzero(shown == 1).tolist() == list(range(50, 90))


def test_confidence_is_compared_with_what_became_of_it(story: Story) -> None:
    result = reliability([story.result(), story.result()])
    assert result is not None
    assert result.total == 4  # that which was final when first emitted was not provisional
    assert result.counts[8] == 2
    assert result.counts[6] == 2
    assert (result.confirmed[8], result.confirmed[6]) == (1.0, 0.0)
    assert result.brier == pytest.approx((0.2**2 + 0.6**2) / 2)
    assert result.error == pytest.approx((0.2 + 0.6) / 2)
    assert len(result.counts) == BINS


def test_without_provisional_segments_there_is_nothing_to_compare() -> None:
    story = Story()
    story.start(0, 0, 0, label=0)
    story.close(0, 0, FRAMES, FRAMES - 1, label=0)
    assert reliability([story.result()]) is None
