"""What comes of a chunk: frames of the model, and what there is to report of those that came and did not come."""

from __future__ import annotations

from dataclasses import dataclass

from kineseg_core.intake.missing import ValuesMissing
from kineseg_core.intake.resampling import ModelFrames
from kineseg_core.intake.watch import AnomalyFound


@dataclass(frozen=True, slots=True)
class GapFound:
    """Frames were missing before `decided`: from `frame` on, which is the one after the last that came.

    They have been filled, unless there were too many: then the stream is cut, and a new stretch begins.
    """

    frame: int
    time_ns: int
    missing: int
    duration_ns: int
    decided: int
    decided_ns: int
    cuts: bool = False


@dataclass(slots=True)
class ChunkEnd:
    """All of a chunk has gone through; `frames` is the index after its last frame."""

    frames: int


Taken = ModelFrames | GapFound | ValuesMissing | AnomalyFound | ChunkEnd
