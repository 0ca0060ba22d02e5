"""The budget of alarms: the stream's own, or else the default; a larger one raises no less."""

from __future__ import annotations

import numpy as np
import pytest
from kineseg_core.errors import OutOfRange
from kineseg_core.events import AnomalyRaised, Event, Output
from kineseg_core.in_process import InProcessStream
from kineseg_core.opening import Opener, StreamRequest

RATE = 30.0
CHANNELS = ("a", "b", "c")


def raised(alarms_per_hour: float) -> list[int]:
    """Frames at which anomalies were raised in channels that jump now and then."""
    random = np.random.default_rng(0)
    t = np.arange(1800)[:, None] / RATE
    values = np.sin(2 * np.pi * (0.3 + 0.1 * np.arange(3)) * t) + 0.05 * random.standard_normal((len(t), 3))
    for at, height in zip(range(300, 1800, 300), np.geomspace(0.2, 3.0, 5), strict=True):
        values[at, 1] += height
    opener = Opener({})
    request = StreamRequest(RATE, channels=CHANNELS, alarms_per_hour=alarms_per_hour)
    stream = InProcessStream(opener.session(request), None, opener.network)
    out: list[Output] = []
    stream.take(0, values.astype("<f4").tobytes(), (), out)
    stream.finish(out)
    return [event.frame for event in out if isinstance(event, Event) and isinstance(event.detail, AnomalyRaised)]


def test_a_larger_budget_raises_more_and_the_largest_first() -> None:
    assert raised(0.1) == []
    assert raised(30.0) == [1200, 1500]


def test_the_default_holds_where_a_stream_does_not_say() -> None:
    opener = Opener({}, default_alarms_per_hour=6.0)
    in_force = [
        opener.session(StreamRequest(RATE, channels=CHANNELS, alarms_per_hour=asked)).config.alarms_per_hour
        for asked in (0.0, 0.5)
    ]
    assert in_force == [6.0, 0.5]
    assert Opener({}).session(StreamRequest(RATE, channels=CHANNELS)).config.alarms_per_hour == 2.0


@pytest.mark.parametrize("asked", [0.009, 1000.1, -2.0, float("nan"), float("inf")])
def test_a_budget_out_of_range_is_refused(asked: float) -> None:
    with pytest.raises(OutOfRange, match=r"alarms_per_hour is .*, it must be 0\.01 to 1000") as caught:
        Opener({}).session(StreamRequest(RATE, channels=CHANNELS, alarms_per_hour=asked))
    assert caught.value.field == "alarms_per_hour"
