"""What a stream has taught about its source: given back by a real server, and taken by the next stream."""

from __future__ import annotations

import json

import numpy as np
from kineseg.motion import Joints, generate
from kineseg.v1 import segmentation_pb2 as pb
from kineseg_service.api.joints import joints_message

from tests.same_events import content
from tests.service.conftest import Serve
from tests.service.talk import F32, Call, Stub, config, cut, kinds, motion, segment, until

RATE = 30.0
BODY = generate(3, duration_s=40, rate=RATE, noise=0.002)
JOINTS = joints_message(Joints.of(BODY))


def positions(seed: int = 3, duration_s: float = 40.0) -> F32:
    recording = generate(seed, duration_s=duration_s, rate=RATE, noise=0.002)
    assert recording.positions is not None
    return recording.positions.astype("<f4")


def of_body(stub: Stub, frames: F32, **fields: object) -> list[pb.SegmentResponse]:
    rows = frames.reshape(len(frames), -1)
    return segment(stub, cut(rows), RATE, model="scratch", joints=JOINTS, **fields)


def profiles(responses: list[pb.SegmentResponse]) -> list[str]:
    return [response.profile.json for response in responses if response.HasField("profile")]


def test_the_next_session_of_a_rig_is_watched_after_two_seconds(stub: Stub) -> None:
    [profile] = profiles(of_body(stub, positions(), return_profile=True))
    frames = positions(4, 6.0)
    frames[120:150, BODY.joints.index("right_wrist"), 1] += 0.4  # from 4 s on
    assert "anomaly" not in kinds(of_body(stub, frames)), "ten seconds have not passed"
    assert "anomaly" in kinds(of_body(stub, frames, profile=profile))


def test_a_profile_comes_once_before_the_summary_and_is_no_event(stub: Stub) -> None:
    frames = motion(600)
    without = segment(stub, cut(frames))
    with_it = segment(stub, cut(frames), return_profile=True)
    [profile] = profiles(with_it)
    assert json.loads(profile)["source"] == {"names": ["c0", "c1", "c2"], "parents": None, "rate_hz": 30.0}
    assert with_it[-2].HasField("profile")
    assert with_it[-1].event.HasField("summary")
    [*_, same] = with_it.pop(-2), *with_it
    assert same.event.HasField("summary")
    assert content(with_it)[1:] == content(without)[1:]


def test_the_same_frames_teach_the_same_however_they_are_chunked(stub: Stub) -> None:
    frames = motion(600)
    taught = {profiles(segment(stub, cut(frames, sizes), return_profile=True))[0] for sizes in ([], [1] * 600, [599])}
    assert len(taught) == 1


def test_an_open_session_gives_its_profile_when_asked(stub: Stub) -> None:
    call = Call(stub, config(session_id="rig"))
    call.opened()
    call.send(*cut(motion(600)))
    until(lambda: stub.GetSession(pb.GetSessionRequest(session_id="rig")).session.frames_processed == 600, "all is in")
    assert not stub.GetSession(pb.GetSessionRequest(session_id="rig")).profile
    profile = stub.GetSession(pb.GetSessionRequest(session_id="rig", with_profile=True)).profile
    call.half_close()
    call.rest()
    assert profiles(segment(stub, cut(motion(600)), return_profile=True)) == [profile]
    assert segment(stub, cut(motion(60)), profile=profile)[-1].event.HasField("summary")


def test_a_stream_that_is_ended_from_elsewhere_gives_its_profile_too(serve: Serve) -> None:
    with serve() as (server, stub):
        call = Call(stub, config(return_profile=True))
        call.opened()
        call.send(*cut(motion(300)))
        assert call.read_ack()
        server.stop()
        rest = call.rest()
        call.half_close()
    assert len(profiles(rest)) == 1
    assert rest[-1].event.summary.reason == pb.END_REASON_DRAINED


def test_what_a_stream_learns_goes_on_from_its_profile(stub: Stub) -> None:
    frames = motion(600)
    [first] = profiles(segment(stub, cut(frames), return_profile=True))
    [second] = profiles(segment(stub, cut(frames), profile=first, return_profile=True))
    learnt = [json.loads(profile)["learnt_s"] for profile in (first, second)]
    assert learnt[1] > 1.5 * learnt[0]
    assert np.isfinite(learnt).all()
