"""The measurement of the intake: every stream has a motion of its own, and all of it comes out."""

from __future__ import annotations

import pytest

from evaluation.bench import intake


def test_two_seconds_of_three_streams_are_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "STREAMS", 3)
    monkeypatch.setattr(intake, "SECONDS", 2.0)
    costs = intake.measure()
    assert [cost.of for cost in costs] == ["channels", "reordered", "capture times", "positions", "quaternions"]
    assert [cost.numbers for cost in costs] == [59, 59, 59, 57, 79]
    for cost in costs:
        assert 0.0 < cost.least_us_per_chunk <= cost.us_per_chunk
        assert cost.bytes_per_stream > 59 * 4  # the last frame at least
