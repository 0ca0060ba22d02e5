"""Known truth about a recording: where its segments begin and what each one is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from kineseg.motion.errors import RecordingError


@dataclass(frozen=True)
class Annotation:
    """The segments of a recording, as somebody who knows them says.

    Segment i covers the frames from ``boundaries[i]`` up to ``boundaries[i + 1]``, the last one up to the end.

    Attributes:
        boundaries: First frame of every segment (0-based row numbers); the first is 0, strictly increasing.
        labels: One class id per segment; equal ids mean the same action.
        names: One action name per segment, for people.
        tolerance: Per segment the earliest and latest frame that counts as its start, or empty where no one said.

    Raises:
        RecordingError: The tuples do not fit together.
    """

    boundaries: tuple[int, ...]
    labels: tuple[int, ...]
    names: tuple[str, ...]
    tolerance: tuple[tuple[int, int], ...] = ()

    def __post_init__(self) -> None:
        if not self.boundaries or self.boundaries[0] != 0:
            raise RecordingError("the first segment must start at frame 0", field="boundaries")
        if any(b <= a for a, b in pairwise(self.boundaries)):
            raise RecordingError(f"segment starts must increase, got {self.boundaries}", field="boundaries")
        for field in ("labels", "names"):
            count = len(getattr(self, field))
            if count != len(self.boundaries):
                raise RecordingError(f"{field} has {count} entries for {len(self.boundaries)} segments", field=field)
        if self.tolerance and len(self.tolerance) != len(self.boundaries):
            raise RecordingError(
                f"tolerance has {len(self.tolerance)} entries for {len(self.boundaries)} segments", field="tolerance"
            )

    @classmethod
    def from_names(
        cls, boundaries: Sequence[int], names: Sequence[str], tolerance: Sequence[tuple[int, int]] = ()
    ) -> Annotation:
        """Give each different name its own class id, numbered by first appearance."""
        ids: dict[str, int] = {}
        labels = tuple(ids.setdefault(name, len(ids)) for name in names)
        return cls(tuple(boundaries), labels, tuple(names), tuple(tolerance))

    @property
    def changes(self) -> tuple[int, ...]:
        """The frames where one segment gives way to the next (the starts without the 0)."""
        return self.boundaries[1:]

    def frame_labels(self, n_frames: int) -> NDArray[np.int64]:
        """The class id of every frame, shape ``(n_frames,)``."""
        segment = np.searchsorted(np.asarray(self.boundaries), np.arange(n_frames), side="right") - 1
        return np.asarray(self.labels, dtype=np.int64)[segment]

    def slice(self, start: int, stop: int) -> Annotation:
        """The truth of the frames ``start <= frame < stop``, renumbered from 0."""
        ends = (*self.boundaries[1:], max(stop, self.boundaries[-1] + 1))
        kept = [i for i, (a, b) in enumerate(zip(self.boundaries, ends, strict=True)) if a < stop and b > start]
        return Annotation(
            boundaries=tuple(max(self.boundaries[i] - start, 0) for i in kept),
            labels=tuple(self.labels[i] for i in kept),
            names=tuple(self.names[i] for i in kept),
            tolerance=tuple(
                (max(self.tolerance[i][0] - start, 0), max(self.tolerance[i][1] - start, 0))
                for i in kept
                if self.tolerance
            ),
        )
