"""Streams that are watched together are watched as if each were alone."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from kineseg_core.anomalies import AnomalyBudget, AnomalyMonitor, Raised, WatchedSource, push_many

from tests.core.anomalies.bodies import F64, RATE_HZ, body

STREAMS = 5
FRAMES = 900


def streams() -> dict[WatchedSource, list[F64]]:
    """Of a body and of channels five streams each, every one with a fault of its own."""
    source, frames = body(duration_s=60.0)
    bodies = [frames[100 * number :][:FRAMES].copy() for number in range(STREAMS)]
    bodies[0][450:470, 7] += 0.5
    bodies[1][500:540, 3] = np.nan
    bodies[2][600:640] = bodies[2][599]
    bodies[3][700:760, 13, 1] += 0.2 * np.sin(np.arange(60) * 1.2)
    channels = WatchedSource.of_channels([f"c{number}" for number in range(6)], RATE_HZ)
    return {source: bodies, channels: [each[:, 7:9].reshape(len(each), -1) for each in bodies]}


ALL = streams()


@settings(max_examples=6)
@given(data=st.data())
def test_many_streams_at_once_are_watched_like_each_alone(data):
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    for source, sent in ALL.items():
        alone = [AnomalyMonitor(source, AnomalyBudget(6.0)) for _ in sent]
        together = [AnomalyMonitor(source, AnomalyBudget(6.0)) for _ in sent]
        times_s = np.arange(FRAMES) / RATE_HZ
        expected = [monitor.push(frames, times_s) for monitor, frames in zip(alone, sent, strict=True)]
        assert any(isinstance(event, Raised) for events in expected for _, event in events)
        found: list[list] = [[] for _ in sent]
        at = [0] * STREAMS
        while min(at) < FRAMES:
            who = [int(i) for i in rng.permutation(STREAMS)[: rng.integers(1, STREAMS + 1)] if at[i] < FRAMES]
            if not who:
                continue
            parts = [slice(at[i], min(FRAMES, at[i] + int(rng.integers(1, 200)))) for i in who]
            ends = [*itertools.accumulate(part.stop - part.start for part in parts)]
            events = push_many(
                [together[i] for i in who],
                np.concatenate([sent[i][part] for i, part in zip(who, parts, strict=True)]),
                np.concatenate([times_s[part] for part in parts]),
                ends,
            )
            for place, (i, part) in enumerate(zip(who, parts, strict=True)):
                came = events.get(place, [])
                assert isinstance(came, list)
                found[i] += [(part.stop - (ends[place] - row), event) for row, event in came]
                at[i] = part.stop
        assert found == expected
        for one, other in zip(alone, together, strict=True):
            assert one.finish() == other.finish()
            assert one.profile() == other.profile()
