"""Joints instead of channels: what a stream is opened with, and the shapes that its frames have."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType
from typing import Any

import kineseg
import numpy as np
import pytest
from kineseg.v1 import segmentation_pb2 as pb

NAMES = ("root", "middle", "tip")
POINTS = kineseg.Joints(names=NAMES, up="z", unit="mm")
TREE: dict[str, Any] = {"names": NAMES, "parents": (-1, 0, 1), "offsets": np.arange(9.0).reshape(3, 3) / 3}
TURNS = kineseg.Joints(**TREE, rotations="quaternions")
ANGLES = kineseg.Joints(**TREE, rotations="euler", euler_orders=("ZXY", "Y", ""))


@pytest.fixture
def hearing(scripted: Any, script: ModuleType) -> Any:
    """Keeps how the stream was opened and all the numbers that it was sent."""
    scripted.numbers = []

    def hear(requests: Any, context: Any) -> Iterator[pb.SegmentResponse]:
        scripted.config = next(requests).config
        yield script.opened()
        for request in requests:
            scripted.numbers += np.frombuffer(request.chunk.data, "<f4").tolist()
            yield script.ack(request.chunk, scripted.width)
        yield script.summary(1)

    scripted.segment = hear
    return scripted


@pytest.mark.parametrize("joints", [POINTS, TURNS, ANGLES], ids=["positions", "quaternions", "angles"])
def test_the_server_hears_of_the_joints_and_gets_their_numbers(
    joints: kineseg.Joints, connect: Any, hearing: Any
) -> None:
    hearing.width = joints.width
    rows = np.random.default_rng(0).normal(size=(7, joints.width)).astype(np.float32)
    with connect(hearing.address).stream(rate=100, joints=joints) as stream:
        if joints is POINTS:
            stream.send(rows[:6].reshape(6, 3, 3))
            stream.send(rows[6].reshape(3, 3))
        else:
            stream.send(rows[:6])
            stream.send(rows[6])
    assert hearing.numbers == rows.ravel().tolist()
    sent = hearing.config.joints
    assert tuple(sent.names) == NAMES
    if joints is POINTS:
        assert (sent.up_axis, sent.unit, sent.rotations) == (pb.UP_AXIS_Z, pb.LENGTH_UNIT_MILLIMETRES, 0)
        assert [*sent.parents, *sent.offsets, *sent.mapping, *sent.euler_orders] == []
    else:
        assert list(sent.parents) == [-1, 0, 1]
        assert list(sent.offsets) == [i / 3 for i in range(9)]  # none of its digits is lost
        assert (sent.rotations, list(sent.euler_orders)) == (
            (pb.ROTATIONS_QUATERNIONS, []) if joints is TURNS else (pb.ROTATIONS_EULER_DEGREES, ["ZXY", "Y", ""])
        )


@pytest.mark.parametrize(
    ("joints", "shape", "message"),
    [
        (POINTS, (5, 9), r"joints root to tip have shape \(frames, 3, 3\), or \(3, 3\) for one frame; got \(5, 9\)"),
        (POINTS, (5, 4, 3), r"got \(5, 4, 3\)"),
        (POINTS, (3,), r"got \(3,\)"),
        (TURNS, (5, 3, 4), r"have shape \(frames, 15\), or \(15,\) for one, see Joints.rows; got \(5, 3, 4\)"),
        (ANGLES, (5, 9), r"\(frames, 7\)"),
    ],
)
def test_another_shape_is_refused_and_the_stream_goes_on(
    joints: kineseg.Joints, shape: tuple[int, ...], message: str, connect: Any, hearing: Any
) -> None:
    hearing.width = joints.width
    with connect(hearing.address).stream(rate=100, joints=joints) as stream:
        with pytest.raises(kineseg.WrongChannels, match=message) as caught:
            stream.send(np.ones(shape))
        assert caught.value.field == "frames"
    assert hearing.numbers == []


def test_numbers_that_cannot_be_name_the_joint(connect: Any, hearing: Any) -> None:
    hearing.width = 9
    points, turns = np.zeros((4, 3, 3)), np.ones((4, 15))
    points[2, 1, 2] = np.inf
    turns[3, 3:7] = 0.0
    turns[:, 11:15] = 0.0  # nothing hangs on the tip
    for joints, frames, message in (
        (POINTS, points, r"frame 2 of those sent: channel 'middle\.z' is inf"),
        (TURNS, turns, "frame 3 of those sent: the quaternion of joint 'root' has length 0"),
    ):
        with connect(hearing.address).stream(rate=100, joints=joints) as stream:
            with pytest.raises(kineseg.InvalidRequest, match=message) as caught:
                stream.send(frames)
            assert caught.value.field == "frames"
    assert hearing.numbers == []


def test_a_stream_has_channels_or_joints(connect: Any, scripted: Any) -> None:
    client = connect(scripted.address)
    for choices, message in (
        ({"joints": POINTS, "channels": ["a"]}, "not both"),
        ({"joints": NAMES}, "kineseg.Joints"),
    ):
        with pytest.raises(kineseg.InvalidRequest, match=message) as caught:
            client.stream(rate=100, **choices)
        assert caught.value.field == "joints"
    assert scripted.calls == []


def test_what_a_session_was_opened_with_is_read_back(connect: Any, scripted: Any) -> None:
    from kineseg._joints import joints_from_wire, joints_to_wire

    mapped = kineseg.Joints(names=NAMES, mapping={"hips": "root"}, unit="in")
    for joints in (POINTS, TURNS, ANGLES, mapped):
        assert joints_from_wire(joints_to_wire(joints)) == joints
    newer = joints_to_wire(ANGLES)
    newer.rotations = 99  # type: ignore[assignment]
    assert joints_from_wire(newer).rotations == "none"
