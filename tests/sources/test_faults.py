"""What a source makes of a bad line: the twin's faults, and senders and servers that come and go."""

from __future__ import annotations

import asyncio

import numpy as np
from kineseg.sources import Frames, open_source
from kineseg.sources.recorded import Recorded
from kineseg.sources.twins import Faults, Player, open_twin

from tests.sources.loopback import PATIENCE_S, hear


async def test_faults_are_seen_and_nothing_goes_backward(recorded: Recorded, free_port: int) -> None:
    faults = Faults(loss=0.2, burst=4, restart_s=4.0, jitter_s=0.02, noise=0.001, seed=3)
    url = f"mvn://127.0.0.1:{free_port}"
    heard = await hear(url, recorded, frames=500, speed=8.0, faults=faults)
    assert heard.health.jumps >= 1  # it was started again
    assert heard.health.loss > 0.05
    assert (np.diff(heard.numbers) >= 1).all()
    assert (np.diff(heard.times_ns) > 0).all()
    assert len({piece.info for piece in heard.pieces}) == 1  # one stream all the same
    spread = np.nanmax(np.abs(heard.values[..., 2]))
    assert 1.0 < spread < 3.0


async def test_a_server_of_lines_that_comes_back_is_connected_to_again(recorded: Recorded, free_port: int) -> None:
    url = f"ndjson+tcp://127.0.0.1:{free_port}"
    pieces: list[Frames] = []

    async def read(until: int) -> None:
        async for frames in source:
            pieces.append(frames)
            if sum(piece.n_frames for piece in pieces) >= until:
                return

    async with asyncio.timeout(PATIENCE_S), open_source(url) as source:
        for until in (60, 120):  # a server that goes away after each
            async with open_twin(url, recorded.info) as twin:
                playing = asyncio.create_task(Player(recorded, twin, speed=8.0).play())
                await read(until)
                playing.cancel()
                await asyncio.gather(playing, return_exceptions=True)
    numbers = np.concatenate([piece.first_frame + np.arange(piece.n_frames) for piece in pieces])
    assert (np.diff(numbers) >= 1).all()
    assert source.health().jumps >= 1


async def test_who_reads_too_slowly_gets_the_newest(recorded: Recorded, free_port: int) -> None:
    url = f"ndjson+udp://127.0.0.1:{free_port}"
    async with asyncio.timeout(PATIENCE_S), open_source(f"{url}?rate=60&up=y&queue=50") as source:
        async with open_twin(url, recorded.info) as twin:
            for at in range(400):
                await twin.send(recorded.values[at], at, at / 60)
                await asyncio.sleep(0)
        for _ in range(1000):
            if source.health().frames == 400:
                break
            await asyncio.sleep(0.01)
        first = await anext(aiter(source))
        assert source.health().dropped >= 300
    assert first.first_frame + first.n_frames == 400
    np.testing.assert_array_equal(first.values[-1], recorded.values[399])
