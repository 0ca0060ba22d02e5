"""What holds for every protocol: a body goes through it, and nothing malformed breaks its decoder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kineseg import Event, SegmentClosed, Segmenter
from kineseg.motion.joint_mapping import map_joints
from kineseg.sources import Expectations, Frames, SourceInfo, Unreadable
from kineseg.sources.mocopi import MocopiDecoder
from kineseg.sources.mvn import MvnDecoder
from kineseg.sources.neuron import NeuronDecoder
from kineseg.sources.recorded import Recorded
from kineseg.sources.rokoko import RokokoDecoder
from kineseg.sources.track import Track
from kineseg.sources.twins.mocopi import MocopiEncoder
from kineseg.sources.twins.mvn import MvnEncoder
from kineseg.sources.twins.neuron import NeuronEncoder
from kineseg.sources.twins.rokoko import RokokoEncoder
from kineseg.sources.twins.vicon import ViconEncoder
from kineseg.sources.twins.vmc import VmcEncoder
from kineseg.sources.vicon import ViconDecoder
from kineseg.sources.vmc import VmcDecoder

from tests.sources.loopback import hear
from tests.sources.through import joined, samples_of, through


@dataclass(frozen=True)
class Protocol:
    """One protocol: its two ends, how many frames pass before its decoder knows enough, and what of times is kept."""

    encoder: Callable[[SourceInfo], Any]
    decoder: Callable[[], Any]
    begins: int = 0
    clock: str = "sender"
    off_ns: int = 1
    options: str = ""


PROTOCOLS = {
    "mocopi": Protocol(MocopiEncoder, MocopiDecoder, clock="arrival", off_ns=2_000_000),
    "mvn": Protocol(MvnEncoder, MvnDecoder, off_ns=1_000_000),
    "neuron": Protocol(NeuronEncoder, NeuronDecoder, clock="arrival", off_ns=2_000_000),
    "rokoko": Protocol(lambda info: RokokoEncoder(info, packed=True), RokokoDecoder, off_ns=1_000),
    "vicon": Protocol(ViconEncoder, ViconDecoder, begins=1, clock="arrival", off_ns=2_000_000),
    "vmc": Protocol(VmcEncoder, VmcDecoder, begins=1, clock="arrival", off_ns=2_000_000, options="?clock=sender"),
}
METRES = {"": 1.0, "m": 1.0, "cm": 0.01, "mm": 0.001}


@contextmanager
def unreadable_at_most() -> Iterator[None]:
    with suppress(Unreadable):
        yield


def canonical(frames: Frames, values: np.ndarray[Any, Any]) -> dict[str, np.ndarray[Any, Any]]:
    """The joints in metres, by what they are, whatever their names."""
    assert frames.info.joints is not None
    points = values * METRES[frames.info.joints.unit]
    if frames.info.joints.up == "z":
        points = points[..., [0, 2, 1]] * np.array([1.0, 1.0, -1.0])
    return {joint: points[:, at] for joint, at in map_joints(tuple(frames.info.joints.names)).items()}


def closed(info: SourceInfo, pieces: list[Frames]) -> list[tuple[int, int, int]]:
    segmenter = Segmenter.load("motion", rate=info.rate, joints=info.joints, decisions="final")
    items: list[Any] = []
    base = pieces[0].first_frame
    for piece in pieces:
        times = piece.capture_times_ns
        items += segmenter.update(piece.values, timestamps_ns=times, first_frame=piece.first_frame - base)
    items += segmenter.finish()
    events = [item for item in items if isinstance(item, Event)]
    return [(e.start_frame, e.end_frame, e.label) for e in events if isinstance(e, SegmentClosed)]


@pytest.fixture(scope="session")
def of_the_file(recorded: Recorded) -> dict[int, list[tuple[int, int, int]]]:
    """The segments of the recording itself, without so many frames at its beginning."""
    found = {}
    for begins in {protocol.begins for protocol in PROTOCOLS.values()}:
        whole = Frames(0, recorded.values[begins:], recorded.times_ns[begins:], 0, recorded.info)
        found[begins] = closed(recorded.info, [whole])
    return found


@pytest.mark.parametrize("name", PROTOCOLS)
def test_a_body_goes_through(name: str, recorded: Recorded, of_the_file: dict[int, list[tuple[int, int, int]]]) -> None:
    protocol = PROTOCOLS[name]
    pieces = through(protocol.encoder(recorded.info), protocol.decoder(), recorded)
    values, info = joined(pieces), pieces[0].info
    assert len(values) == len(recorded.values) - protocol.begins
    assert (info.rate, info.clock) == (60.0, protocol.clock)
    assert not info.notes
    sent = Frames(0, recorded.values, recorded.times_ns, 0, recorded.info)
    expected, came = canonical(sent, recorded.values), canonical(pieces[0], values)
    assert set(expected) - set(came) <= {"left_toe", "right_toe"}
    for joint, points in came.items():
        np.testing.assert_allclose(points, expected[joint][protocol.begins :], atol=2e-5)
    times = np.concatenate([piece.capture_times_ns for piece in pieces])
    due = recorded.times_ns[protocol.begins :]
    assert np.abs((times - times[0]) - (due - due[0])).max() <= protocol.off_ns
    assert [piece.info for piece in pieces] == [info] * len(pieces)
    # And the events are those of the file, but for what the protocol rounds.
    found, wanted = closed(info, pieces), of_the_file[protocol.begins]
    assert len(found) == len(wanted) > 1
    assert [label for *_, label in found] == [label for *_, label in wanted]
    # A boundary that is as likely in one block of a tenth of a second as in the next lies in either.
    for (start, end, _), (same_start, same_end, _) in zip(found, wanted, strict=True):
        assert abs(start - same_start) <= 6
        assert abs(end - same_end) <= 6


@pytest.mark.parametrize("name", ["mocopi", "mvn"])  # placed by count and arrival, and by the sender's clock
def test_one_per_cent_lost_and_20_ms_of_jitter_move_no_boundary_far(
    name: str, recorded: Recorded, of_the_file: dict[int, list[tuple[int, int, int]]]
) -> None:
    random = np.random.default_rng(5)
    protocol, track = PROTOCOLS[name], Track("", Expectations(), {})
    encoder, decoder = protocol.encoder(recorded.info), protocol.decoder()
    late = np.sort(recorded.times_ns + random.uniform(0, 20e6, len(recorded.times_ns)))
    pieces: list[Frames] = []
    for at, values in enumerate(recorded.values):
        if at and random.random() < 0.01:
            continue
        for sample in samples_of(decoder, encoder.frame(values, at, recorded.times_ns[at] / 1e9)):
            pieces += track.add(sample, 10**12 + round(late[at]))
    pieces += track.finish()
    assert len(pieces) > 3
    found, wanted = closed(pieces[0].info, pieces), of_the_file[0]
    assert [label for *_, label in found] == [label for *_, label in wanted]
    # As docs/robustness.md has it, a boundary that is kept lies within half a second.
    assert all(abs(end - same) <= 0.5 * 60 for (_, end, _), (_, same, _) in zip(found, wanted, strict=True))


@pytest.mark.parametrize("name", sorted(PROTOCOLS))
async def test_what_is_played_is_heard(name: str, recorded: Recorded, free_port: int) -> None:
    protocol = PROTOCOLS[name]
    url = f"{name}://127.0.0.1:{free_port}"
    # Without a clock of the sender's the rate is that of arrivals, and so depends on how busy this machine is.
    timed = protocol.clock == "sender" or bool(protocol.options)
    speed, frames = (8.0, 240) if timed else (1.0, 45)
    heard = await hear(url + protocol.options, recorded, to=url, frames=frames, speed=speed)
    assert len(heard.values) >= frames
    assert heard.health.unreadable == 0
    assert set(np.diff(heard.numbers)) == {1}
    if timed:
        assert heard.pieces[0].info.rate == 60.0


@pytest.mark.parametrize("name", PROTOCOLS)
@settings(max_examples=50)
@given(data=st.data())
def test_no_datagram_breaks_the_decoder(name: str, recorded: Recorded, data: st.DataObject) -> None:
    protocol = PROTOCOLS[name]
    encoder, decoder = protocol.encoder(recorded.info), protocol.decoder()
    good = [*encoder.describe(), *encoder.frame(recorded.values[0], 1, 0.1)]
    broken = data.draw(st.lists(st.binary(max_size=80) | mutated(good), max_size=6))
    for datagram in broken:
        with unreadable_at_most():
            for sample in decoder.decode(datagram):
                joints, channels = sample.layout.joints, sample.layout.channels
                assert sample.values.shape == ((len(joints.names), 3) if joints else (len(channels),))
                assert not np.isinf(sample.values).any()
    for number in (2, 3, 4):  # and it still reads
        whole = samples_of_safely(decoder, encoder.frame(recorded.values[0], number, number / 10))
    assert whole


def samples_of_safely(decoder: Any, datagrams: list[bytes]) -> list[Any]:
    found: list[Any] = []
    for datagram in datagrams:
        with unreadable_at_most():
            found += samples_of(decoder, [datagram])
    return found


@st.composite
def mutated(draw: st.DrawFn, good: list[bytes]) -> bytes:
    """A datagram with some bytes changed, cut short, or with more after it."""
    datagram = bytearray(draw(st.sampled_from(good)))
    for _ in range(draw(st.integers(0, 4))):
        datagram[draw(st.integers(0, len(datagram) - 1))] = draw(st.integers(0, 255))
    cut = draw(st.integers(0, len(datagram)))
    return bytes(datagram[:cut]) + draw(st.binary(max_size=8))
