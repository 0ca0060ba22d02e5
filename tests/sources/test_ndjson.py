"""Lines of JSON: what they say, and every way in."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kineseg.sources import Sample, Unreadable, open_source
from kineseg.sources.ndjson import NdjsonDecoder
from kineseg.sources.recorded import Recorded
from kineseg.sources.twins import Player, open_twin

from tests.sources.loopback import PATIENCE_S, hear


def decoded(*lines: Any) -> list[Sample]:
    decoder = NdjsonDecoder()
    return [sample for line in lines for sample in decoder.decode(json.dumps(line).encode())]


def test_positions_by_a_description() -> None:
    [sample] = decoded(
        {"joints": ["Hips", "Head"], "rate": 60, "up": "z", "unit": "cm", "parents": [-1, 0]},
        {"positions": [[0, 1, 2.5], None], "frame": 7, "time": 0.25, "performer": "Ada"},
    )
    assert sample.layout.joints is not None
    assert (sample.layout.joints.names, sample.layout.joints.up) == (("Hips", "Head"), "z")
    assert (sample.layout.joints.unit, sample.layout.rate) == ("cm", 60)
    assert (sample.number, sample.time_ns, sample.performer) == (7, 250_000_000, "Ada")
    np.testing.assert_array_equal(sample.values, [[0, 1, 2.5], [np.nan] * 3])


def test_frames_that_describe_themselves() -> None:
    first, second, third, fourth = decoded(
        {"positions": {"Hips": [0, 1, 0], "Head": [0, 1.7, 0]}},
        {"positions": {"Head": [0, 1.8, 0]}},
        {"values": {"a": 1, "b": None}, "performer": "sensor"},
        [1.0, 2.0, 3.0],
    )
    assert first.layout is second.layout
    np.testing.assert_array_equal(second.values, np.array([[np.nan] * 3, [0, 1.8, 0]], np.float32))
    assert third.layout.channels == ("a", "b")
    assert fourth.layout.channels == ("channel_0", "channel_1", "channel_2")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"hello", "no JSON"),
        (b"3", "neither an object nor a list"),
        (b'{"pose": 1}', "neither positions nor values, but 'pose'"),
        (b'{"positions": [[0, 0, 0]]}', "before a line"),
        (b'{"values": ["x"]}', "'x' where a number"),
        (b'{"values": [1e40]}', "where a number"),
        (b'{"values": [1], "frame": 1.5}', "no whole number"),
        (b'{"joints": ["a", "a"]}', "unique"),
        (b'{"joints": ["a"], "up": "x"}', "up must be"),
        (b'{"joints": ["a"], "rate": -1}', "rate"),
    ],
)
def test_what_is_no_frame_is_said_in_words(line: bytes, said: str) -> None:
    with pytest.raises(Unreadable, match=said):
        list(NdjsonDecoder().decode(line))


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["joints", "positions", "values", "channels", "rate", "frame", "time", "time_ns", "performer"]
            )
            | st.text(max_size=3),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@given(st.lists(st.binary(max_size=60) | JSON.map(lambda value: json.dumps(value).encode()), max_size=4))
def test_no_line_breaks_the_decoder(lines: list[bytes]) -> None:
    decoder = NdjsonDecoder()
    for line in lines:
        try:
            samples = list(decoder.decode(line))
        except Unreadable:
            continue
        for sample in samples:
            assert sample.values.dtype == np.float32
            assert not np.isinf(sample.values).any()


@pytest.mark.parametrize("scheme", ["ndjson+udp", "ndjson+tcp", "ndjson+tcp-listen"])
async def test_what_is_played_is_what_is_heard(scheme: str, recorded: Recorded, free_port: int) -> None:
    heard = await hear(f"{scheme}://127.0.0.1:{free_port}", recorded, frames=300, speed=8.0)
    n = len(heard.values)
    assert n >= 300
    start = int(np.flatnonzero((recorded.values == heard.values[0]).all(axis=(1, 2)))[0])
    np.testing.assert_array_equal(heard.values, recorded.values[start : start + n])
    np.testing.assert_array_equal(np.diff(heard.times_ns), np.diff(recorded.times_ns[start : start + n]))
    info = heard.pieces[0].info
    assert (info.rate, info.clock, info.notes) == (60.0, "sender", ())
    assert info.joints is not None
    assert info.joints.names == tuple(recorded.info.joints.names)  # type: ignore[union-attr]


async def test_a_connection_may_be_all_that_there_is(recorded: Recorded, free_port: int) -> None:
    url = f"ndjson+tcp-listen://127.0.0.1:{free_port}"

    async def play() -> None:
        async with open_twin(url, recorded.info) as twin:
            await Player(recorded, twin, speed=20.0).play()

    async with open_source(f"{url}?once=true") as source, asyncio.TaskGroup() as group:
        group.create_task(play())
        pieces = [piece async for piece in source]
    np.testing.assert_array_equal(np.concatenate([piece.values for piece in pieces]), recorded.values)


async def test_a_command(tmp_path: Path) -> None:
    script = tmp_path / "camera.py"
    script.write_text('for i in range(100): print(\'{"values": [%d, 1], "time": %f}\' % (i, i / 50))\n')
    async with open_source(f'exec:"{sys.executable}" "{script}"') as source:
        pieces = [piece async for piece in source]
    assert np.concatenate([piece.values for piece in pieces])[:, 0].tolist() == list(range(100))
    assert pieces[0].info.rate == 50.0


@pytest.mark.skipif(sys.platform == "win32", reason="needs process groups")
async def test_a_command_ends_with_all_that_it_has_started(tmp_path: Path) -> None:
    started = tmp_path / "started"
    code = f"import os, time; open({str(started)!r}, 'w').write(str(os.getpid())); time.sleep(600)"
    async with asyncio.timeout(PATIENCE_S), open_source(f'exec:"{sys.executable}" -c "{code}"; true'):
        while not (started.exists() and started.read_text()):  # noqa: ASYNC110 - another process writes it
            await asyncio.sleep(0.01)
    with contextlib.suppress(psutil.NoSuchProcess):  # else it has gone, or no one has asked what became of it
        left = psutil.Process(int(started.read_text()))
        async with asyncio.timeout(PATIENCE_S):
            while left.status() != psutil.STATUS_ZOMBIE:  # noqa: ASYNC110 - no one says when it ends
                await asyncio.sleep(0.01)


async def test_a_command_that_fails_is_no_end_like_any_other(tmp_path: Path) -> None:
    from kineseg.sources import SourceLost

    async with open_source("exec:exit 3") as source:
        with pytest.raises(SourceLost, match="status 3"):
            async for _ in source:
                pass


async def test_a_source_that_hears_nothing_says_where_it_listens(free_port: int) -> None:
    async with open_source(f"ndjson+udp://127.0.0.1:{free_port}") as source:
        await asyncio.sleep(0.01)
        said = source.silence()
    assert f"nothing at all arrived at UDP port {free_port} of 127.0.0.1" in said
    assert "firewall" in said
