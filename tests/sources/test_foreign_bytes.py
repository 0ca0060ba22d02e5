"""Decoders read what others send: bytes laid out here by the written specifications, and by others' libraries."""

from __future__ import annotations

import json
import struct
from contextlib import aclosing
from typing import Any

import lz4.frame
import numpy as np
import pytest
from kineseg.sources import Sample, Unreadable, open_source
from kineseg.sources.mocopi import BONES, MocopiDecoder
from kineseg.sources.mvn import SEGMENTS, MvnDecoder
from kineseg.sources.rokoko import RokokoDecoder
from kineseg.sources.vicon import ViconDecoder
from kineseg.sources.vmc import VmcDecoder
from pythonosc.osc_bundle_builder import IMMEDIATELY, OscBundleBuilder
from pythonosc.osc_message_builder import OscMessageBuilder
from pythonosc.udp_client import SimpleUDPClient

from tests.sources.through import joint

HALF = 2**-0.5  # sine and cosine of half a right angle


# -- VMC

# Bone, position and rotation relative to the bone above, as a humanoid of Unity has them: left is -x, forward +z.
UNITY: list[tuple[str, tuple[float, ...], tuple[float, ...]]] = [
    ("Hips", (0.1, 1.0, 0.2), (0, 0, 0, 1)),
    ("Spine", (0, 0.1, 0), (0, 0, 0, 1)),
    ("Chest", (0, 0.2, 0), (0, 0, 0, 1)),
    ("Neck", (0, 0.2, 0), (0, 0, 0, 1)),
    ("Head", (0, 0.1, 0), (0, 0, 0, 1)),
    ("LeftUpperArm", (-0.2, 0.1, 0), (0, 0, HALF, HALF)),  # turned by 90 degrees about z: the arm hangs down
    ("LeftLowerArm", (-0.3, 0, 0), (0, 0, 0, 1)),
    ("LeftHand", (-0.25, 0, 0), (0, 0, 0, 1)),
    ("RightUpperArm", (0.2, 0.1, 0), (0, HALF, 0, HALF)),  # about y: the right arm points backward
    ("RightLowerArm", (0.3, 0, 0), (0, 0, 0, 1)),
]


def message(address: str, *values: object) -> Any:
    builder = OscMessageBuilder(address)
    for value in values:
        builder.add_arg(value)  # type: ignore[arg-type]
    return builder.build()


def vmc_datagrams(bones: list[tuple[str, tuple[float, ...], tuple[float, ...]]]) -> list[bytes]:
    """Bundles of a few messages, as the specification wants them: below 1500 bytes."""
    messages = [message("/VMC/Ext/OK", 1, 3, 0), message("/VMC/Ext/T", 12.5)]
    messages += [
        message("/VMC/Ext/Bone/Pos", name, *map(float, place), *map(float, turn)) for name, place, turn in bones
    ]
    messages += [message("/VMC/Ext/Blend/Val", "Joy", 0.5), message("/VMC/Ext/Blend/Apply")]
    datagrams = []
    for first in range(0, len(messages), 5):
        bundle = OscBundleBuilder(IMMEDIATELY)
        for one in messages[first : first + 5]:
            bundle.add_content(one)
        datagrams.append(bundle.build().dgram)
    return datagrams


def vmc_frames(*frames: list[bytes]) -> list[Sample]:
    decoder = VmcDecoder()
    return [sample for datagrams in frames for datagram in datagrams for sample in decoder.decode(datagram)]


def test_vmc_bones_hang_on_one_another_in_unitys_axes() -> None:
    samples = vmc_frames(*[vmc_datagrams(UNITY)] * 4)
    assert len(samples) == 3  # the first frame says which bones there are
    sample = samples[-1]
    np.testing.assert_allclose(joint(sample, "Head"), (-0.1, 1.6, 0.2), atol=1e-6)
    # Right-handed now: left is +x.
    np.testing.assert_allclose(joint(sample, "LeftUpperArm"), (0.1, 1.4, 0.2), atol=1e-6)
    np.testing.assert_allclose(joint(sample, "LeftLowerArm"), (0.1, 1.1, 0.2), atol=1e-6)
    np.testing.assert_allclose(joint(sample, "LeftHand"), (0.1, 0.85, 0.2), atol=1e-6)
    np.testing.assert_allclose(joint(sample, "RightLowerArm"), (-0.3, 1.4, -0.1), atol=1e-6)


