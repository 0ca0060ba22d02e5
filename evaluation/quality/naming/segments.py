"""How well examples name segments: true segments of some streams are taught, found segments of another are named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import kineseg
import numpy as np
from kineseg_core.naming import KnownNames, NamingSettings
from numpy.typing import NDArray

from evaluation.quality.stream import AnnotatedStream

# The takes were described one by one, in other words for the same action.
_SAME = {
    "walking": "walk", "punching": "punch", "leg_kicking": "leg_kick",
    "jump_forward": "jump", "jump_up_several_times": "jump_up",
    "jump_on_left_leg": "hop", "jump_on_right_leg": "hop", "jump_on_one_leg": "hop",
    "both_arms_rotations": "rotate_arms", "arm_circling": "rotate_arms",
    "standing_and_clapping": "clapping",
}  # fmt: skip
_TRIM_S = 0.4  # as the SDK does when a range of a recording is taught


@dataclass(frozen=True, eq=False)
class StreamSegments:
    """One stream, as its segments are and as the service found them.

    Attributes:
        name: Of the stream.
        true: Action, point in the embedding space (E,) and length in seconds of every true segment.
        found: Point of every segment found, and the seconds of each true action in it.
    """

    name: str
    true: tuple[tuple[str, NDArray[np.float64], float], ...]
    found: tuple[tuple[NDArray[np.float64], dict[str, float]], ...]

    @classmethod
    def of(cls, stream: AnnotatedStream, result: kineseg.Segmentation) -> StreamSegments:
        """From what the service said of a stream that knows its segments; the result must have frame results."""
        truth = stream.recording.truth
        assert truth is not None  # of callers' own making
        edges = (*truth.boundaries, stream.n_frames)
        called = [_SAME.get(name, name) for name in truth.names]
        frames = np.array([one.frame for one in result.frame_results])
        embedding = np.array([one.embedding for one in result.frame_results], dtype=np.float64)
        trim = round(_TRIM_S * stream.rate)
        true = []
        for name, start, end in zip(called, edges[:-1], edges[1:], strict=True):
            a, b = (start + trim, end - trim) if end - start > 3 * trim else (start, end)
            inside = (frames >= a) & (frames < b)
            if inside.any():
                true.append((name, embedding[inside].mean(axis=0), (end - start) / stream.rate))
        actions = np.repeat(np.array(called), np.diff(edges))
        found = []
        for segment in result.segments:
            names, counts = np.unique(actions[segment.start_frame : segment.end_frame], return_counts=True)
            seconds = {str(name): count / stream.rate for name, count in zip(names, counts, strict=True)}
            found.append((np.array(segment.embedding), seconds))
        return cls(stream.name, tuple(true), tuple(found))

    @property
    def actions(self) -> frozenset[str]:
        """Names of the true actions."""
        return frozenset(name for name, _, _ in self.true)


@dataclass(frozen=True)
class NamedSeconds:
    """Seconds of segments that were named, or not.

    Attributes:
        right: With the name of the action that it is.
        wrong: With another.
        missed: Without a name, though its action was taught.
        kept: Without a name, and its action was not taught.
        invented: With a name, though its action was not taught; a part of `wrong`.
    """

    right: float = 0.0
    wrong: float = 0.0
    missed: float = 0.0
    kept: float = 0.0
    invented: float = 0.0

    def __add__(self, other: NamedSeconds) -> NamedSeconds:
        return NamedSeconds(
            self.right + other.right,
            self.wrong + other.wrong,
            self.missed + other.missed,
            self.kept + other.kept,
            self.invented + other.invented,
        )

    @property
    def precision(self) -> float:
        """Share of what was named that is named right, percent; of nothing: 100."""
        return _percent(self.right, self.right + self.wrong)

    @property
    def recall(self) -> float:
        """Share of what had been taught that is named right, percent."""
        return _percent(self.right, self.right + self.missed + self.wrong - self.invented)

    @property
    def unknown(self) -> float:
        """Share of what had not been taught that is left unknown, percent."""
        return _percent(self.kept, self.kept + self.invented)


def name_segments(
    examples_of: Sequence[StreamSegments],
    named: StreamSegments,
    settings: NamingSettings,
    *,
    most: int = 64,
    withheld: frozenset[str] = frozenset(),
) -> NamedSeconds:
    """Teach the true segments of some streams, and let the segments found in another be named.

    Args:
        examples_of: Streams whose true segments are taught.
        named: The stream whose found segments are named.
        settings: When there is a name.
        most: Examples of each name, the first ones.
        withheld: Actions that are not taught, though there are examples.
    """
    examples: dict[str, list[NDArray[np.float64]]] = {}
    for stream in examples_of:
        for name, point, _ in stream.true:
            if name not in withheld and len(examples.setdefault(name, [])) < most:
                examples[name].append(point)
    known = KnownNames((name, point.tolist()) for name, points in examples.items() for point in points)
    total = NamedSeconds()
    for point, seconds in named.found:
        name = known.nearest(point, settings).name
        for action, length in seconds.items():
            if action == name:
                total += NamedSeconds(right=length)
            elif name:
                total += NamedSeconds(wrong=length, invented=0.0 if action in examples else length)
            else:
                total += NamedSeconds(missed=length) if action in examples else NamedSeconds(kept=length)
    return total


def _percent(part: float, whole: float) -> float:
    return 100.0 * part / whole if whole else 100.0
