"""Anomalies of what a source sends, through a real server: raised, named and cleared, however it is sent."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from kineseg.motion import Joints, Recording, generate
from kineseg.v1 import segmentation_pb2 as pb
from kineseg_service.api.joints import joints_message

from tests.core.promises import anomalies
from tests.same_events import content
from tests.service.talk import F32, Call, Stub, chunk, config, cut, events, segment

KINDS = ("anomaly", "anomaly_updated", "anomaly_cleared")
RATE = 30.0
FROZEN, SPIKE, GAP = (600, 690), 810, (930, 945)
"""Of a wrist, the head and the whole source, in frames."""


@cache
def moving() -> Recording:
    return generate(3, duration_s=40, rate=RATE, noise=0.002)


def faulty() -> F32:
    """A body: a wrist freezes and the head jumps."""
    recording = moving()
    assert recording.positions is not None
    positions = recording.positions.astype("<f4")
    wrist, head = (recording.joints.index(name) for name in ("right_wrist", "head"))
    positions[slice(*FROZEN), wrist] = positions[FROZEN[0], wrist]
    positions[SPIKE, head] += 0.5
    return positions.reshape(len(positions), -1)


def of_body(stub: Stub, frames: F32, sizes: list[int], **fields: object) -> list[pb.Event]:
    """What is emitted about a body, of which the frames of the gap do not come."""
    joints = joints_message(Joints.of(moving()))
    before, after = list(cut(frames[: GAP[0]], sizes)), list(cut(frames[GAP[1] :], sizes))
    for request in after:
        request.chunk.first_frame += GAP[1]
    return events(segment(stub, [*before, *after], RATE, model="scratch", joints=joints, **fields))


def of_anomalies(emitted: list[pb.Event]) -> list[pb.Event]:
    return [event for event in emitted if event.WhichOneof("detail") in KINDS]


def cleared(emitted: list[pb.Event]) -> list[pb.Event]:
    return [event for event in emitted if event.HasField("anomaly_cleared")]


def test_faults_of_a_body_are_raised_named_and_cleared(stub: Stub) -> None:
    emitted = of_body(stub, faulty(), [])
    assert anomalies(emitted) == emitted[-1].summary.anomalies == 3
    frozen, spike, gap = cleared(emitted)

    detail = frozen.anomaly_cleared
    assert detail.anomaly_kind == pb.ANOMALY_KIND_FROZEN
    assert (list(detail.joints), list(detail.channels)) == (["right_wrist"], [])
    assert detail.text == "right wrist frozen for 3.0 s"
    assert abs(frozen.frame - FROZEN[0]) <= 3
    assert detail.end_frame == FROZEN[1]
    assert detail.duration_s == pytest.approx(detail.end_time_s - frozen.time_s)
    assert detail.severity > 1000
    raised = next(event for event in emitted if event.HasField("anomaly"))
    assert raised.decided_time_s - FROZEN[0] / RATE < 0.4

    detail = spike.anomaly_cleared
    assert (detail.anomaly_kind, list(detail.joints)) == (pb.ANOMALY_KIND_SPIKE, ["head"])
    assert spike.frame == SPIKE

    detail = gap.anomaly_cleared
    assert (detail.anomaly_kind, list(detail.joints)) == (pb.ANOMALY_KIND_GAP, [])
    assert GAP[0] - 1 <= gap.frame <= GAP[0]
    kinds = [event.WhichOneof("detail") for event in emitted]
    assert kinds.count("gap") == 1, "what was filled is said as before"


@pytest.mark.parametrize("sizes", [[1] * 200, [930], [599, 1, 91, 7]])
def test_neither_chunks_nor_decisions_change_an_anomaly(stub: Stub, sizes: list[int]) -> None:
    expected = of_anomalies(content(of_body(stub, faulty(), [])))
    for decisions in (pb.DECISIONS_ALL, pb.DECISIONS_FINAL, pb.DECISIONS_PROVISIONAL):
        found = of_anomalies(content(of_body(stub, faulty(), sizes, decisions=decisions)))
        for event in (*found, *expected):
            event.ClearField("seq")  # counts what is emitted
        assert found == expected


def test_a_stalled_source_of_channels_is_one_anomaly_of_all_of_them(stub: Stub) -> None:
    t = np.arange(900) / RATE
    random = np.random.default_rng(1)
    frames = np.stack([np.sin(2 * np.pi * (0.3 + 0.1 * c) * t + c) for c in range(6)], axis=1)
    frames = (frames + 0.05 * random.standard_normal(frames.shape)).astype("<f4")
    frames[600:690] = frames[600]
    channels = [f"c{i}" for i in range(6)]
    emitted = events(segment(stub, cut(frames), RATE, model="scratch", channels=channels))
    assert anomalies(emitted) == 1
    (over,) = cleared(emitted)
    detail = over.anomaly_cleared
    assert (detail.anomaly_kind, list(detail.channels)) == (pb.ANOMALY_KIND_STALLED, [])
    assert detail.text == "the source repeats one frame for 3.0 s"
    assert abs(over.frame - 600) <= 1
    assert detail.end_frame == 690


def test_one_that_goes_on_to_the_end_is_cleared_before_the_summary(stub: Stub) -> None:
    frames = faulty()[: FROZEN[0] + 45]
    joints = joints_message(Joints.of(moving()))
    emitted = events(segment(stub, cut(frames), RATE, model="scratch", joints=joints))
    assert anomalies(emitted) == 1
    (over,) = cleared(emitted)
    assert (over.decided_frame, over.anomaly_cleared.end_frame) == (len(frames) - 1, len(frames))
    assert over.anomaly_cleared.end_time_s == pytest.approx(len(frames) / RATE)
    assert emitted[-1].HasField("summary")


def test_a_gap_that_cuts_the_stream_clears_nothing(stub: Stub) -> None:
    frames = faulty()
    joints = joints_message(Joints.of(moving()))
    requests = [chunk(0, frames[:630]), chunk(1000, frames[630:])]
    emitted = events(segment(stub, requests, RATE, model="scratch", joints=joints))
    kinds = [event.WhichOneof("detail") for event in emitted]
    assert kinds.index("anomaly") < kinds.index("gap") < kinds.index("anomaly_cleared")
    anomalies(emitted)


def test_the_budget_is_the_clients_or_the_servers_and_said(stub: Stub) -> None:
    for asked, in_force in ((0.0, 2.0), (6.0, 6.0)):
        call = Call(stub, config(session_id="watched", alarms_per_hour=asked))
        assert call.opened().alarms_per_hour == in_force
        session = stub.GetSession(pb.GetSessionRequest(session_id="watched")).session
        assert session.alarms_per_hour == in_force
        assert session.reports_per_hour == 0.0
        assert list(session.warming_up) == sorted(session.warming_up, key=list(session.warming_up).index)
        assert session.warming_up, "nothing has come yet"
        call.cancel()
        call.failure()


def test_reports_are_asked_for_and_said(stub: Stub) -> None:
    call = Call(stub, config(session_id="reported", reports_per_hour=30.0))
    assert call.opened().reports_per_hour == 30.0
    session = stub.GetSession(pb.GetSessionRequest(session_id="reported")).session
    assert session.reports_per_hour == 30.0
    assert "behaviour" in session.warming_up
    call.cancel()
    call.failure()