def test_vmc_root_moves_everything_and_lost_bundles_leave_holes() -> None:
    bundle = OscBundleBuilder(IMMEDIATELY)
    bundle.add_content(message("/VMC/Ext/Root/Pos", "root", 1.0, 0.0, 0.0, 0.0, HALF, 0.0, HALF))
    whole = vmc_datagrams(UNITY)
    samples = vmc_frames(whole, [bundle.build().dgram], whole, whole[:-1], whole, whole)
    np.testing.assert_allclose(joint(samples[0], "Hips"), (-1.2, 1.0, -0.1), atol=1e-6)
    assert [bool(np.isnan(sample.values).any()) for sample in samples] == [False, True, False, False]


def test_vmc_without_positions_moves_a_body_at_rest() -> None:
    turns_only = [(name, (0.0, 0.0, 0.0), turn) for name, _, turn in UNITY]
    sample = vmc_frames(*[vmc_datagrams(turns_only)] * 2)[-1]
    assert joint(sample, "Head")[1] > joint(sample, "Neck")[1] > joint(sample, "Hips")[1] > 0.8
    assert joint(sample, "LeftHand")[1] < joint(sample, "LeftUpperArm")[1] - 0.4


class Closing:
    """Closes the socket of a client, which has no method for it."""

    def __init__(self, client: SimpleUDPClient) -> None:
        self._client = client

    async def aclose(self) -> None:
        self._client._sock.close()


async def test_vmc_by_the_socket_of_another_library(free_port: int) -> None:
    client = SimpleUDPClient("127.0.0.1", free_port)
    async with aclosing(Closing(client)), open_source(f"vmc://127.0.0.1:{free_port}?rate=60&up=y") as source:
        pieces = []
        for _ in range(40):
            for name, place, turn in UNITY:
                client.send_message("/VMC/Ext/Bone/Pos", [name, *map(float, place), *map(float, turn)])
        async for frames in source:
            pieces.append(frames)
            if sum(piece.n_frames for piece in pieces) >= 20:
                break
    assert pieces[0].info.joints is not None
    assert "LeftHand" in pieces[0].info.joints.names


@pytest.mark.parametrize(
    ("datagram", "said"),
    [
        (b"hello", "no OSC"),
        (message("/avatar/parameters/x", 1.0).dgram, "OSC, but not of VMC: /avatar/parameters/x"),
        (b"", "no OSC"),
    ],
)
def test_what_is_not_vmc(datagram: bytes, said: str) -> None:
    with pytest.raises(Unreadable, match=said):
        list(VmcDecoder().decode(datagram))


# -- Xsens MVN


def mvn_datagram(kind: bytes, segments: list[bytes], *, sample: int = 7, part: int = 0x80, character: int = 0) -> bytes:
    """By the table of the specification: identifier, sample counter, datagram counter, number of items, time code,
    character, number of body segments, of props and of finger segments, two reserved bytes, size of what follows."""
    data = b"".join(segments)
    return (
        b"MXTP" + kind + sample.to_bytes(4, "big") + bytes([part, len(segments)]) + (3_600_000).to_bytes(4, "big")
        + bytes([character, 23, 0, 0]) + bytes(2) + len(data).to_bytes(2, "big") + data
    )  # fmt: skip


def mvn_segments(width: str) -> list[bytes]:
    zeros = [0.0] * (4 if width == "4f" else 3)
    return [struct.pack(f">i3f{width}", at, 0.1 * at, 0.2, 1.0 + at, *zeros) for at in range(1, 24)]


