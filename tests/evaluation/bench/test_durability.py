"""The measurement of stores: the same streams go through servers with each store, and are kept there."""

from __future__ import annotations

import pytest

from evaluation.bench import durability
from evaluation.bench.durability import MEMORY, NONE, SQLITE, Kept
from evaluation.bench.many import Source


def test_half_a_second_of_three_streams_with_each_store(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(durability, "ROUNDS", 1)
    kept = Kept("bodies", 3, 1, Source())
    costs = {cost.store: cost for cost in durability.measure(0.5, kept, interval_s=0.1)}
    assert costs.keys() >= {NONE, MEMORY, SQLITE}
    for cost in costs.values():
        assert cost.server_us_per_chunk > 0.0
        # Each round has streams of its own, which are kept for a while after their end.
        assert cost.kept == (0 if cost.store in (NONE, MEMORY) else 3 * durability.ROUNDS)
    assert costs[NONE].over_none == 1.0
