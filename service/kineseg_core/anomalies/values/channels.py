"""Values of channels of any kind, compared to the channel's own past.

=======  ====================================================================================================
tele     size of the second difference
hfr      least of 0.5 s: fast movement over slow movement
range    distance from the median of the last minute
past     how far the last quarter second (level and movement of all channels) is from the nearest of three minutes,
         times how far all channels are from their medians, each relative to what is usual
=======  ====================================================================================================
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kineseg_core.anomalies.signs import DetectorClass
from kineseg_core.anomalies.source import WatchedSource
from kineseg_core.anomalies.values.filters import filter_all, high_pass, smoothing
from kineseg_core.anomalies.values.held import hold
from kineseg_core.anomalies.values.layout import LARGEST_OTHER, NONE, Detector, ValueLayout
from kineseg_core.anomalies.values.past import PastBlocks, new_past, see_block
from kineseg_core.anomalies.values.sensors import sensors_of
from kineseg_core.kernels import kernel

F64 = NDArray[np.float64]

_FAST_HZ, _FAST_SHARE = 8.0, 0.25
_MEANS_S = (0.3, 1.0, 3.0, 0.25, 0.15)
"""Of fast and slow movement, level, a block, and how far all channels are away."""
_FARTHEST = 50.0
"""Times its limit that a channel counts as away at most."""
_FAST_HELD_S = 0.5
_MEMORY_S, _FIRST_EVERY_S, _FIRST_S = 64.0, 0.1, 2.0
_LEAST_KEPT, _MOST_KEPT, _NUMBERS_KEPT = 16, 64, 3072
"""Rows from which medians are taken: of many channels fewer are kept, further apart."""
_MOST_EXCESS = 1.0
_SHARE_OF_USUAL = 0.3
_TINY = 1e-12
_LEAST_STEPS, _FAST_STEPS, _STEPS = 2.0, 3.0, 5000.0


class _State(NamedTuple):
    """Of C channels."""

    row: F64
    """``(N,)`` the latest values."""
    least: F64
    """``(N,)`` see `renew`: a channel of a few levels steps from one to the next without meaning anything."""
    ring: F64
    """``(2 step + 1, C)`` the last frames."""
    known: NDArray[np.bool_]
    last: F64
    first: F64
    moved: F64
    passed: F64
    """``(C,)`` steps from the row before, and what the filter has let through; nothing is kept in them."""
    high: F64
    """``(2, C)`` state of the high-pass filter."""
    means: F64
    """``(3, C)`` of 3 s, of a block, and of a block's movement."""
    powers: F64
    """``(2, C)`` mean squares: fast, slow."""
    away: F64
    """``(1,)`` mean square over channels: distance from the median, relative to its limit."""
    held: NDArray[np.float32]
    """``(n, C)`` the last ratios, see `hold`."""
    lowest: NDArray[np.float32]
    """``(C,)`` of them, see there."""
    usual: F64
    """``(2, C)`` medians: level, slow movement."""
    now: F64
    """``(2, C)`` of what they are medians."""
    tele: F64
    steps: F64
    """``(2, C)`` usual size of a step that is not 0, and how many there were."""
    frames: NDArray[np.int64]
    """``(4,)`` frames, rows, rows that were kept, and channels that are known."""
    kept: NDArray[np.float32]
    """``(n, 2, C)`` of what there are medians, a ring."""
    past: PastBlocks


class _Constants(NamedTuple):
    filter: F64
    weights: F64
    """Of the newest value in the means of `_MEANS_S`."""
    sensors: NDArray[np.int64]
    """``(S, 3)`` channels of each sensor of three axes."""
    step: int
    rate: float


@kernel(inlined=True)
def _place(frame, state, step):  # type: ignore[no-untyped-def]
    """Puts a frame ``(C,)`` into the ring, and returns its row there."""
    ring, tele, count = state.ring, state.tele, state.frames[0]
    size = len(ring)
    row = count % size
    places = ring[row]
    if state.frames[3] < len(frame):
        _place_some(frame, state, places)
    else:
        for c in range(len(frame)):
            places[c] = frame[c]
    older, oldest = ring[(row - step) % size], ring[(row - 2 * step) % size]
    for c in range(len(frame)):
        tele[c] = max(tele[c], abs(places[c] - 2.0 * older[c] + oldest[c]))
    state.frames[0] = count + 1
    return row


