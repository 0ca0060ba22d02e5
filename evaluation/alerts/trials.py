"""Faults put into a stream: one a trial, all kinds at the same places, so that what is before them is watched once."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
from kineseg_training.data.faults import FaultKind, fault_kinds, with_fault
from numpy.typing import NDArray

from evaluation.alerts.stream import AlertStream

Array = NDArray[np.float64]

FIRST_S = 12.0  # a detector has to have seen something
GRACE_S = 1.0  # an alarm so long after a fault's end still is about it
SEEN_S = 1.6  # so long after its end a trial is watched: an alarm's kind is asked for half a second after it
_LONGEST_S = 8.0


@dataclass(frozen=True, eq=False)
class Trial:
    """A stream with one fault, from the fault on; before it, it is as it was.

    Attributes:
        kind: Of the fault.
        first: Row of the stream with which the fault begins.
        start_s, stop_s: When it begins and ends, seconds since the stream's first frame.
        units: The joints or channels affected; empty for a gap.
        values, times: From the fault's first frame to a little after its end.
    """

    kind: FaultKind
    first: int
    start_s: float
    stop_s: float
    units: tuple[str, ...]
    values: Array
    times: Array


def trials(stream: AlertStream, places: int, seed: int) -> list[Trial]:
    """All kinds of fault at each of so many places.

    Args:
        stream: In which nothing is wrong; places that do not fit are left out.
        places: Evenly spread, each at random in its part of the stream.
        seed: Chooses places, joints and channels, together with the stream's name.
    """
    rng = np.random.default_rng([seed, zlib.crc32(f"{stream.set_name}/{stream.name}".encode())])
    room_s = stream.recording.duration_s - FIRST_S - _LONGEST_S - SEEN_S
    if room_s <= 0.0:
        return []
    starts = FIRST_S + room_s * (np.arange(places) + rng.random(places)) / places
    return [
        _trial(stream, kind, float(start_s), int(rng.integers(2**31)))
        for start_s in starts
        for kind in fault_kinds(stream.recording)
    ]


def _trial(stream: AlertStream, kind: FaultKind, start_s: float, seed: int) -> Trial:
    faulty = with_fault(stream.recording, kind.name, start_s, seed)
    fault = faulty.faults[-1]
    times = faulty.times() - faulty.times()[0]
    period_s = 1.0 / stream.recording.rate
    first_s = float(stream.times[fault.start])  # of a gap: of the first frame that is missing
    stop_s = first_s + (fault.stop - fault.start + fault.missing) * period_s
    end = int(np.searchsorted(times, stop_s + SEEN_S))
    values = faulty.frames if faulty.positions is None else faulty.positions
    rows = slice(fault.start, end)
    return Trial(kind, fault.start, first_s, stop_s, fault.joints, np.array(values[rows]), np.array(times[rows]))
