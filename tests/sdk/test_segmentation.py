"""`segment` and what it returns: which frames are sent, and how the answers become rows per frame."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import kineseg
import numpy as np
import pytest
from kineseg.motion import CANONICAL_CHANNELS, Recording, canonical_pose, generate
from kineseg.v1 import segmentation_pb2 as pb

from tests.same_events import content


def closed(seq: int, segment_id: int, label: int, start: int, end: int, decided: int) -> pb.Event:
    segment = pb.SegmentClosed(segment_id=segment_id, label=label, start_frame=start, end_frame=end)
    return pb.Event(seq=seq, frame=start, decided_frame=decided, segment_closed=segment)


@pytest.fixture
def two_segments(scripted: Any, script: ModuleType) -> Any:
    """Cuts every stream in the middle, provisional first, as is something else; keeps what it was sent."""

    def cut(requests: Any, context: Any) -> Iterator[pb.SegmentResponse]:
        scripted.config = next(requests).config
        scripted.received = []
        scripted.times = []
        sent = scripted.config.channels or scripted.model.channels
        width = 3 * len(scripted.config.joints.names) or len(sent)
        yield script.opened(tuple(scripted.model.channels))
        for request in requests:
            scripted.received.append(np.frombuffer(request.chunk.data, "<f4").reshape(-1, width))
            scripted.times += request.chunk.capture_times_ns
            yield script.ack(request.chunk, width)
        end = sum(map(len, scripted.received))
        half = end // 2
        perhaps = pb.SegmentStarted(segment_id=2, label=6, confidence=0.75)
        surely = pb.SegmentUpdated(segment_id=2, label=6, confidence=1, confirmed=True)
        yield script.started(1)
        for event in (
            pb.Event(seq=2, frame=1, decided_frame=2, segment_started=pb.SegmentStarted(segment_id=1, confidence=0.25)),
            pb.Event(seq=3, frame=1, decided_frame=3, segment_retracted=pb.SegmentRetracted(segment_id=1)),
            pb.Event(seq=4, frame=half - 1, decided_frame=half, segment_started=perhaps),
            pb.Event(seq=5, frame=half, decided_frame=half + 3, segment_updated=surely),
            closed(6, 0, 5, 0, half, half + 3),
            pb.Event(seq=7, frame=half + 1, decided_frame=half + 4, labels_merged=pb.LabelsMerged(label=6, into=7)),
            pb.Event(seq=8, frame=half + 1, decided_frame=half + 5, labels_merged=pb.LabelsMerged(label=7, into=5)),
            closed(9, 2, 6, half, end, end + 3),
        ):
            yield pb.SegmentResponse(event=event)
        yield pb.SegmentResponse(frame_result=pb.FrameResult(frame=1, embedding=[1, 2]))
        yield script.summary(10)

    scripted.segment = cut
    return scripted


def test_an_array_is_segmented(two_segments: Any, connect: Any, tmp_path: Path) -> None:
    frames = np.random.default_rng(0).normal(size=(5001, 3)).astype(np.float32)
    found = connect(two_segments.address).segment(
        frames,
        rate=120,
        channels=("c1", "c0", "c2"),
        latency_s=2,
        boundary_threshold=0.6,
        alarms_per_hour=6,
        reports_per_hour=30,
    )
    np.testing.assert_array_equal(np.concatenate(two_segments.received), frames)
    assert two_segments.config == pb.StreamConfig(
        model="scripted",
        channels=["c1", "c0", "c2"],
        frame_rate_hz=120,
        latency_s=2,
        boundary_threshold=0.6,
        alarms_per_hour=6,
        reports_per_hour=30,
        decisions=pb.DECISIONS_ALL,
        resumable=True,
    )
    assert (found.rate, found.n_frames) == (120, 5001)
    assert [(s.segment_id, s.label, s.start_frame, s.end_frame) for s in found.segments] == [
        (0, 5, 0, 2500),
        (2, 6, 2500, 5001),
    ]
    assert found.boundaries == (2500,)
    assert found.decided_frames == (2503,)
    assert [event.seq for event in found.events] == list(range(1, 11))
    assert found.summary == found.events[-1]
    np.testing.assert_array_equal(found.labels(), np.repeat([5, 6], [2500, 2501]))
    np.testing.assert_array_equal(found.segment_ids(), np.repeat([0, 2], [2500, 2501]))
    assert [result.frame for result in found.frame_results] == [1]

    found.to_csv(tmp_path / "labels.csv")
    with (tmp_path / "labels.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows[:2] == [["frame", "segment_id", "label"], ["0", "0", "5"]]
    assert rows[2501] == ["2500", "2", "6"]
    assert len(rows) == 5002

    found.to_jsonl(tmp_path / "events.jsonl")
    lines = (tmp_path / "events.jsonl").read_text().splitlines()
    assert tuple(kineseg.event_from_dict(json.loads(line)) for line in lines) == found.events


def test_provisional_segments_say_what_became_of_them(two_segments: Any, connect: Any) -> None:
    found = connect(two_segments.address).segment(np.zeros((100, 3)), rate=30)
    assert found.provisional == (
        kineseg.ProvisionalSegment(
            segment_id=1,
            frame=1,
            time_s=0,
            decided_frame=2,
            decided_time_s=0,
            label=0,
            confidence=0.25,
            outcome="retracted",
            outcome_frame=3,
        ),
        kineseg.ProvisionalSegment(
            segment_id=2,
            frame=49,
            time_s=0,
            decided_frame=50,
            decided_time_s=0,
            label=6,
            confidence=0.75,
            outcome="confirmed",
            outcome_frame=53,
            confirmed_frame=50,
        ),
    )
    assert found.provisional == kineseg.provisional_segments(found.events)
    (open_still,) = kineseg.provisional_segments(found.events[3:4])
    assert (open_still.outcome, open_still.outcome_frame, open_still.confirmed_frame) == ("open", None, None)


def test_merged_labels_are_replaced_only_where_that_is_asked_for(two_segments: Any, connect: Any) -> None:
    found = connect(two_segments.address).segment(np.zeros((100, 3)), rate=30)
    assert [(merge.label, merge.into) for merge in found.merges] == [(6, 7), (7, 5)]
    assert [segment.label for segment in found.segments] == [5, 6]
    np.testing.assert_array_equal(found.labels(), np.repeat([5, 6], 50))
    np.testing.assert_array_equal(found.labels(merged=True), np.full(100, 5))


def test_frames_of_no_segment_have_no_label(connect: Any, scripted: Any) -> None:
    found = connect(scripted.address).segment(np.zeros((7, 3)), rate=30)
    assert found.segments == found.boundaries == found.decided_frames == ()
    assert found.labels().tolist() == found.segment_ids().tolist() == [-1] * 7


def test_an_array_of_no_frames_is_a_stream_of_none(connect: Any, scripted: Any) -> None:
    found = connect(scripted.address).segment(np.zeros((0, 3)), rate=30)
    assert found.labels().shape == (0,)


def test_a_recording_brings_its_rate_channels_and_times(two_segments: Any, connect: Any) -> None:
    frames = np.random.default_rng(1).normal(size=(50, 3))
    times = 100 + np.arange(50) / 25
    recording = Recording(frames=frames, rate=25, channels=("c2", "c1", "c0"), timestamps=times)
    connect(two_segments.address).segment(recording)
    assert two_segments.config.frame_rate_hz == 25
    assert list(two_segments.config.channels) == ["c2", "c1", "c0"]
    np.testing.assert_array_equal(np.concatenate(two_segments.received), frames.astype(np.float32))
    assert two_segments.times == [100 * 10**9 + i * 40_000_000 for i in range(50)]


def test_sending_in_real_time_changes_nothing_but_the_pace(two_segments: Any, connect: Any) -> None:
    frames = np.random.default_rng(2).normal(size=(200, 3))
    client = connect(two_segments.address)
    quick = client.segment(frames, rate=1000)
    assert len(two_segments.received) == 1
    live = client.segment(frames, rate=1000, realtime=True)
    assert [len(chunk) for chunk in two_segments.received] == [50] * 4
    assert live.segments == quick.segments
    assert content(live.events) == content(quick.events)


@pytest.mark.parametrize("channels", [CANONICAL_CHANNELS, ()], ids=["canonical poses", "any channels"])
def test_joints_are_sent_where_the_model_wants_poses(
    two_segments: Any, connect: Any, script: ModuleType, channels: tuple[str, ...]
) -> None:
    two_segments.model = script.model(channels)
    recording = generate(seed=1, duration_s=4, rate=60)
    assert recording.positions is not None
    assert recording.skeleton is not None
    found = connect(two_segments.address).segment(recording)
    joints = two_segments.config.joints
    assert not two_segments.config.channels
    assert tuple(joints.names) == recording.joints
    assert tuple(joints.parents) == recording.skeleton.parents
    assert tuple(joints.offsets) == tuple(recording.skeleton.offsets.ravel())
    assert joints.up_axis == pb.UP_AXIS_Y
    expected = recording.positions.reshape(recording.n_frames, -1).astype(np.float32)
    np.testing.assert_array_equal(np.concatenate(two_segments.received), expected)
    assert found.n_frames == recording.n_frames


def test_canonical_poses_are_sent_as_they_are(two_segments: Any, connect: Any, script: ModuleType) -> None:
    two_segments.model = script.model(CANONICAL_CHANNELS)
    pose = canonical_pose(generate(seed=1, duration_s=4, rate=60))
    connect(two_segments.address).segment(pose)
    assert tuple(two_segments.config.channels) == CANONICAL_CHANNELS
    assert not two_segments.config.HasField("joints")
    np.testing.assert_array_equal(np.concatenate(two_segments.received), pose.frames.astype(np.float32))


def test_joints_that_no_stream_can_have_are_sent_as_canonical_pose(
    two_segments: Any, connect: Any, script: ModuleType
) -> None:
    two_segments.model = script.model(CANONICAL_CHANNELS)
    recording = replace(generate(seed=1, duration_s=1, rate=60), skeleton=None)
    assert recording.positions is not None
    many = np.concatenate([recording.positions, np.zeros((recording.n_frames, 500, 3))], axis=1)
    markers = tuple(f"marker {i}" for i in range(500))
    connect(two_segments.address).segment(replace(recording, positions=many, joints=(*recording.joints, *markers)))
    expected = canonical_pose(recording).frames.astype(np.float32)
    np.testing.assert_array_equal(np.concatenate(two_segments.received), expected)


def test_what_is_no_body_sends_its_channels_where_any_will_do(
    two_segments: Any, connect: Any, script: ModuleType
) -> None:
    two_segments.model = script.model(())
    frames = np.random.default_rng(0).normal(size=(50, 2))
    crane = Recording(
        frames=frames, rate=25, channels=("turn", "lift"), positions=np.zeros((50, 2, 3)), joints=("base", "hook")
    )
    connect(two_segments.address).segment(crane)
    assert tuple(two_segments.config.channels) == ("turn", "lift")
    np.testing.assert_array_equal(np.concatenate(two_segments.received), frames.astype(np.float32))


def test_a_recording_of_something_else_is_refused_with_both_sides_named(connect: Any, scripted: Any) -> None:
    recording = Recording(frames=np.zeros((5, 2)), rate=25, channels=("c0", "voltage"), name="take 3")
    with pytest.raises(kineseg.WrongChannels, match=r"take 3.*scripted.*c1, c2.*voltage") as caught:
        connect(scripted.address).segment(recording)
    assert caught.value.field == "channels"
    assert scripted.calls == ["ListModels"]


def test_an_unknown_model_is_refused_with_the_known_ones(connect: Any, scripted: Any) -> None:
    with pytest.raises(kineseg.NotFound, match=r"'dance'.*scripted") as caught:
        connect(scripted.address).segment(np.zeros((5, 3)), rate=30, model="dance")
    assert caught.value.field == "model"


@pytest.mark.parametrize(
    ("complaint", "recording", "arguments"),
    [
        ("rate=", np.zeros((5, 3)), {}),
        ("shape", np.zeros(5), {"rate": 30}),
        ("joints", np.zeros((5, 4, 3)), {"rate": 30}),
        (r"motion.read\('take.bvh'\)", "take.bvh", {}),
        ("its own rate", Recording(frames=np.zeros((5, 3)), rate=25, channels=("c0", "c1", "c2")), {"rate": 30}),
        ("chunk_s", np.zeros((5, 3)), {"rate": 30, "chunk_s": -1}),
        ("must lie within", np.full((5, 3), np.inf), {"rate": 30}),
        ("decisions must be one of 'all', 'final'", np.zeros((5, 3)), {"rate": 30, "decisions": "last"}),
    ],
)
def test_what_cannot_be_segmented_is_refused(
    complaint: str, recording: Any, arguments: dict[str, Any], connect: Any, scripted: Any
) -> None:
    with pytest.raises(kineseg.InvalidRequest, match=complaint):
        connect(scripted.address).segment(recording, **arguments)


def test_a_stream_that_has_not_ended_is_no_segmentation() -> None:
    with pytest.raises(kineseg.InvalidRequest, match="summary"):
        kineseg.Segmentation.from_items([], rate=30, n_frames=0)
