"""Streams of joints, as a client in any language sends them: messages and packed numbers, no kinematics."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import grpc
import kineseg
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kineseg.motion import Joints, canonical_pose, generate, inject
from kineseg.v1 import segmentation_pb2 as pb
from kineseg_service.server import BackgroundServer
from numpy.typing import NDArray

from tests.same_events import content
from tests.service.conftest import Serve
from tests.service.talk import F32, Call, Stub, chunk, config, cut, events, kinds, segment, status_of

Array = NDArray[np.float64]
RATE = 30.0

# A body as capture software gives it, in centimetres: parents before children, the end of each limb without rotation.
BODY: list[tuple[str, int, tuple[float, float, float]]] = [
    ("Hips", -1, (0, 0, 0)), ("Spine", 0, (0, 12, 0)), ("Spine1", 1, (0, 20, 0)), ("Neck", 2, (0, 18, 0)),
    ("Head", 3, (0, 10, 0)), ("LeftArm", 2, (18, 12, 0)), ("LeftForeArm", 5, (28, 0, 0)), ("LeftHand", 6, (25, 0, 0)),
    ("RightArm", 2, (-18, 12, 0)), ("RightForeArm", 8, (-28, 0, 0)), ("RightHand", 9, (-25, 0, 0)),
    ("LeftUpLeg", 0, (9, -5, 0)), ("LeftLeg", 11, (0, -42, 0)), ("LeftFoot", 12, (0, -40, 0)),
    ("LeftToeBase", 13, (0, -6, 14)), ("RightUpLeg", 0, (-9, -5, 0)), ("RightLeg", 15, (0, -42, 0)),
    ("RightFoot", 16, (0, -40, 0)), ("RightToeBase", 17, (0, -6, 14)),
]  # fmt: skip
NAMES = [name for name, *_ in BODY]
PARENTS = [parent for _, parent, _ in BODY]
J = len(BODY)
ENDS = [at for at in range(J) if at not in PARENTS]
TREE: dict[str, Any] = {
    "names": NAMES,
    "parents": PARENTS,
    "offsets": [number for *_, offset in BODY for number in offset],
    "unit": pb.LENGTH_UNIT_CENTIMETRES,
}
POSITIONS = pb.Joints(**TREE)
QUATERNIONS = pb.Joints(**TREE, rotations=pb.ROTATIONS_QUATERNIONS)
EULER = pb.Joints(
    **TREE, rotations=pb.ROTATIONS_EULER_DEGREES, euler_orders=["" if at in ENDS else "ZXY" for at in range(J)]
)


def about(axis: int, degrees: Array) -> Array:
    """Turns about an axis, (T, 3, 3)."""
    a, b = (axis + 1) % 3, (axis + 2) % 3
    made = np.zeros((len(degrees), 3, 3))
    made[:, axis, axis] = 1
    made[:, a, a] = made[:, b, b] = np.cos(np.radians(degrees))
    made[:, b, a] = np.sin(np.radians(degrees))
    made[:, a, b] = -made[:, b, a]
    return made


def performance() -> tuple[Array, Array]:
    """A minute of waving and squatting in turns: the root's places (T, 3) and all angles z, x, y (T, J, 3)."""
    t = np.arange(round(60 * RATE)) / RATE
    squats = (t // 10 % 2).astype(bool)
    angles = 2.0 * np.sin(t[:, None, None] * np.linspace(0.5, 1.5, 3 * J).reshape(J, 3))
    down = np.where(squats, 40 * (1 - np.cos(2 * np.pi * t / 2)), 0.0)
    for side in (11, 15):
        angles[:, side, 1] -= down
        angles[:, side + 1, 1] += 1.8 * down
    angles[:, 5, 0] += np.where(squats, 0.0, 60 + 30 * np.sin(2 * np.pi * t))
    angles[:, 0, 2] += 30 * np.sin(t / 7)
    root = np.stack([10 * np.sin(t / 5), 93 - 0.5 * down, 500 + 5 * t], axis=1)
    angles[:, ENDS] = 0.0
    return root, angles


def turned(angles: Array) -> Array:
    return about(2, angles[:, 0]) @ about(0, angles[:, 1]) @ about(1, angles[:, 2])


def positions(root: Array, angles: Array) -> Array:
    """Where the joints are, (T, J, 3), written down once more."""
    places, turns = np.zeros((len(root), J, 3)), np.zeros((len(root), J, 3, 3))
    for at, (_, parent, offset) in enumerate(BODY):
        local = turned(angles[:, at])
        turns[:, at] = local if parent < 0 else turns[:, parent] @ local
        places[:, at] = root if parent < 0 else places[:, parent] + turns[:, parent] @ np.array(offset, float)
    return places


def quaternions(angles: Array) -> Array:
    """x, y, z, w of each joint, (T, J, 4): the product of three half-angle turns."""

    def product(p: Array, q: Array) -> Array:
        vector = p[..., 3:] * q[..., :3] + q[..., 3:] * p[..., :3] + np.cross(p[..., :3], q[..., :3])
        return np.concatenate([vector, p[..., 3:] * q[..., 3:] - (p[..., :3] * q[..., :3]).sum(-1, keepdims=True)], -1)

    def half(axis: int, degrees: Array) -> Array:
        made = np.zeros((*degrees.shape, 4))
        made[..., axis], made[..., 3] = np.sin(np.radians(degrees) / 2), np.cos(np.radians(degrees) / 2)
        return made

    return product(product(half(2, angles[..., 0]), half(0, angles[..., 1])), half(1, angles[..., 2]))


def rows() -> dict[str, tuple[pb.Joints, F32]]:
    root, angles = performance()
    n = len(root)
    turning = [at for at in range(J) if at not in ENDS]
    return {
        "positions": (POSITIONS, positions(root, angles).reshape(n, -1).astype("<f4")),
        "quaternions": (QUATERNIONS, np.c_[root, quaternions(angles).reshape(n, -1)].astype("<f4")),
        "euler": (EULER, np.c_[root, angles[:, turning].reshape(n, -1)].astype("<f4")),
    }


@pytest.fixture(scope="module")
def server(serve: Serve) -> Iterator[tuple[BackgroundServer, Stub]]:
    """The packaged model, the tiny one, and the built-in one."""
    with serve(packaged_bundle=True) as both:
        yield both


@pytest.fixture(scope="module")
def motion(server: tuple[BackgroundServer, Stub]) -> Stub:
    return server[1]


def boundaries(responses: list[pb.SegmentResponse]) -> list[int]:
    return [e.segment_closed.start_frame for e in events(responses) if e.WhichOneof("detail") == "segment_closed"]


def test_positions_quaternions_and_angles_are_cut_at_the_same_places(motion: Stub) -> None:
    found = {}
    for kind, (joints, frames) in rows().items():
        answers = segment(motion, cut(frames, rest=45), RATE, model="motion", joints=joints)
        found[kind] = boundaries(answers)
        assert kinds(answers)[-1] == "summary"
    for kind in ("quaternions", "euler"):  # equal but for rounding, on which the best of two equal places may hang
        np.testing.assert_allclose(found[kind], found["positions"], atol=0.3 * RATE)
    starts_s = np.array(found["positions"]) / RATE
    for change_s in (0, 10, 20, 30, 40, 50):
        assert np.abs(starts_s - change_s).min() < 1.5


def test_up_and_size_are_said_and_not_guessed(motion: Stub) -> None:
    """The same body, lying along z, in other units and elsewhere: what is said of it puts it right."""
    joints, frames = rows()["positions"]
    points = frames.reshape(len(frames), J, 3).astype(float)
    turned = pb.Joints()
    turned.CopyFrom(joints)
    turned.up_axis, turned.unit = pb.UP_AXIS_Z, pb.LENGTH_UNIT_METRES
    turned.offsets[:] = [number / 100 for number in joints.offsets]
    other = (points[..., [2, 0, 1]] / 100 + 3).reshape(len(frames), -1).astype("<f4")
    usual = segment(motion, cut(frames), RATE, model="motion", joints=joints)
    again = segment(motion, cut(other), RATE, model="motion", joints=turned)
    found, expected = boundaries(again), boundaries(usual)
    assert len(found) == len(expected) > 2
    # Numbers are rounded elsewhere: what is as likely in one block of 0.1 s as in the next lies in either.
    assert max(abs(one - other) for one, other in zip(found, expected, strict=True)) <= 0.1 * RATE


def test_joints_channels_and_files_give_the_same_events_in_process_and_over_the_wire(
    server: tuple[BackgroundServer, Stub],
) -> None:
    person = inject(generate(5, rate=60, duration_s=30), "gap", start_s=12.0, duration_s=0.4, seed=1)
    person = inject(person, "gap", start_s=20.0, duration_s=3.0, seed=1)
    assert person.positions is not None
    seen = person.positions.astype(np.float32).astype(np.float64)
    wrist = person.joints.index("left_wrist")
    seen[300:420, wrist] = np.nan
    person = replace(person, positions=seen)
    pose = canonical_pose(person)

    def told_of(items: Any) -> list[dict[str, Any]]:
        return content(item.to_dict() for item in items if isinstance(item, kineseg.Event))

    def without_anomalies(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
        others = [event for event in events if not event["kind"].startswith("anomaly")]
        return [{key: value for key, value in event.items() if key not in ("seq", "anomalies")} for event in others]

    with kineseg.Client(server[0].address) as client:
        by_file = told_of(client.segment(person, model="motion").events)
        by_channels = told_of(client.segment(pose, model="motion").events)
        with client.stream(rate=60, joints=Joints.of(person), model="motion", chunk_s=0.02) as stream:
            assert person.timestamps is not None
            stream.send(seen, person.timestamps)
            stream.end_input()
            by_joints = told_of(stream)
    segmenter = kineseg.Segmenter.load("motion", rate=60, joints=Joints.of(person))
    in_process = told_of([*segmenter.update(seen, person.timestamps), *segmenter.finish()])
    assert by_file == by_joints == in_process
    assert [event["text"] for event in by_file if event["kind"] == "anomaly_cleared"] == [
        "left wrist not seen for 2.0 s",
        "no frames for 0.4 s",
        "no frames for 3.0 s",
    ]
    assert without_anomalies(by_channels) == without_anomalies(by_file)  # which are of what is sent
    missing = [event for event in by_file if event["kind"] == "missing_values"]
    assert {name for event in missing for name in event["channels"]} == {f"left_wrist.{axis}" for axis in "xyz"}
    assert [event["cuts"] for event in by_file if event["kind"] == "gap"] == [False, True]


def test_a_session_says_what_joints_it_was_opened_with(motion: Stub) -> None:
    joints = pb.Joints(names=NAMES, mapping={"hips": "Hips"}, up_axis=pb.UP_AXIS_Z)
    for wanted in (EULER, joints):
        call = Call(motion, config(RATE, session_id="known", model="motion", joints=wanted))
        assert len(call.opened().model.channels) == 59
        answer = motion.GetSession(pb.GetSessionRequest(session_id="known"))
        expected = pb.Joints()
        expected.CopyFrom(wanted)
        expected.up_axis = wanted.up_axis or pb.UP_AXIS_Y
        assert answer.joints == expected
        call.half_close()
        call.rest()
    call = Call(motion, config(RATE, session_id="known", model="scratch", channels=["a"]))
    call.opened()
    assert not motion.GetSession(pb.GetSessionRequest(session_id="known")).HasField("joints")
    call.half_close()
    call.rest()


def test_the_built_in_model_gets_the_pose_of_a_body_and_the_positions_of_anything_else(motion: Stub) -> None:
    joints, frames = rows()["quaternions"]
    call = Call(motion, config(RATE, model="scratch", joints=joints))
    assert "left_wrist.x" in call.opened().model.channels
    call.send(chunk(0, frames[:100]))
    assert call.read_ack() == 100
    call.half_close()
    assert kinds(call.rest())[-1] == "summary"
    crane = pb.Joints(names=["base", "boom", "hook"])
    call = Call(motion, config(RATE, model="scratch", joints=crane))
    assert list(call.opened().model.channels) == [f"{name}.{axis}" for name in crane.names for axis in "xyz"]
    call.send(chunk(0, np.random.default_rng(0).normal(size=(100, 9)).astype("<f4")))
    assert call.read_ack() == 100
    call.half_close()
    assert kinds(call.rest())[-1] == "summary"


def changed(**fields: Any) -> pb.Joints:
    made = pb.Joints()
    made.CopyFrom(EULER)
    for name, value in fields.items():
        made.ClearField(name)  # type: ignore[arg-type]
        if isinstance(value, dict):
            getattr(made, name).update(value)
        elif isinstance(value, list):
            getattr(made, name).extend(value)
        else:
            setattr(made, name, value)
    return made


INVALID, WRONG = grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.FAILED_PRECONDITION


@pytest.mark.parametrize(
    ("fields", "code", "field", "says"),
    [
        ({"joints": pb.Joints()}, INVALID, "names", "1 to 512 joints, got 0"),
        ({"joints": changed(names=[*NAMES[:-1], "Hips"])}, INVALID, "names", "'Hips' is there twice"),
        ({"joints": changed(parents=[-1, *[0] * 5])}, INVALID, "parents", "6 parents for 19 joints"),
        ({"joints": changed(parents=[-1, 2, 1, *PARENTS[3:]])}, INVALID, "parents", "must come before its children"),
        ({"joints": changed(parents=[])}, INVALID, "parents", "give parents"),
        ({"joints": changed(offsets=[1.0] * 56)}, INVALID, "offsets", "56 numbers"),
        ({"joints": changed(offsets=[1.0] * 54)}, INVALID, "offsets", r"(19, 3)"),
        ({"joints": changed(offsets=[math.nan] * 57)}, INVALID, "offsets", "joint Hips is not finite"),
        ({"joints": changed(offsets=[])}, INVALID, "offsets", "give offsets, or send positions"),
        ({"joints": changed(offsets=[0.0] * 57)}, INVALID, "offsets", "no length at rest"),
        ({"joints": changed(up_axis=7)}, INVALID, "up_axis", "up_axis is 7"),
        ({"joints": changed(unit=-1)}, INVALID, "unit", "unit is -1"),
        ({"joints": changed(rotations=3)}, INVALID, "rotations", "rotations is 3"),
        ({"joints": changed(mapping={"hips": "Tail"})}, INVALID, "mapping", "no joint 'Tail'"),
        ({"joints": changed(mapping={"tail": "Hips"})}, INVALID, "mapping", "'tail' is not a canonical joint"),
        ({"joints": changed(euler_orders=["ZXY"])}, INVALID, "euler_orders", "1 orders of Euler angles for 19 joints"),
        ({"joints": changed(euler_orders=["ZZY"] * 19)}, INVALID, "euler_orders", "'Hips' must be up to three"),
        ({"joints": pb.Joints(names=["a", "b"])}, WRONG, "names", "no joint found for left_shoulder"),
        ({"joints": POSITIONS, "channels": ["a"]}, INVALID, "", "not both"),
        ({"joints": POSITIONS, "model": "tiny"}, WRONG, "", "model 'tiny' is not one of canonical poses"),
        (
            {"joints": pb.Joints(names=[f"j{i}" for i in range(171)]), "model": "scratch"},
            WRONG,
            "names",
            "513 channels, of which the model takes at most 512",
        ),
    ],
)
def test_joints_that_cannot_be_are_refused_with_their_field(
    motion: Stub, fields: dict[str, Any], code: grpc.StatusCode, field: str, says: str
) -> None:
    status, message, metadata = status_of(Call(motion, config(RATE, **{"model": "motion", **fields})).failure())
    assert status == code
    assert says in message
    assert metadata["field"] == (f"config.joints.{field}" if field else "config.joints")


def test_the_sdk_raises_what_joints_of_another_kind_are(server: tuple[BackgroundServer, Stub]) -> None:
    person = Joints.of(generate(1, duration_s=1, rate=30))
    crane = Joints(names=["base", "boom", "hook"])
    with kineseg.Client(server[0].address) as client:
        for joints, model in ((person, "tiny"), (crane, "motion")):
            with pytest.raises(kineseg.WrongChannels), client.stream(rate=30, joints=joints, model=model):
                pass
            if model == "motion":
                with pytest.raises(kineseg.WrongChannels) as caught:
                    kineseg.Segmenter.load(model, rate=30, joints=joints)
                assert caught.value.field == "joints.names"
        with client.stream(rate=30, joints=person, model="motion", session_id="theirs") as stream:
            assert client.session("theirs").joints == person
            stream.end_input()


NUMBERS = st.one_of(st.integers(-3, 25), st.integers(-(2**31), 2**31 - 1))
REALS = st.one_of(st.floats(width=64), st.floats(-100, 100))
TEXTS = st.one_of(st.sampled_from([*NAMES, "left_elbow", "hips", "", "XYZ", "ZXY"]), st.text(max_size=200))


@settings(max_examples=120)
@given(
    names=st.one_of(st.just(NAMES), st.lists(TEXTS, max_size=25)),
    parents=st.one_of(st.just(PARENTS), st.lists(NUMBERS, max_size=25)),
    offsets=st.one_of(st.just(list(POSITIONS.offsets)), st.lists(REALS, max_size=80)),
    up_axis=st.integers(0, 3),
    unit=st.integers(0, 6),
    mapping=st.dictionaries(TEXTS, TEXTS, max_size=4),
    rotations=st.integers(0, 3),
    euler_orders=st.one_of(st.just(list(EULER.euler_orders)), st.lists(TEXTS, max_size=25)),
    model=st.sampled_from(["motion", "scratch"]),
    numbers=st.lists(st.floats(width=32), max_size=8),
)
def test_whatever_joints_are_sent_no_stream_ends_by_a_fault_of_the_server(
    motion: Stub, model: str, numbers: list[float], **fields: Any
) -> None:
    joints = pb.Joints(**fields)
    call = Call(motion, config(RATE, model=model, joints=joints))
    angles = sum(map(len, joints.euler_orders))
    width = {1: 3 + 4 * len(joints.names), 2: 3 + angles}.get(joints.rotations, 3 * len(joints.names))
    frames = np.resize(np.array([1.0, *numbers], "<f4"), (40, max(1, width)))
    call.send(chunk(0, frames))
    status, message, metadata = status_of(call.failure())
    assert status in (grpc.StatusCode.OK, INVALID, WRONG), message
    if status is not grpc.StatusCode.OK:
        assert metadata["field"] == "data" or metadata["field"].startswith("config.joints"), message


@pytest.mark.parametrize("kind", ["positions", "quaternions", "euler"])
def test_a_bad_chunk_names_the_joint_and_what_came_before_is_kept(motion: Stub, kind: str) -> None:
    joints, frames = rows()[kind]
    bad = frames[90:100].copy()
    bad[3, -1] = np.inf
    name = {"positions": "RightToeBase.z", "quaternions": "RightToeBase.rotation_w", "euler": "RightFoot.Yrotation"}
    for wrong, says in (
        (bad, f"frame 3 of the chunk has inf in channel '{name[kind]}'"),
        (bad[:, :-1], f"{frames.shape[1]} numbers, from Hips.x to {name[kind]}"),
    ):
        call = Call(motion, config(RATE, model="motion", joints=joints))
        call.send(chunk(0, frames[:90]), chunk(90, wrong))
        answers = call.rest()
        status, message, metadata = status_of(call.call)
        assert (status, metadata["field"]) == (INVALID, "data")
        assert says in message
        assert events(answers)[-1].summary.frames == 90