def test_mvn_quaternions_and_euler_angles() -> None:
    [sample] = MvnDecoder().decode(mvn_datagram(b"02", mvn_segments("4f")))
    assert (sample.number, sample.time_ns, sample.performer) == (7, 3_600_000_000_000, "")
    assert sample.layout.joints is not None
    assert (sample.layout.joints.up, sample.layout.joints.unit) == ("z", "m")
    np.testing.assert_allclose(joint(sample, "Pelvis"), (0.1, 0.2, 2.0), rtol=1e-6)
    np.testing.assert_allclose(joint(sample, "LeftToe"), (2.3, 0.2, 24.0), rtol=1e-6)
    [euler] = MvnDecoder().decode(mvn_datagram(b"01", mvn_segments("3f"), character=1))
    assert euler.layout.joints is not None
    assert (euler.layout.joints.up, euler.layout.joints.unit, euler.performer) == ("y", "cm", "character 2")


def test_mvn_in_two_datagrams_and_beside_others() -> None:
    decoder = MvnDecoder()
    segments = mvn_segments("4f")
    assert not list(decoder.decode(mvn_datagram(b"02", segments[:12], part=0)))
    assert not list(decoder.decode(mvn_datagram(b"25", [b"12:00:00.000"])))
    [sample] = decoder.decode(mvn_datagram(b"02", segments[12:], part=0x81))
    assert np.isfinite(sample.values).all()
    assert len(sample.values) == len(SEGMENTS) == 23
    with pytest.raises(Unreadable, match="type 05"):
        list(decoder.decode(mvn_datagram(b"05", segments)))
    with pytest.raises(Unreadable, match="no datagram of MVN"):
        list(decoder.decode(b"GET / HTTP/1.1\r\nHost: somewhere\r\n"))


# -- Rokoko


def rokoko(actors: list[Any]) -> bytes:
    scene = {"timestamp": 3.5, "actors": actors, "props": []}
    return json.dumps({"version": "3,0", "fps": 60.0, "scene": scene}).encode()


BODY = {
    "hip": {"position": {"x": 0.5, "y": 0.9, "z": 0.1}, "rotation": {"x": 0, "y": 0, "z": 0, "w": 1}},
    "leftHand": {"position": {"x": -0.2, "y": 1.0, "z": 0.3}, "rotation": {"x": 0, "y": 0, "z": 0, "w": 1}},
}


@pytest.mark.parametrize("pack", [bytes, lz4.frame.compress])
def test_rokoko_plain_and_packed(pack: Any) -> None:
    ada, ben = ({"name": name, "meta": {"hasFace": False}, "body": BODY} for name in ("Ada", "Ben"))
    first, second = RokokoDecoder().decode(pack(rokoko([ada, ben])))
    assert (first.performer, second.performer, first.time_ns) == ("Ada", "Ben", 3_500_000_000)
    assert first.layout.rate == 60.0
    np.testing.assert_allclose(joint(first, "hip"), (-0.5, 0.9, 0.1), rtol=1e-6)
    np.testing.assert_allclose(joint(first, "leftHand"), (0.2, 1.0, 0.3), rtol=1e-6)
    assert np.isnan(joint(first, "head")).all()


def test_what_is_not_rokoko() -> None:
    for datagram, said in (
        (b'{"version": "2.5", "trackers": []}', "version '2.5'"),
        (rokoko([]), "without actors"),
        (b"\x04\x22\x4d\x18 nothing of the kind", "LZ4 that cannot be unpacked"),
        (lz4.frame.compress(bytes(64 << 20)), "no JSON"),  # a bomb: it is unpacked as far as 4 MiB
    ):
        with pytest.raises(Unreadable, match=said):
            list(RokokoDecoder().decode(datagram))


# -- mocopi


def entry(name: str, *content: bytes) -> bytes:
    data = b"".join(content)
    return len(data).to_bytes(4, "little") + name.encode("ascii") + data


