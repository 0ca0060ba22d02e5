"""Perception Neuron: packets laid out by the SDK's header, and poses that are those of a BVH file."""

from __future__ import annotations

from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kineseg.motion import read
from kineseg.sources import Unreadable
from kineseg.sources.neuron import NeuronDecoder
from kineseg.sources.recorded import Recorded

from tests.sources.loopback import hear
from tests.sources.through import joint

# The bones of Axis Neuron in the order of its BVH, with the bone above; fingers are five bones more a hand each.
AXIS = {
    "Hips": "", "RightUpLeg": "Hips", "RightLeg": "RightUpLeg", "RightFoot": "RightLeg",
    "LeftUpLeg": "Hips", "LeftLeg": "LeftUpLeg", "LeftFoot": "LeftLeg",
    "Spine": "Hips", "Spine1": "Spine", "Spine2": "Spine1", "Spine3": "Spine2", "Neck": "Spine3", "Head": "Neck",
    **{
        name: above
        for side in ("Right", "Left")
        for name, above in (
            (f"{side}Shoulder", "Spine3"), (f"{side}Arm", f"{side}Shoulder"), (f"{side}ForeArm", f"{side}Arm"),
            (f"{side}Hand", f"{side}ForeArm"),
            *((f"{side}Finger{at}", f"{side}Hand") for at in range(19)),
        )
    },
}  # fmt: skip


def axis_packet(numbers: Any, *, moved: int = 1, reference: int = 0, avatar: int = 0, frame: int = 5) -> bytes:
    """By the SDK's header: mark, version, count, displacement, reference, avatar, its name, frame, reserved, mark."""
    data = np.asarray(numbers, "<f4").ravel()
    return (
        bytes.fromhex("ffdd") + bytes(4) + len(data).to_bytes(2, "little") + bytes([moved, reference])
        + avatar.to_bytes(4, "little") + b"Ada".ljust(32, b"\0") + frame.to_bytes(4, "little") + bytes(12)
        + bytes.fromhex("ffee") + data.tobytes()
    )  # fmt: skip


def bvh_of(numbers: Any) -> str:
    """The same pose as a BVH file."""

    def joint(name: str) -> str:
        below = "".join(joint(child) for child, above in AXIS.items() if above == name)
        channels = "CHANNELS 6 Xposition Yposition Zposition Yrotation Xrotation Zrotation"
        return f"{'JOINT' if AXIS[name] else 'ROOT'} {name}\n{{ OFFSET 0 0 0\n{channels}\n{below or END}}}\n"

    row = " ".join(f"{number:.6f}" for number in np.ravel(numbers))
    return f"HIERARCHY\n{joint('Hips')}MOTION\nFrames: 1\nFrame Time: 0.01\n{row}\n"


END = "End Site\n{ OFFSET 0 0 0\n}\n"


def test_neurons_numbers_are_those_of_a_bvh_file(tmp_path: Path) -> None:
    assert len(AXIS) == 59
    random = np.random.default_rng(1)
    numbers = np.float32(np.concatenate([random.normal(0, 20, (59, 3)), random.uniform(-180, 180, (59, 3))], axis=1))
    (tmp_path / "pose.bvh").write_text(bvh_of(numbers))
    pose = read(tmp_path / "pose.bvh", up="y")
    assert pose.positions is not None
    [sample] = NeuronDecoder().decode(axis_packet(numbers))
    assert (sample.number, sample.performer) == (5, "")
    assert sample.layout.joints is not None
    assert (sample.layout.joints.up, sample.layout.joints.unit) == ("y", "cm")
    for name in sample.layout.joints.names:
        np.testing.assert_allclose(joint(sample, name), pose.positions[0, pose.joints.index(name)], atol=1e-3)
    [second] = NeuronDecoder().decode(axis_packet([*range(6), *numbers.ravel()], reference=1, avatar=1))
    assert second.performer == "Ada"
    np.testing.assert_array_equal(second.values, sample.values)
    [studio] = NeuronDecoder(studio=True).decode(axis_packet(numbers))
    assert studio.layout.joints is not None
    assert {"Neck", "Neck1"} <= set(studio.layout.joints.names)


def test_neuron_without_displacements_moves_a_body_at_rest() -> None:
    angles = np.zeros((59, 3))
    angles[37, 2] = -90.0  # the left arm, about z: it hangs down
    [sample] = NeuronDecoder().decode(axis_packet([0.0, 95.0, 0.0, *angles.ravel()], moved=0))
    assert "usual proportions" in sample.layout.notes[0]
    head, foot, hand, elbow = (joint(sample, name) for name in ("Head", "LeftFoot", "LeftHand", "LeftForeArm"))
    assert head[1] > 140
    assert 0 < foot[1] < 20
    assert foot[0] > 0  # left is +x
    assert hand[1] < elbow[1] - 20
    assert abs(hand[0] - elbow[0]) < 1e-3


@given(st.data())
def test_neuron_over_tcp_comes_in_pieces_and_after_anything(data: st.DataObject) -> None:
    packets = [axis_packet(np.full((59, 6), at), frame=at) for at in range(4)]
    whole = b"".join(packets)
    junk = data.draw(st.binary(max_size=40) | st.just(b"\xff\xdd") | st.just(packets[0][:70]))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=6)))
    decoder, found = NeuronDecoder(stream=True), []
    for start, stop in pairwise([0, *cuts, len(whole)]):
        piece = (junk if start == 0 else b"") + whole[start:stop]
        for chunk in (piece, b"", b""):
            with suppress(Unreadable):
                found += [sample.number for sample in decoder.decode(chunk)]
    for _ in range(len(whole)):  # what it has not looked through yet
        with suppress(Unreadable):
            found += [sample.number for sample in decoder.decode(b"")]
            break
    assert found[-2:] == [2, 3]


def test_what_is_not_neuron() -> None:
    for packet, said in (
        (b"0 Ada 1.00 2.00 3.00 ||", "no binary BVH"),
        (b"12.5 0.0 -3.25 0.00 0.00 0.00 12.5 0.0 -3.25 0.00 0.00 0.00 1.00 2.00||", "choose the binary format"),
        (axis_packet(np.zeros(60)), "60 numbers"),
        (axis_packet(np.zeros(354))[:-4], "cut short"),
        (axis_packet(np.full(354, np.nan)), "without numbers"),
    ):
        with pytest.raises(Unreadable, match=said):
            list(NeuronDecoder().decode(packet))


async def test_neuron_over_tcp(recorded: Recorded, free_port: int) -> None:
    heard = await hear(f"neuron+tcp://127.0.0.1:{free_port}?rate=60", recorded, frames=120, speed=8.0)
    start = int(np.abs(recorded.values[:, 0] * 100 - heard.values[0][0]).max(axis=1).argmin())
    np.testing.assert_allclose(
        heard.values[:, 0], recorded.values[start : start + len(heard.values), 0] * 100, atol=1e-3
    )
    assert heard.health.unreadable == 0
