"""Puts a fault into a recording and notes in ``Recording.faults`` where it is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from kineseg.motion import Fault, Recording, inject

from kineseg_training.data.faults.bodies import BODY_CHANGES
from kineseg_training.data.faults.channels import CHANNEL_CHANGES
from kineseg_training.data.faults.kinds import BODY_FAULTS, CHANNEL_FAULTS, FaultKind
from kineseg_training.errors import DataError, SettingsError


def fault_kinds(recording: Recording) -> tuple[FaultKind, ...]:
    """The kinds that can be put into a recording: those of bodies if it has joint positions, those of channels else."""
    return CHANNEL_FAULTS if recording.positions is None else BODY_FAULTS


def with_fault(recording: Recording, kind: str, start_s: float, seed: int) -> Recording:
    """A copy of a recording with one fault more, noted in its ``faults``; nothing else of it changes.

    Args:
        recording: With joint positions (faults are put into these), or with channels only.
        kind: Name of one of `fault_kinds`.
        start_s: Seconds from the first frame.
        seed: Chooses the joint or channel, and what else is random.

    Raises:
        SettingsError: No such kind.
        DataError: The fault would not lie within the recording.
    """
    known = {each.name: each for each in fault_kinds(recording)}
    if kind not in known:
        what = "channels" if recording.positions is None else "bodies"
        raise SettingsError(f"kind: there is no fault {kind!r} of {what}; there are {', '.join(known)}")
    duration_s = known[kind].duration_s
    if start_s < 0 or start_s + duration_s > recording.duration_s:
        raise DataError(
            f"{recording.name}: lasts {recording.duration_s:.1f} s; a fault of {duration_s} s at {start_s:.1f} s does "
            "not fit"
        )
    if kind == "gap" or (recording.positions is not None and kind not in BODY_CHANGES):
        return inject(recording, kind, start_s, duration_s, seed)
    rows = _rows(recording, start_s, duration_s)
    rng = np.random.default_rng(seed)
    named = replace(recording, name=f"{recording.name}+synthetic-{kind}", synthetic=True)
    if recording.positions is None:
        values = np.array(recording.frames)
        channels = CHANNEL_CHANGES[kind](values, recording.channels, rows, recording.rate, rng)
        noted = Fault(kind, rows.start, rows.stop, joints=channels)
        return replace(named, frames=values, faults=(*recording.faults, noted))
    positions = np.array(recording.positions)
    joints = BODY_CHANGES[kind](positions, recording.joints, rows, recording.rate, rng)
    return replace(
        named,
        frames=positions.reshape(len(positions), -1),
        channels=tuple(f"{joint}.{axis}" for joint in recording.joints for axis in "xyz"),
        positions=positions,
        faults=(*recording.faults, Fault(kind, rows.start, rows.stop, joints=joints)),
    )


def _rows(recording: Recording, start_s: float, duration_s: float) -> slice:
    times = recording.times() - recording.times()[0]
    first, last = np.searchsorted(times, (start_s - 1e-9, start_s + duration_s - 1e-9))
    return slice(int(first), max(int(first) + 1, int(last)))
