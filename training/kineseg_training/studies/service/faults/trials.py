"""Which fault goes where, when the anomaly score raises an alarm, and what was found, missed and raised in vain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from kineseg.motion import Recording
from numpy.typing import NDArray

from kineseg_training.data.faults import BODY_FAULTS, with_fault
from kineseg_training.errors import DataError

# The model needs to know the motion first, and the anomaly before must be over.
_FIRST_S, _APART_S, _LAST_S = 6.0, 11.0, 9.0
Array = NDArray[np.float64]
# An alarm so long after a fault's end still is about it.
GRACE_S = 1.0


@dataclass(frozen=True)
class Placed:
    """A fault in a recording.

    Attributes:
        kind: Name of its `FaultKind`.
        start_s, stop_s: Its first and last moment, in the recording's own time.
    """

    kind: str
    start_s: float
    stop_s: float


@dataclass(frozen=True, eq=False)
class Trial:
    """A recording with faults.

    Attributes:
        recording: As it is sent.
        faults: In the order of time.
    """

    recording: Recording
    faults: tuple[Placed, ...]


def planned(takes: Sequence[Recording], passes: int, seed: int) -> list[Trial]:
    """`passes` times every take, each time with faults of other kinds at other places.

    Raises:
        DataError: A take that has no joint positions, or no take that is long enough.
    """
    if bare := [take.name for take in takes if take.positions is None]:
        raise DataError(f"{', '.join(bare)}: no joint positions to put faults in")
    kinds = {each.name: each for each in BODY_FAULTS}
    order = list(kinds)
    rng = np.random.default_rng(seed)
    used = 0
    trials = []
    for number in range(passes):
        for take in takes:
            start_s, recording, faults = _FIRST_S + rng.uniform(0.0, _APART_S / 2), take, []
            while start_s < take.duration_s - _LAST_S:
                kind = order[(used + number) % len(order)]
                recording = with_fault(recording, kind, start_s, int(rng.integers(2**31)))
                faults.append(Placed(kind, start_s, start_s + kinds[kind].duration_s))
                used += 1
                start_s += _APART_S
            if faults:
                trials.append(Trial(recording, tuple(faults)))
    if not trials:
        raise DataError(f"every take is shorter than {_FIRST_S + _LAST_S:.0f} s: too short to put faults in")
    return trials


@dataclass(frozen=True, eq=False)
class Scored:
    """What was reported of a stream, frame by frame.

    Attributes:
        times_s: ``(T,)`` of the model's frames.
        scores: ``(T,)`` anomaly scores.
        duration_s: Of the stream.
        faults: That were in it.
    """

    times_s: Array
    scores: Array
    duration_s: float
    faults: tuple[Placed, ...] = ()


def alarms(scored: Scored, threshold: float, pause_s: float = 1.0) -> Array:
    """Times at which an alarm begins: the score reaches `threshold` after it was below half of it for `pause_s`.

    A fault is one alarm, however the score comes and goes during it.
    """
    begun: list[float] = []
    calm_since, alarmed = -np.inf, False
    for time_s, score in zip(scored.times_s.tolist(), scored.scores.tolist(), strict=True):
        if score >= threshold:
            if not alarmed:
                begun.append(time_s)
            alarmed, calm_since = True, np.inf
        elif alarmed and score < threshold / 2:
            calm_since = min(calm_since, time_s)
            alarmed = time_s - calm_since < pause_s
        elif alarmed:
            calm_since = np.inf
    return np.array(begun)


def found(times_s: Array, faults: Sequence[Placed]) -> list[float | None]:
    """For each fault the time of the first alarm about it, or None."""
    first = []
    for fault in faults:
        about = times_s[(times_s >= fault.start_s) & (times_s <= fault.stop_s + GRACE_S)]
        first.append(float(about[0]) if len(about) else None)
    return first


def rate_per_minute(clean: Sequence[Scored], threshold: float) -> float:
    """Alarms a minute in streams without faults."""
    minutes = sum(stream.duration_s for stream in clean) / 60.0
    return sum(len(alarms(stream, threshold)) for stream in clean) / minutes


def threshold_for(clean: Sequence[Scored], per_minute: float) -> float:
    """The lowest threshold of a fine grid that has at most so many false alarms a minute, as all above it have."""
    grid = np.geomspace(0.5, 200.0, 120)
    chosen = float(grid[-1])
    for threshold in grid[::-1]:
        if rate_per_minute(clean, float(threshold)) > per_minute:
            break
        chosen = float(threshold)
    return chosen