@kernel()
def _place_some(frame, state, places):  # type: ignore[no-untyped-def]
    """The same while channels are missing; those that are seen for the first time have been there always."""
    state.frames[3] = 0
    for c in range(len(frame)):
        seen = not np.isnan(frame[c])
        places[c] = frame[c] if seen else 0.0
        if seen and not state.known[c]:
            state.ring[:, c] = frame[c]
            state.first[c] = state.last[c] = frame[c]
            state.means[0, c] = state.means[1, c] = state.usual[0, c] = frame[c]
            state.known[c] = True
        state.frames[3] += state.known[c]


@kernel(inlined=True)
def _values(places, state, constants):  # type: ignore[no-untyped-def]
    """Writes tele, hfr and range; loop after loop over few arrays each: so many numbers are reckoned with at once."""
    weights, channels, rate = constants.weights, len(places), constants.rate
    fast, slow, mean, block = weights[0], weights[1], weights[2], weights[3]
    moved, last, level, passed = state.moved, state.last, state.means[0], state.passed
    for c in range(channels):
        moved[c] = places[c] - last[c]
        last[c] = places[c]
    _see_steps(moved, state.steps, state.least)
    for c in range(channels):
        level[c] += mean * (places[c] - level[c])
    levels, movement = state.means[1], state.means[2]
    for c in range(channels):
        levels[c] += block * (places[c] - levels[c])
    for c in range(channels):
        movement[c] += block * (abs(moved[c]) * rate - movement[c])
    for c in range(channels):
        passed[c] = places[c] - state.first[c]
    filter_all(passed, constants.filter, state.high, passed)
    power = state.powers[0]
    for c in range(channels):
        power[c] += fast * (passed[c] * passed[c] - power[c])
    power = state.powers[1]
    for c in range(channels):
        power[c] += slow * ((places[c] - level[c]) ** 2 - power[c])
    _write(places, state, state.row)
    state.frames[1] += 1


@kernel(inlined=True)
def _see_steps(moved, steps, least):  # type: ignore[no-untyped-def]
    sizes, counts, channels = steps[0], steps[1], len(moved)
    for c in range(channels):
        step = abs(moved[c])
        count = min(counts[c] + 1.0, _STEPS)
        sizes[c] = sizes[c] + (step - sizes[c]) / count if step > 0.0 else sizes[c]
        counts[c] = count if step > 0.0 else counts[c]
    of_tele, of_range = least[:channels], least[2 * channels : 3 * channels]
    for c in range(channels):
        of_tele[c] = _LEAST_STEPS * sizes[c]
        of_range[c] = _LEAST_STEPS * sizes[c]


@kernel(inlined=True)
def _write(places, state, row):  # type: ignore[no-untyped-def]
    channels, tele, newest = len(places), state.tele, state.held[state.frames[1] % len(state.held)]
    teles, least, ranges = row[:channels], row[channels : 2 * channels], row[2 * channels : 3 * channels]
    for c in range(channels):
        teles[c] = tele[c]
        tele[c] = 0.0
    usual = state.usual[0]
    for c in range(channels):
        ranges[c] = abs(places[c] - usual[c])
    slowly, usual, sizes = state.now[1], state.usual[1], state.steps[0]
    for c in range(channels):
        slowly[c] = math.sqrt(state.powers[1, c])
        state.now[0, c] = places[c]
    for c in range(channels):
        much = slowly[c] + _SHARE_OF_USUAL * usual[c] + _FAST_STEPS * sizes[c] + _TINY
        newest[c] = math.sqrt(state.powers[0, c]) / much
    hold(state.held, state.lowest, state.frames[1], least)


@kernel(inlined=True)
def _keep(state, rate):  # type: ignore[no-untyped-def]
    """Keeps a row now and then, and takes the medians anew."""
    kept, row = state.kept, state.frames[1]
    early = row <= _FIRST_S * rate
    hop = max(1, round((_FIRST_EVERY_S if early else _MEMORY_S / len(kept)) * rate))
    if row % hop and row != 1:
        return
    for of in range(2):
        for c in range(kept.shape[2]):
            kept[state.frames[2] % len(kept), of, c] = state.now[of, c]
    state.frames[2] += 1
    _renew_usual(state.usual, kept[: min(state.frames[2], len(kept))])


@kernel()
def _renew_usual(usual, kept):  # type: ignore[no-untyped-def]
    for of in range(2):
        for c in range(kept.shape[2]):
            usual[of, c] = np.median(kept[:, of, c])