def mocopi_frame(trans: dict[int, tuple[float, ...]], number: int = 5) -> bytes:
    head = entry("head", entry("ftyp", b"sony motion format"), entry("vrsn", b"\x01"))
    sender = entry("sndf", entry("ipad", bytes(8)), entry("rcvp", (12351).to_bytes(2, "little")))
    bones = [
        entry("btdt", entry("bnid", at.to_bytes(2, "little")), entry("tran", struct.pack("<7f", *tran)))
        for at, tran in trans.items()
    ]
    count = (entry("fnum", number.to_bytes(4, "little")), entry("time", (83).to_bytes(4, "little")))
    return head + sender + entry("fram", *count, entry("btrs", *bones))


def test_mocopi_bones_hang_on_one_another() -> None:
    still = (0.0, 0.0, 0.0, 1.0)
    trans = dict.fromkeys(range(27), (*still, 0.0, 0.1, 0.0))
    trans[12] = (0.0, 0.0, -HALF, HALF, 0.2, 0.0, 0.0)  # the left upper arm, turned down about z
    trans[13] = (*still, 0.3, 0.0, 0.0)
    [sample] = MocopiDecoder().decode(mocopi_frame(trans))
    assert sample.number == 5
    assert len(BONES) == 27
    np.testing.assert_allclose(joint(sample, "head"), (0, 1.1, 0), atol=1e-6)
    np.testing.assert_allclose(joint(sample, "l_up_arm"), (0.2, 0.9, 0), atol=1e-6)
    np.testing.assert_allclose(joint(sample, "l_low_arm"), (0.2, 0.6, 0), atol=1e-6)
    assert not list(MocopiDecoder().decode(entry("skdf", entry("bons"))))
    with pytest.raises(Unreadable, match="no mocopi"):
        list(MocopiDecoder().decode(b"something else altogether"))


# -- Vicon Tracker


def vicon_item(name: bytes, *numbers: float, kind: int = 0) -> bytes:
    """By the table of the makers' help: item, size, name of 24 letters, millimetres, radians."""
    return bytes([kind]) + (72).to_bytes(2, "little") + name.ljust(24, b"\0") + struct.pack("<6d", *numbers)


def vicon_block(number: int, *items: bytes, size: int = 256) -> bytes:
    return (number.to_bytes(4, "little") + bytes([len(items)]) + b"".join(items)).ljust(size, b"\0")


def test_vicon_objects_of_a_frame_in_two_blocks() -> None:
    decoder = ViconDecoder()

    def frame(number: int, x: float) -> list[Sample]:
        still = (0.0, 0.0, 0.0)
        first = vicon_block(number, vicon_item(b"drone", x, 2.0, 3.0, *still), vicon_item(b"gone", *still, *still))
        second = vicon_block(number, vicon_item(b"box", 4.0, 5.0, 6.0, 0.1, 0.2, 0.3))
        return [sample for block in (first, second) for sample in decoder.decode(block)]

    assert frame(7, 1.0) == frame(8, 1.0)[:0]  # the first says which objects there are
    [sample] = frame(9, 1.5)
    assert sample.number == 9
    assert sample.layout.channels == tuple(f"{name}.{axis}" for name in ("box", "drone", "gone") for axis in "xyz")
    assert "no body" in sample.layout.notes[0]
    np.testing.assert_array_equal(sample.values, np.float32([4, 5, 6, 1.5, 2, 3, np.nan, np.nan, np.nan]))
    named = ViconDecoder(kind="joints")
    for number in (1, 2):
        found = list(named.decode(vicon_block(number, vicon_item(b"drone", 1.0, 2.0, 3.0, 0.0, 0.0, 0.0))))
    assert found[0].layout.joints is not None
    assert (found[0].layout.joints.up, found[0].layout.joints.unit) == ("z", "mm")


def test_what_is_not_vicon() -> None:
    other = vicon_item(b"marker", *(0.0,) * 6, kind=3)
    for block, said in (
        (b"abc", "too short"),
        (vicon_block(1), "without objects"),
        (vicon_block(1, other), "no datagram of Vicon"),
        (vicon_block(1, vicon_item(b"a", *(1.0,) * 6))[:60], "cut short"),
        (b"MXTP02" + bytes(80), "Vicon"),
    ):
        with pytest.raises(Unreadable, match=said):
            list(ViconDecoder().decode(block))
