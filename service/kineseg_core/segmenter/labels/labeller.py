"""What the segmenter asks of whatever gives its segments their labels."""

from __future__ import annotations

from typing import Protocol

from kineseg_core.segmenter.labels.point import SegmentPoint


class Labeller(Protocol):
    """Gives labels to segments; picklable, and of bounded size.

    With a label comes how probable it is that the segment repeats an action: the one of its label or, if that is new,
    the one most like it.

    Attributes:
        length_scale: The stream's length scale at present, set before every question.
    """

    length_scale: float

    @property
    def labels(self) -> tuple[int, ...]:
        """Labels that are remembered."""

    @property
    def merged(self) -> tuple[tuple[int, int], ...]:
        """Pairs (label, into) that `learn` has merged when it was last called, in order; the older label remains."""

    def mint(self) -> int:
        """A label greater than any given before; only `learn` can make it one that is remembered."""

    def nearest(self, point: SegmentPoint, but_not: int | None = None) -> tuple[int | None, float]:
        """Label that `point` would get, None if a new one, and the probability of a repetition; changes nothing.

        `but_not` is a label that it cannot have.
        """

    def learn(self, point: SegmentPoint, new_label: int | None = None) -> tuple[int, float]:
        """Takes `point` in; returns its label and the probability of a repetition, as known before it was taken in.

        A new label is `new_label` if that was minted and not used. Of minted labels that are not used the last 16 are
        remembered; an older one counts as used.
        """
