"""One stream to be watched."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from kineseg.motion import Recording
from numpy.typing import NDArray

Array = NDArray[np.float64]
Span = tuple[float, float]


@dataclass(frozen=True, eq=False)
class AlertStream:
    """A stream that a detector watches frame by frame.

    Attributes:
        set_name: The set that it belongs to.
        name: Unique within the set.
        recording: What is sent; NaN where a value or joint was lost.
        parents: Of the joints, -1 for the root; empty for channels.
        boundaries_s: Where actions change, if that is known.
        events: What an alarm is right about, from and to, seconds; only real faults, none that were put in.
        ignore: From and to, seconds: an alarm there is neither right nor wrong.
        unlabelled: From and to, seconds: nothing is wrong there, but whether actions change is not known.
    """

    set_name: str
    name: str
    recording: Recording
    parents: tuple[int, ...] = ()
    boundaries_s: tuple[float, ...] = ()
    events: tuple[Span, ...] = ()
    ignore: tuple[Span, ...] = ()
    unlabelled: tuple[Span, ...] = ()

    @property
    def is_body(self) -> bool:
        """Whether joints are watched, not channels."""
        return self.recording.positions is not None

    @property
    def values(self) -> Array:
        """``(T, J, 3)`` positions of joints in the source's units, or ``(T, C)`` values of channels."""
        return self.recording.frames if self.recording.positions is None else self.recording.positions

    @property
    def units(self) -> tuple[str, ...]:
        """Names of the joints or channels."""
        return self.recording.joints if self.is_body else self.recording.channels

    @property
    def times(self) -> Array:
        """``(T,)`` seconds since the first frame."""
        times = self.recording.times()
        return np.asarray(times - times[0])

    @property
    def hours(self) -> float:
        """How long it is."""
        return self.recording.duration_s / 3600.0
