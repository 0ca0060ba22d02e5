"""Reports of behaviour in a whole stream: none unless asked for, beside alarms, and the same however it is chunked."""

from __future__ import annotations

import pickle
from functools import cache

import numpy as np
import pytest
from kineseg.motion import Joints, Recording, generate
from kineseg_core.anomalies import AnomalyClass, AnomalyKind
from kineseg_core.errors import OutOfRange
from kineseg_core.events import AnomalyCleared, AnomalyRaised, AnomalyUpdated, Event, Output, SegmentClosed, Summary
from kineseg_core.in_process import InProcessStream
from kineseg_core.opening import Opener, StreamRequest

from tests.core.in_process import opener, shipped
from tests.same_events import content

RATE = 15.0
MANY = 1000.0
Anomaly = AnomalyRaised | AnomalyUpdated | AnomalyCleared


@cache
def recording() -> Recording:
    return generate(
        seed=4, duration_s=240, rate=RATE, actions=("walk", "squat", "wave"), min_segment_s=8, max_segment_s=14
    )


def sent() -> np.ndarray:
    """Someone who does three things in turn, and whose head freezes for a while."""
    positions = recording().positions
    assert positions is not None
    positions = positions.copy()
    head = recording().channels.index("head.x") // 3
    positions[2000:2060, head] = positions[2000, head]
    return positions.reshape(len(positions), -1).astype("<f4")


def emitted(reports_per_hour: float, chunk: int, *, pickled: bool = False) -> list[Event]:
    """All that is emitted of the stream, in which some frames are lost."""
    request = StreamRequest(RATE, joints=Joints.of(recording()), reports_per_hour=reports_per_hour)
    stream = InProcessStream(opener().session(request), shipped(), opener().network)
    frames, out = sent(), list[Output]()
    for begin, end in ((0, 2400), (2440, len(frames))):
        for first in range(begin, end, chunk):
            stream.take(first, frames[first : min(first + chunk, end)].tobytes(), (), out)
            if pickled:
                stream = InProcessStream.restored(pickle.loads(pickle.dumps(stream.state)), shipped(), opener().network)
    stream.finish(out)
    return [output for output in out if isinstance(output, Event)]


@cache
def with_reports() -> list[Event]:
    return emitted(MANY, 1000)


def anomalies(events: list[Event], about: AnomalyClass) -> list[Anomaly]:
    details = [event.detail for event in events if isinstance(event.detail, Anomaly)]
    return [detail for detail in details if detail.anomaly_class is about]


def test_chunks_and_pickling_change_nothing() -> None:
    assert content(emitted(MANY, 333, pickled=True)) == content(with_reports())
    assert anomalies(with_reports(), AnomalyClass.BEHAVIOUR)


def test_there_are_no_reports_unless_asked_for_and_all_else_is_the_same() -> None:
    without = emitted(0.0, 1000)
    assert anomalies(without, AnomalyClass.BEHAVIOUR) == []
    faults = [(one.anomaly_kind, one.text) for one in anomalies(without, AnomalyClass.FAULT)]
    assert AnomalyKind.FROZEN in {kind for kind, _ in faults}
    assert faults == [(one.anomaly_kind, one.text) for one in anomalies(with_reports(), AnomalyClass.FAULT)]
    closed = [[event.detail for event in events if isinstance(event.detail, SegmentClosed)] for events in
              (without, with_reports())]  # fmt: skip
    assert closed[0] == closed[1]


def test_alarms_and_reports_have_one_numbering() -> None:
    going, numbers = set[int](), list[int]()
    for event in with_reports():
        match event.detail:
            case AnomalyRaised(anomaly_id=number):
                numbers.append(number)
                going.add(number)
            case AnomalyUpdated(anomaly_id=number):
                assert number in going
            case AnomalyCleared(anomaly_id=number):
                going.remove(number)
            case Summary(anomalies=count):
                assert count == len(numbers)
    assert numbers == list(range(1, len(numbers) + 1))
    assert not going
    classes = {
        detail.anomaly_class for detail in (event.detail for event in with_reports()) if isinstance(detail, Anomaly)
    }
    assert classes == {AnomalyClass.FAULT, AnomalyClass.BEHAVIOUR}


def test_a_report_lies_within_its_stream_and_names_joints_of_the_source() -> None:
    names = set(Joints.of(recording()).names)
    for event in with_reports():
        if isinstance(event.detail, Anomaly) and event.detail.anomaly_class is AnomalyClass.BEHAVIOUR:
            assert event.frame <= event.decided_frame
            assert event.time_s <= event.decided_time_s
            assert set(event.detail.joints) <= names
            assert event.detail.channels == ()
            assert event.detail.anomaly_kind.anomaly_class is AnomalyClass.BEHAVIOUR


def test_the_default_holds_where_a_stream_does_not_say() -> None:
    ours = Opener({}, default_reports_per_hour=30.0)
    wanted = StreamRequest(RATE, channels=("a", "b", "c"))
    assert ours.session(wanted).config.reports_per_hour == 30.0
    assert Opener({}).session(wanted).config.reports_per_hour == 0.0


@pytest.mark.parametrize("asked", [0.009, 1000.1, -2.0, float("nan")])
def test_a_budget_out_of_range_is_refused(asked: float) -> None:
    with pytest.raises(OutOfRange, match=r"reports_per_hour is .*, it must be 0\.01 to 1000") as caught:
        Opener({}).session(StreamRequest(RATE, channels=("a",), reports_per_hour=asked))
    assert caught.value.field == "reports_per_hour"
