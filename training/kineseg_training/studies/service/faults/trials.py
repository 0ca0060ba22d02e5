"""Which fault goes where: every take several times, every kind about equally often, far enough apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from kineseg.motion import Recording

from kineseg_training.errors import DataError
from kineseg_training.studies.service.faults.corruptions import CORRUPTIONS, corrupted

# The model needs to know the motion first, and the anomaly before must be over.
_FIRST_S, _APART_S, _LAST_S = 6.0, 9.0, 8.0


@dataclass(frozen=True)
class Placed:
    """A fault in a recording.

    Attributes:
        kind: Name of its `Corruption`.
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
    kinds = {corruption.name: corruption for corruption in CORRUPTIONS}
    order = list(kinds)
    rng = np.random.default_rng(seed)
    used = 0
    trials = []
    for number in range(passes):
        for take in takes:
            start_s, recording, faults = _FIRST_S + rng.uniform(0.0, _APART_S / 2), take, []
            while start_s < take.duration_s - _LAST_S:
                kind = order[(used + number) % len(order)]
                recording = corrupted(recording, kind, start_s, int(rng.integers(2**31)))
                faults.append(Placed(kind, start_s, start_s + kinds[kind].duration_s))
                used += 1
                start_s += _APART_S
            if faults:
                trials.append(Trial(recording, tuple(faults)))
    if not trials:
        raise DataError(f"every take is shorter than {_FIRST_S + _LAST_S:.0f} s: too short to put faults in")
    return trials
