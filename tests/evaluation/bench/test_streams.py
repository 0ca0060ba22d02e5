"""The measurement of live streams: every stream has a motion of its own, and what was late is not called in time."""

from __future__ import annotations

import pytest

from evaluation.bench import streams


def test_every_stream_has_a_motion_of_its_own() -> None:
    motions = [streams.requests(3.0, seed) for seed in range(8)]
    assert len({tuple(motion) for motion in motions}) == 8
    assert {len(motion) for motion in motions} == {round(3.0 / streams.CHUNK_S)}
    for chunks in zip(*motions, strict=True):
        assert len(set(chunks)) == 8  # nor are two of them alike at any moment


def test_a_second_of_two_streams_is_sent_and_acknowledged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "COUNTS", (2,))
    [pair] = streams.measure(1.0)
    for load in (pair.kineseg, pair.echo):
        assert load.frames_sent == 240
        assert 0.0 < load.p50_ms <= load.p99_ms
        # How many depends on the machine; but what was not in time was late.
        assert 0 <= load.frames_in_time <= load.frames_sent
        assert (load.frames_in_time < load.frames_sent) <= (load.late_share > 0.0)
        assert load.server_cpu_share >= 0.0
