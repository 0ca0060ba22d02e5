"""The measurement of many streams on few calls: every chunk is sent and acknowledged, and events are timed."""

from __future__ import annotations

from evaluation.bench import many


def test_two_seconds_of_four_streams_on_two_calls() -> None:
    [load] = many.measure(2.0, ((4, 2),))
    assert (load.streams, load.calls) == (4, 2)
    assert 0.0 < load.p50_ms <= load.p99_ms
    assert load.events >= 4  # each begins with a segment
    assert 0.0 < load.event_p50_ms <= load.event_p99_ms
    assert 0.0 <= load.late_share <= 1.0
    assert load.server_cpu_share > 0.0
    assert load.client_cpu_share > 0.0


def test_a_second_of_signals_for_a_server_of_two_processes() -> None:
    [load] = many.measure(1.0, ((4, 2),), processes=2, source=many.Source(channels=3))
    assert (load.streams, load.calls) == (4, 2)
    assert load.events >= 4
    assert load.server_cpu_share > 0.0
