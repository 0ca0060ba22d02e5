"""NatNet: another library reads what the twin sends, and its client talks to it; ours reads the same."""

from __future__ import annotations

import asyncio
import struct
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kineseg.sources import Sample, Unreadable
from kineseg.sources.natnet import NatNetDecoder
from kineseg.sources.natnet_messages import message, taken_apart
from kineseg.sources.recorded import Recorded
from kineseg.sources.twins import Player, open_twin
from kineseg.sources.twins.natnet import NatNetEncoder
from natnet import DataDescriptions, DataFrame, NatNetClient, Version
from natnet.packet_buffer import PacketBuffer

from tests.sources.loopback import PATIENCE_S, hear


@pytest.mark.parametrize("version", [(3, 0), (3, 1), (4, 1)])
def test_another_library_reads_the_same(version: tuple[int, int], recorded: Recorded) -> None:
    encoder = NatNetEncoder(recorded.info, version)
    decoder = NatNetDecoder()
    theirs = Version(*version)
    for said in (encoder.server(), encoder.models()):
        assert not list(decoder.decode(said))
    described = DataDescriptions.read_from_buffer(PacketBuffer(taken_apart(encoder.models())[1]), theirs)
    [skeleton] = described.skeletons
    names = [bone.name for bone in skeleton.rigid_body_descriptions]
    for number in (5, 6):
        said = encoder.frame(recorded.values[number], number, number / 60)
        [sample] = decoder.decode(said)
        read = DataFrame.read_from_buffer(PacketBuffer(taken_apart(said)[1]), theirs)
        assert read.prefix.frame_number == sample.number == number
        assert sample.time_ns == round(read.suffix.timestamp * 1e9)
        [pose] = read.skeletons
        np.testing.assert_array_equal(sample.values, np.array([bone.pos for bone in pose.rigid_bodies], np.float32))
        np.testing.assert_array_equal(sample.values, recorded.values[number])
        assert sample.layout.joints is not None
        assert list(sample.layout.joints.names) == names


def old_frame(*, tracked: int = 1) -> bytes:
    """By the documentation of the bit stream 2.9: a marker set, an unlabelled marker, a rigid body with markers, a
    skeleton of one bone, a labelled marker, no plates; then latency-free suffix."""
    body = struct.pack("<i7fi", 9, 1, 2, 3, 0, 0, 0, 1, 1) + struct.pack("<3fif", 1, 2, 3, 4, 0.01)
    body += struct.pack("<fH", 0.1, 1)
    bone = struct.pack("<i7fi", (3 << 16) + 1, 0.5, 1.5, 2.5, 0, 0, 0, 1, 0) + struct.pack("<fH", 0.0, tracked)
    return message(
        7,
        struct.pack("<i", 77)
        + struct.pack("<i", 1) + b"all\0" + struct.pack("<i3f", 1, 1, 2, 3)
        + struct.pack("<i3f", 1, 4, 5, 6)
        + struct.pack("<i", 1) + body
        + struct.pack("<iii", 1, 3, 1) + bone
        + struct.pack("<i", 1) + struct.pack("<i4fH", 1, 1, 2, 3, 0.01, 0)
        + struct.pack("<i", 0)
        + struct.pack("<IIdH", 0, 0, 12.25, 0),
    )  # fmt: skip


def test_a_frame_of_an_old_version() -> None:
    decoder = NatNetDecoder()
    list(decoder.decode(message(1, b"Motive".ljust(256, b"\0") + bytes([1, 10, 0, 0, 2, 9, 0, 0]))))
    models = struct.pack("<ii", 1, 2) + b"Ada\0" + struct.pack("<ii", 3, 1) + b"Ada_Hip\0"
    list(decoder.decode(message(5, models + struct.pack("<ii3f", 1, 0, 0, 0, 0))))
    [sample] = decoder.decode(old_frame())
    assert (sample.number, sample.time_ns, sample.performer) == (77, 12_250_000_000, "Ada")
    np.testing.assert_array_equal(sample.values, np.array([[0.5, 1.5, 2.5]], np.float32))
    [unseen] = decoder.decode(old_frame(tracked=0))
    assert np.isnan(unseen.values).all()