@kernel(inlined=True)
def _all_away(state, limits, weight):  # type: ignore[no-untyped-def]
    """How far all channels are from their medians, by the limits of that."""
    total, channels = 0.0, state.ring.shape[1]
    for c in range(2 * channels, 3 * channels):
        total += min(state.row[c] / limits[c], _FARTHEST) ** 2
    state.away[0] += weight * (total / channels - state.away[0])
    return math.sqrt(state.away[0])


@kernel(inlined=True)
def take_channels(frame, state, constants, limits):  # type: ignore[no-untyped-def]
    """Takes a frame; where a row of values is due it is written.

    Args:
        frame: ``(1, C)`` with the last known value where a channel is lost, NaN where there is none.
        state, constants: Of `ChannelValues`.
        limits: ``(N,)`` upper limits of what is usual, so far.

    Returns:
        Whether there is a new row of values.
    """
    row = _place(frame.reshape(-1), state, constants.step)
    if (state.frames[0] - 1) % constants.step:
        return False
    _values(state.ring[row], state, constants)
    _keep(state, constants.rate)
    see_block(state.past, state.means[1], state.means[2])
    state.row[-1] = state.past.value[0] * _all_away(state, limits, constants.weights[-1])
    return True


class ChannelValues:
    """Values of one stream's channels.

    Args:
        source: Channels.
        step: Source frames to a row of values.

    Attributes:
        layout: Of the row.
        state: What `take_channels` works on.
        constants: The same.
    """

    def __init__(self, source: WatchedSource, step: int) -> None:
        channels = len(source.names)
        rate = source.rate_hz / step
        self.layout = _layout(channels)
        self.constants = _Constants(
            filter=high_pass(min(_FAST_HZ, _FAST_SHARE * rate), rate),
            weights=np.array([smoothing(seconds, rate) for seconds in _MEANS_S]),
            sensors=np.array(sensors_of(source.names), np.int64).reshape(-1, 3),
            step=step,
            rate=rate,
        )
        rows_kept = min(max(_NUMBERS_KEPT // (2 * channels), _LEAST_KEPT), _MOST_KEPT)
        self.state = _State(
            row=np.zeros(len(self.layout)),
            least=np.zeros(len(self.layout)),
            ring=np.zeros((2 * step + 1, channels)),
            known=np.zeros(channels, bool),
            last=np.zeros(channels),
            first=np.zeros(channels),
            moved=np.zeros(channels),
            passed=np.zeros(channels),
            high=np.zeros((2, channels)),
            means=np.zeros((3, channels)),
            powers=np.zeros((2, channels)),
            away=np.zeros(1),
            held=np.zeros((max(1, round(_FAST_HELD_S * rate)), channels), np.float32),
            lowest=np.zeros(channels, np.float32),
            usual=np.zeros((2, channels)),
            now=np.zeros((2, channels)),
            tele=np.zeros(channels),
            steps=np.zeros((2, channels)),
            frames=np.zeros(4, np.int64),
            kept=np.full((rows_kept, 2, channels), np.nan, np.float32),
            past=new_past(2 * channels, rate),
        )

    def last_rows(self) -> F64:
        """``(3, C)`` the channels in the last three rows."""
        ring, newest = self.state.ring, self.state.frames[0] - 1
        return np.asarray(ring[(newest - self.constants.step * np.array([2, 1, 0])) % len(ring)])


@lru_cache(maxsize=64)  # streams of the same kind share it
def _layout(channels: int) -> ValueLayout:
    units = tuple(range(channels))
    none = (NONE,) * channels
    rivals = (LARGEST_OTHER if channels > 2 else NONE,) * channels

    def of_channels(name: str, of: DetectorClass, floor: float, weight: float, warm_up_s: float) -> Detector:
        return Detector(name, of, units, none, rivals, floor, weight, 0.0, warm_up_s, _MOST_EXCESS)

    return ValueLayout(
        (
            of_channels("tele", DetectorClass.JUMP, 0.0, 0.15, 10.0),
            of_channels("hfr", DetectorClass.SHAKE, 0.03, 0.08, 30.0),
            Detector("range", DetectorClass.LEVEL, units, none, none, 0.0, 0.35, 0.0, 30.0, _MOST_EXCESS),
            Detector(
                "past", DetectorClass.PAST, (NONE,), (NONE,), (NONE,), 1.0, 0.42, 0.0, 30.0, _MOST_EXCESS, relative=True
            ),
        )
    )
