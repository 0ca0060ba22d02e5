"""An anomaly through a real server: raised, made worse and cleared, whatever the chunks and the decisions asked for."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from kineseg.v1 import segmentation_pb2 as pb

from tests.core.promises import anomalies
from tests.same_events import content
from tests.service.talk import F32, Stub, chunk, cut, events, motion, segment

KINDS = ("anomaly", "anomaly_updated", "anomaly_cleared")


def wild(first: int, last: int, frames: int = 900) -> F32:
    """A signal that is what no model expects from one frame to another, and more so towards the end of that."""
    signal = motion(frames)
    noise = np.random.default_rng(3).normal(0, 1, (last - first, 3)) * np.geomspace(1e3, 1e8, last - first)[:, None]
    signal[first:last] = noise.astype("<f4")
    return signal


def of_anomalies(emitted: list[pb.Event]) -> list[pb.Event]:
    return [event for event in emitted if event.WhichOneof("detail") in KINDS]


def test_an_anomaly_is_raised_made_worse_and_cleared(stub: Stub) -> None:
    emitted = events(segment(stub, cut(wild(500, 600))))
    assert anomalies(emitted) == emitted[-1].summary.anomalies == 1
    raised, *worse, cleared = of_anomalies(emitted)
    assert (raised.frame, raised.decided_frame) == (500, 500)
    assert (raised.anomaly.anomaly_id, raised.anomaly.threshold) == (1, 5.5)
    assert len(worse) >= 1
    assert all(b.decided_frame - a.decided_frame >= 30 for a, b in itertools.pairwise([raised, *worse]))
    over = cleared.anomaly_cleared
    assert 599 <= over.end_frame <= 610
    assert over.end_frame < cleared.decided_frame
    assert over.duration_s == pytest.approx(over.end_time_s - cleared.time_s)
    assert over.end_time_s == pytest.approx(over.end_frame / 30, abs=1e-6)
    # The only anomaly of the stream so far: once in its whole length.
    for event in (raised, *worse, cleared):
        [severity] = [getattr(event, kind).severity for kind in KINDS if event.HasField(kind)]
        assert severity == pytest.approx(event.decided_time_s / 3600)


def test_what_is_as_bad_again_is_half_as_rare(stub: Stub) -> None:
    signal = np.concatenate([wild(500, 510), wild(300, 310, 600), wild(300, 340, 600)])
    emitted = events(segment(stub, cut(signal)))
    assert anomalies(emitted) == 3
    *_, first, second, worst = (event for event in emitted if event.HasField("anomaly_cleared"))
    assert worst.anomaly_cleared.score > first.anomaly_cleared.score
    assert worst.anomaly_cleared.severity == pytest.approx(worst.decided_time_s / 3600)
    assert second.anomaly_cleared.severity <= second.decided_time_s / 3600


def test_one_that_goes_on_to_the_end_is_cleared_before_the_summary(stub: Stub) -> None:
    emitted = events(segment(stub, cut(wild(850, 900))))
    assert anomalies(emitted) == 1
    cleared = of_anomalies(emitted)[-1]
    assert (cleared.decided_frame, cleared.anomaly_cleared.end_frame) == (899, 900)
    assert emitted[-1].HasField("summary")


def test_one_that_a_gap_cuts_is_cleared_before_the_gap(stub: Stub) -> None:
    signal = wild(550, 600)
    emitted = events(segment(stub, [chunk(0, signal[:600]), chunk(900, signal[600:])]))
    assert anomalies(emitted) == 1
    kinds = [event.WhichOneof("detail") for event in emitted]
    assert kinds.index("anomaly_cleared") < kinds.index("gap")
    cleared = of_anomalies(emitted)[-1]
    assert (cleared.decided_frame, cleared.anomaly_cleared.end_frame) == (900, 600)


@pytest.mark.parametrize("sizes", [[], [1] * 50 + [550], [899], [500, 1, 99]])
def test_neither_chunks_nor_decisions_change_an_anomaly(stub: Stub, sizes: list[int]) -> None:
    expected = of_anomalies(content(events(segment(stub, cut(wild(500, 600))))))
    for decisions in (pb.DECISIONS_ALL, pb.DECISIONS_FINAL, pb.DECISIONS_PROVISIONAL):
        found = of_anomalies(content(events(segment(stub, cut(wild(500, 600), sizes), decisions=decisions))))
        for event in (*found, *expected):
            event.ClearField("seq")  # counts what is emitted
        assert found == expected
