"""What is wrong is called what it is, and placed where it is: on generated motion with a tracker's two millimetres."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from kineseg_core.anomalies import AnomalyKind, Cleared, WatchedSource

from tests.core.anomalies.bodies import F64, RATE_HZ, body, raised, watched

K = AnomalyKind
_FROM = 900
_RNG = np.random.default_rng(3)


def _rows(seconds: float) -> slice:
    return slice(_FROM, _FROM + round(seconds * RATE_HZ))


def _jump(frames: F64, joint: int) -> None:
    frames[_rows(0.07), joint] += (0.3, 0.3, 0.1)


def _shake(frames: F64, joint: int) -> None:
    frames[_rows(1.0), joint] += 0.08 * _RNG.standard_normal((30, 3))


def _drift(frames: F64, joint: int) -> None:
    frames[_rows(6.0), joint] += np.linspace(0.0, 1.0, 180)[:, None] * np.array((0.4, 0.3, -0.2))


def _tremble(frames: F64, joint: int) -> None:
    wave = np.sin(2 * np.pi * 6.0 * np.arange(120) / RATE_HZ)
    frames[_rows(4.0), joint] += 0.08 * wave[:, None] * np.array((0.6, 0.6, 0.5))


def _late(frames: F64, joint: int) -> None:
    rows = _rows(2.0)
    before = slice(rows.start - 9, rows.stop - 9)
    frames[rows, joint] = frames[before, joint] - frames[before, 0] + frames[rows, 0]


def _swap(frames: F64, joint: int) -> None:
    rows, other = _rows(1.0), joint + 3  # the same joint of the other arm
    frames[rows, joint], frames[rows, other] = frames[rows, other].copy(), frames[rows, joint].copy()


def _shrink(frames: F64, joint: int) -> None:
    rows = _rows(2.0)
    frames[rows] = frames[rows, :1] + 0.8 * (frames[rows] - frames[rows, :1])


def _millimetres(frames: F64, joint: int) -> None:
    frames[_rows(1.0)] *= 1000.0


def _mirror(frames: F64, joint: int) -> None:
    frames[_rows(1.0), :, 0] *= -1.0


def _exchange(frames: F64, joint: int) -> None:
    frames[_rows(1.0)] = frames[_rows(1.0)][:, :, [0, 2, 1]]


@pytest.mark.parametrize(
    ("kind", "fault", "whole"),
    [
        (K.SPIKE, _jump, False),
        (K.JITTER, _shake, False),
        (K.DRIFT, _drift, False),
        (K.TREMOR, _tremble, False),
        (K.LATE, _late, False),
        (K.SWAPPED, _swap, False),
        (K.SCALE, _shrink, True),
        (K.UNIT, _millimetres, True),
        (K.AXES, _mirror, True),
        (K.AXES, _exchange, True),
    ],
)
@pytest.mark.parametrize("seed", [1, 4])
def test_a_fault_is_named_and_placed(kind: AnomalyKind, fault: Callable[[F64, int], None], whole: bool, seed: int):
    source, frames = body(seed)
    fault(frames, source.names.index("left_wrist"))
    events = watched(source, frames)
    first = raised(events)[0]
    assert first.since_s >= _FROM / RATE_HZ - 0.5
    assert {event.anomaly_id for event in events} == {first.anomaly_id}, "one anomaly for one cause"
    (over,) = (event for event in events if isinstance(event, Cleared))
    assert over.kind is kind
    assert over.units == source.names if whole else "left_wrist" in over.units


def test_what_grows_is_found_before_it_is_at_its_worst():
    source, frames = body(4)
    _drift(frames, source.names.index("left_wrist"))
    assert raised(watched(source, frames))[0].since_s < _FROM / RATE_HZ + 2.0


def sensors(seed: int = 0) -> tuple[WatchedSource, F64]:
    """A phone that is carried about: gravity, and movement in bouts; 50 a second."""
    rng = np.random.default_rng(seed)
    t = np.arange(3000) / 50.0
    bouts = (np.sin(2 * np.pi * t / 15.0) > 0)[:, None]
    steps = np.sin(2 * np.pi * 1.8 * t[:, None] + rng.uniform(0, 6, 6))
    frames = 0.25 * bouts * steps + 0.01 * rng.standard_normal((3000, 6))
    frames[:, :3] += (0.2, 0.9, -0.35)
    return WatchedSource.of_channels(("acc_x", "acc_y", "acc_z", "gyro_x", "gyro_y", "gyro_z"), 50.0), frames


def _noise(frames: F64) -> None:
    frames[1800:1900, 3] += 0.4 * _RNG.standard_normal(100)


def _other_unit(frames: F64) -> None:
    frames[1800:1900, :3] *= 9.8


def _turned(frames: F64) -> None:
    frames[1800:1900, 1] *= -1.0


def _held_up(frames: F64) -> None:
    frames[1800:1900, 4] = frames[1785:1885, 4]


def _outlier(frames: F64) -> None:
    frames[1800:1803, 4] += 6.0


@pytest.mark.parametrize(
    ("kind", "fault", "channels"),
    [
        (K.JITTER, _noise, {"gyro_x"}),
        (K.UNIT, _other_unit, {"acc_x", "acc_y", "acc_z"}),
        (K.AXES, _turned, {"acc_y"}),
        (K.LATE, _held_up, {"gyro_y"}),
        (K.SPIKE, _outlier, {"gyro_y"}),
    ],
)
def test_a_fault_of_a_channel_is_named_and_placed(kind: AnomalyKind, fault: Callable[[F64], None], channels: set[str]):
    source, frames = sensors()
    fault(frames)
    events = watched(source, frames)
    assert raised(events)[0].since_s >= 35.5
    first = [event for event in events if event.anomaly_id == 1]
    assert first[-1].kind is kind
    assert set(first[-1].units) == channels


@pytest.mark.parametrize("seed", range(6))
def test_a_channel_that_comes_back_from_an_offset_is_not_in_another_unit(seed: int):
    source, frames = sensors(seed)
    frames[:, (3, 5)] *= 0.05  # it turns about one axis
    frames[1800 : 2150 + 7 * seed, 4] += 4.0
    assert not any(event.kind is K.UNIT for event in watched(source, frames))


def test_sensors_that_are_well_raise_nothing():
    source, frames = sensors(1)
    assert watched(source, frames, alarms_per_hour=30.0) == []


def test_sentences_are_plain_english():
    source, frames = body()
    frames[900:963, 7] = frames[899, 7]
    *_, over = watched(source, frames)
    assert over.text == "left wrist frozen for 2.1 s"


def test_channels_keep_their_names_in_sentences():
    source, frames = sensors()
    frames[1800:1900, 4] = np.nan
    *_, over = watched(source, frames)
    assert over.text == "gyro_y not seen for 2.0 s"
