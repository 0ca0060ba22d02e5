"""Qualisys: the library of the maker is the client, and reads what the twin sends."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kineseg.sources import Unreadable
from kineseg.sources.qtm import Parameters, QtmDecoder
from kineseg.sources.recorded import Recorded
from kineseg.sources.twins.qtm import QtmEncoder
from qtm_rt.packet import QRTPacket

from tests.sources.loopback import hear


async def test_what_is_played_is_heard(recorded: Recorded, free_port: int) -> None:
    heard = await hear(f"qtm://127.0.0.1:{free_port}", recorded, frames=240, speed=8.0)
    n, info = len(heard.values), heard.pieces[0].info
    assert (info.rate, info.claimed_rate, info.clock) == (60.0, 60.0, "sender")
    assert info.joints is not None
    assert (info.joints.up, info.joints.unit) == ("y", "mm")
    start = int(np.abs(recorded.values * 1000 - heard.values[0]).max(axis=(1, 2)).argmin())
    np.testing.assert_allclose(heard.values, recorded.values[start : start + n] * 1000, rtol=1e-5, atol=1e-3)
    assert np.abs(np.diff(heard.times_ns) - np.diff(recorded.times_ns[start : start + n])).max() <= 1000


def test_the_makers_library_reads_the_twin(recorded: Recorded) -> None:
    packet = QRTPacket(QtmEncoder(recorded.info).data(recorded.values[3], 7, 0.5))
    assert (packet.timestamp, packet.framenumber) == (500_000, 7)
    _, [segments] = packet.get_skeletons()
    np.testing.assert_allclose([place for _, place, _ in segments], recorded.values[3] * 1000, rtol=1e-6)


# As QTM has it: nested segments, a namespace of no meaning, an axis.
XML = b"""<QTM_Parameters_Ver_1.25>
<General><Frequency>100</Frequency></General>
<The_3D><AxisUpwards>+Y</AxisUpwards><Labels>2</Labels>
<Label><Name>LASI</Name><RGBColor>1</RGBColor></Label><Label><Name>RASI</Name></Label></The_3D>
<Skeletons><Skeleton Name="A"><Scale>1</Scale><Segments>
<Segment Name="Hips" ID="1"><Transform/><Segment Name="Spine" ID="2"/></Segment></Segments></Skeleton>
<Skeleton Name="B"><Segments><Segment Name="Hips" ID="3"/></Segments></Skeleton></Skeletons>
</QTM_Parameters_Ver_1.25>"""


def component(kind: int, content: bytes) -> bytes:
    return struct.pack("<II", 8 + len(content), kind) + content


def test_two_skeletons_by_the_numbers_of_their_segments() -> None:
    decoder = QtmDecoder()
    list(decoder.decode(Parameters(XML)))
    first = struct.pack("<i", 2) + struct.pack("<i7f", 2, 7, 8, 9, 0, 0, 0, 1) + struct.pack("<i7f", 1, *range(7))
    skeletons = struct.pack("<i", 2) + first + struct.pack("<i", 0)  # B is not in sight
    ada, ben = decoder.decode(struct.pack("<qII", 2_000_000, 9, 1) + component(18, skeletons))
    assert (ada.performer, ben.performer, ada.number, ada.time_ns) == ("A", "B", 9, 2_000_000_000)
    assert ada.layout.joints is not None
    assert (tuple(ada.layout.joints.names), ada.layout.joints.up, ada.layout.rate) == (("Hips", "Spine"), "y", 100.0)
    np.testing.assert_array_equal(ada.values, [[0, 1, 2], [7, 8, 9]])
    assert np.isnan(ben.values).all()


def test_labelled_markers_where_there_is_no_skeleton() -> None:
    decoder = QtmDecoder()
    list(decoder.decode(Parameters(XML)))
    markers = struct.pack("<Ihh", 2, 0, 0) + struct.pack("<6f", 1, 2, 3, *(float("nan"),) * 3)
    [sample] = decoder.decode(struct.pack("<qII", 0, 1, 1) + component(1, markers))
    assert sample.layout.joints is not None
    assert tuple(sample.layout.joints.names) == ("LASI", "RASI")
    np.testing.assert_array_equal(sample.values, np.array([[1, 2, 3], [np.nan] * 3], np.float32))
    with pytest.raises(Unreadable, match="neither skeletons nor labelled markers"):
        list(decoder.decode(struct.pack("<qII", 0, 1, 0)))


@given(data=st.data())
def test_no_packet_breaks_the_decoder(recorded: Recorded, data: st.DataObject) -> None:
    encoder, decoder = QtmEncoder(recorded.info), QtmDecoder()
    for _ in range(3):
        good = data.draw(st.sampled_from([encoder.parameters(), encoder.data(recorded.values[0], 1, 0.1), XML]))
        said = bytearray(good)
        for _ in range(data.draw(st.integers(0, 4))):
            said[data.draw(st.integers(0, min(120, len(said) - 1)))] = data.draw(st.integers(0, 255))
        broken = bytes(said[: data.draw(st.integers(0, len(said)))])
        for item in (Parameters(broken), broken, Parameters(bytes(said)), bytes(said)):
            try:
                samples = list(decoder.decode(item))
            except Unreadable:
                continue
            assert all(not np.isinf(sample.values).any() for sample in samples)
