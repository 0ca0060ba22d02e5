"""The measurement of streams that have a call each."""

from __future__ import annotations

from evaluation.asked import plain
from evaluation.bench import calls
from evaluation.bench.summary import reached


def test_a_few_streams_cost_both_servers_something() -> None:
    # Systems count CPU time in hundredths of a second: of two streams a server may have taken none.
    [load] = calls.measure(1.0, loads=((0.05, 20),))
    assert (load.chunk_s, load.streams) == (0.05, 20)
    for cost in (load.kineseg, load.bare):
        assert cost.cpu_share > 0.0
        assert cost.us_per_chunk > 0.0


def test_what_counts_is_the_largest_load_that_both_carry() -> None:
    rows = [{"chunk_s": 0.05, "over_bare": over} for over in (3.0, 1.5, None)]
    figures = plain(reached({"calls": rows}))
    assert figures["calls of 50 ms chunks: CPU over a server that only reads, ratio"]["value"] == 1.5
    assert figures["calls of 200 ms chunks: CPU over a server that only reads, ratio"]["value"] is None
