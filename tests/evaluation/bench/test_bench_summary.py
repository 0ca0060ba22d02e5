"""What the bench says of what was asked."""

from __future__ import annotations

import pytest

from evaluation.asked import plain
from evaluation.bench.summary import ASKED, reached


def test_figures_are_of_the_parts_that_were_run() -> None:
    rows = [{"us_per_frame": 9.0, "row_bytes": 65 << 10}, {"us_per_frame": 8.0, "row_bytes": 1}]
    figures = plain(reached({"segmenter": rows}))
    assert figures == {
        "segmenter, us a model frame": {"value": 9.0, "asked": 10.0, "holds": True},
        "segmenter, kept of a stream, KiB": {"value": 65.0, "asked": 64.0, "holds": False},
    }


def test_what_was_not_measured_does_not_hold() -> None:
    figures = plain(reached({part: [] for part, _, _ in ASKED}))
    assert len(figures) == len(ASKED) + 1  # and what takes several parts
    assert {(one["value"], one["holds"]) for one in figures.values()} == {(None, False)}


def _load(streams: int, late: float, cost: float) -> dict[str, float]:
    return {
        "streams": streams, "late_share": late, "event_p99_ms": 40.0, "server_cpu_share": 0.6, "client_cpu_share": 0.3,
        "server_us_per_chunk": cost,
    }  # fmt: skip


def test_a_thousand_streams_are_judged_by_their_best_load() -> None:
    rows = [_load(64, 0.0, 40.0), _load(1000, 0.2, 30.0), _load(1000, 0.0, 50.0)]
    figures = plain(reached({"many": rows}))
    assert figures["1,000 streams: late chunks, share"] == {"value": 0.0, "asked": 0.0, "holds": True}
    assert figures["1,000 streams: CPU of the client, cores"]["holds"]
    assert figures["CPU a chunk from the fewest to the most streams, ratio"]["value"] == 1.25


def test_what_a_load_costs_that_is_behind_says_nothing() -> None:
    figures = plain(reached({"many": [_load(64, 0.0, 40.0), _load(1000, 0.2, 30.0)]}))
    assert figures["1,000 streams: CPU of the server, cores"] == {"value": None, "asked": 0.7, "holds": False}
    assert figures["CPU a chunk from the fewest to the most streams, ratio"]["value"] is None


def test_parts_alone_are_held_against_the_most_streams_that_are_carried() -> None:
    parts = {
        "decoder": [{"batch": 32, "bare_steps_per_s": 250_000.0, "share_of_bare": 1.0}],
        "intake": [{"of": "channels", "us_per_chunk": 5.0, "bytes_per_stream": 1}],
        "segmenter": [{"of": "motion", "us_per_frame": 20.0, "row_bytes": 1}],
        "anomalies": [{"of": "channels", "us_per_frame": 4.0, "us_per_model_frame": 16.0}],
        "many": [_load(64, 0.0, 300.0), _load(128, 0.0, 130.0), _load(1000, 0.5, 50.0)],
    }
    # 5 us of intake, six frames watched, one and a half stepped and segmented: 65 us.
    [limit] = [one for name, one in plain(reached(parts)).items() if name.startswith("what parts cost")]
    assert limit["value"] == pytest.approx(0.5)
    assert not limit["holds"]


def test_on_a_gpu_the_worst_large_batch_counts() -> None:
    rows = [
        {"batch": batch, "step_us": us, "share_of_bare": share}
        for batch, us, share in ((128, 250.0, 0.5), (1024, 300.0, 0.9), (16384, 900.0, 0.85))
    ]
    share, step = plain(reached({"gpu": rows})).values()
    assert share == {"value": 0.85, "asked": 0.8, "holds": True}
    assert step == {"value": 0.9, "asked": 1.0, "holds": True}


def test_what_cannot_be_measured_here_says_why() -> None:
    figures = reached({"gpu": [{"skipped": "there is no card"}]})
    assert {each.verdict for each in figures} == {"skipped: there is no card"}
    for each in plain(figures).values():
        assert (each["value"], each["holds"], each["skipped"]) == (None, False, "there is no card")
