"""The Lab Streaming Layer, with its own library at both ends."""

from __future__ import annotations

import os
import uuid

import numpy as np
import pylsl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from kineseg.sources import Unreadable
from kineseg.sources.lsl import Channel, Chunk, Description, LslDecoder
from kineseg.sources.recorded import Recorded

from tests.sources.loopback import hear


@pytest.mark.skipif(bool(os.environ.get("KINESEG_NO_MULTICAST")), reason="the layer finds streams by multicast")
async def test_an_outlet_is_found_and_heard(recorded: Recorded) -> None:
    heard = await hear(f"lsl:twin {uuid.uuid4()}", recorded, frames=240, speed=8.0)
    n, info = len(heard.values), heard.pieces[0].info
    assert n >= 240
    assert (info.rate, info.claimed_rate, info.clock) == (60.0, 60.0, "sender")
    assert info.joints is not None
    assert info.joints.names == tuple(recorded.info.joints.names)  # type: ignore[union-attr]
    start = int(np.flatnonzero((recorded.values == heard.values[0]).all(axis=(1, 2)))[0])
    np.testing.assert_array_equal(heard.values, recorded.values[start : start + n])
    due = recorded.times_ns[start : start + n] - recorded.times_ns[start]
    assert np.abs(heard.times_ns - heard.times_ns[0] - due).max() < 2_000_000  # clocks are brought together


def described(*channels: Channel, rate: float = 100.0) -> LslDecoder:
    decoder = LslDecoder()
    assert not list(decoder.decode(Description(channels, rate)))
    return decoder


def test_the_description_of_the_library_says_what_channels_are() -> None:
    info = pylsl.StreamInfo("x", "MoCap", 4, 0.0)
    listed = info.desc().append_child("channels")
    for label, kind in (("LeftHand_X", "PositionX"), ("LeftHand_Y", "PositionY"), ("LeftHand_Z", "PositionZ")):
        entry = listed.append_child("channel").append_child_value("label", label)
        entry.append_child_value("type", kind).append_child_value("unit", "millimeters")
    decoder = LslDecoder()
    list(decoder.decode(Description.of(info)))
    [sample] = decoder.decode(Chunk([[1.0, 2.0, 3.0, 4.0]], [5.0]))
    assert sample.layout.joints is not None
    assert (tuple(sample.layout.joints.names), sample.layout.joints.unit) == (("LeftHand",), "mm")
    assert (sample.layout.up_known, sample.layout.rate, sample.time_ns) == (False, None, 5_000_000_000)
    np.testing.assert_array_equal(sample.values, [[1, 2, 3]])


def test_channels_that_are_no_positions_stay_channels() -> None:
    [sample] = described(Channel("Fp1"), Channel("Fp1"), Channel()).decode(Chunk([[1.0, 1e300, float("inf")]], [0.5]))
    assert sample.layout.channels == ("Fp1_0", "Fp1_1", "channel_2_2")
    np.testing.assert_array_equal(sample.values, np.array([1, np.nan, np.nan], np.float32))


@given(
    st.lists(st.builds(Channel, *[st.sampled_from(["", "a", "PositionX", "PositionY", "PositionZ", "m"])] * 4)),
    st.lists(st.lists(st.floats(), max_size=4), max_size=3),
    st.floats(),
)
@example([Channel("a")], [[0.0]], 1.8e299)
def test_no_stream_breaks_the_decoder(channels: list[Channel], rows: list[list[float]], seconds: float) -> None:
    decoder = LslDecoder()
    try:
        list(decoder.decode(Description(tuple(channels), 0.0)))
        samples = list(decoder.decode(Chunk(rows, [seconds] * len(rows))))
    except Unreadable:
        return
    assert all(not np.isinf(sample.values).any() for sample in samples)