async def test_what_is_played_is_heard(recorded: Recorded, free_port: int) -> None:
    url = f"natnet://127.0.0.1:{free_port}?unicast=true"
    heard = await hear(url, recorded, to=f"natnet://127.0.0.1:{free_port}", frames=240, speed=8.0)
    n, info = len(heard.values), heard.pieces[0].info
    assert (info.performer, info.rate, info.clock) == ("Twin", 60.0, "sender")
    start = int(np.flatnonzero((recorded.values == heard.values[0]).all(axis=(1, 2)))[0])
    np.testing.assert_array_equal(heard.values, recorded.values[start : start + n])
    assert np.abs(np.diff(heard.times_ns) - np.diff(recorded.times_ns[start : start + n])).max() < 1000


async def test_another_client_hears_the_twin(recorded: Recorded, free_port: int) -> None:
    seen: list[DataFrame] = []
    enough = threading.Event()

    def listen() -> None:
        with NatNetClient("127.0.0.1", "127.0.0.1", command_port=free_port, use_multicast=False) as client:
            client.on_data_frame_received_event.handlers.append(lambda frame: (seen.append(frame), enough.set()))
            client.request_modeldef()
            while not enough.is_set():
                client.update_sync()

    async with asyncio.timeout(PATIENCE_S), open_twin(f"natnet://127.0.0.1:{free_port}", recorded.info) as twin:
        playing = asyncio.create_task(Player(recorded, twin).play())
        try:
            await asyncio.to_thread(listen)
        finally:
            enough.set()
            playing.cancel()
            await asyncio.gather(playing, return_exceptions=True)
    assert len(seen[0].skeletons[0].rigid_bodies) == recorded.values.shape[1]


@given(data=st.data())
def test_no_message_breaks_the_decoder(recorded: Recorded, data: st.DataObject) -> None:
    encoder = NatNetEncoder(recorded.info, data.draw(st.sampled_from([(3, 0), (4, 1)])))
    decoder = NatNetDecoder()
    good = [encoder.server(), encoder.models(), encoder.frame(recorded.values[0], 1, 0.1)]
    for kind in data.draw(st.lists(st.integers(0, 2), max_size=6)):
        said = bytearray(good[kind])
        for _ in range(data.draw(st.integers(0, 5))):
            said[data.draw(st.integers(4, len(said) - 1))] = data.draw(st.integers(0, 255))
        cut = data.draw(st.integers(4, len(said)))
        for datagram in (bytes(said[:cut]), message(said[0], bytes(said[4:cut])), bytes(said)):
            for sample in read(decoder, datagram):
                assert sample.values.shape == (len(sample.layout.joints.names), 3)  # type: ignore[union-attr]
                assert not np.isinf(sample.values).any()
    fresh = [sample for said in good for sample in read(decoder, said)]
    assert all(request[:1] in (b"\0", b"\4", b"\n") for request in decoder.requests())
    assert len(fresh) <= 1


def read(decoder: NatNetDecoder, datagram: bytes) -> list[Sample]:
    try:
        return list(decoder.decode(datagram))
    except Unreadable as said:
        assert str(said)  # noqa: PT017 - that it is said is what is asked for
        return []


def test_what_is_missing_is_said(recorded: Recorded) -> None:
    encoder, decoder = NatNetEncoder(recorded.info), NatNetDecoder()
    frame = encoder.frame(recorded.values[0], 1, 0.1)
    with pytest.raises(Unreadable, match="command port"):
        list(decoder.decode(frame))
    list(decoder.decode(encoder.server()))
    with pytest.raises(Unreadable, match="not described yet"):
        list(decoder.decode(frame))
    empty = struct.pack("<i", 3) + struct.pack("<ii", 0, 0) * 8 + struct.pack("<IIdQQQH", 0, 0, 1.0, 1, 1, 1, 0)
    with pytest.raises(Unreadable, match="switch on Skeletons"):
        list(decoder.decode(message(7, empty)))
