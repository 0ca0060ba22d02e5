"""The model of costs: it is what was measured where that is a line, and leaves each process its room."""

from __future__ import annotations

import pytest

from evaluation.bench.capacity import ROOM, carried, fitted
from evaluation.bench.memory import MemoryCost
from evaluation.bench.scale import RedisCost, shared

MEMORY = MemoryCost("shared", 64, 70.0, 300 << 20, (300 << 20) + 64 * (512 << 10))


def test_a_line_is_found_and_carried_on() -> None:
    model = fitted({count: 0.1 + 0.004 * count for count in (32, 64, 128)}, MEMORY)
    assert model.fixed_cores == pytest.approx(0.1)
    assert model.stream_cores == pytest.approx(0.004)
    assert model.worst == pytest.approx(0.0, abs=1e-9)
    assert model.streams_per_process in (149, 150)
    thousand = carried(model, 1000)
    assert thousand.processes == 7
    assert thousand.cores == pytest.approx(7 * 0.1 + 4.0)
    assert thousand.gib == pytest.approx((7 * 300 + 500) / 1024)


def test_no_process_takes_more_than_its_room() -> None:
    model = fitted({32: 0.3, 64: 0.38, 96: 0.52, 128: 0.61}, MEMORY)
    assert model.worst > 0.0
    for streams in (1, 99, 100, 101, 10_000):
        capacity = carried(model, streams)
        assert capacity.cores / capacity.processes <= ROOM + 1e-9


def test_what_streams_share_is_found_to_be_too_small_in_the_order_in_which_it_is() -> None:
    model = fitted({count: 0.1 + 0.004 * count for count in (32, 64, 128)}, MEMORY)
    found = {limit.what: limit.streams for limit in shared(model, RedisCost(kib=100.0, us=500.0), interval_s=5.0)}
    assert found["one Redis: CPU"] == 10_000
    assert found["one server: cores"] == model.streams_per_process
    assert list(found.values()) == sorted(found.values())
    doubled = {limit.what: limit.streams for limit in shared(model, RedisCost(kib=100.0, us=500.0), interval_s=10.0)}
    longer = {what for what, streams in doubled.items() if streams > found[what]}
    assert longer == {"one Redis: CPU", "one Redis: network, bytes/s"}
