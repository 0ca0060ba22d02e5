"""Boundaries told at once: announced when they are likely to be confirmed, watched, and withdrawn when they are not."""

from __future__ import annotations

from dataclasses import dataclass

from kineseg_core.segmenter.boundary_classifier import packaged_judge
from kineseg_core.segmenter.features import early_evidence
from kineseg_core.segmenter.kernel_boundaries import KernelBoundaries

# All in blocks of a tenth of a second.
_YOUNGEST, _OLDEST = 3, 15  # a cut is looked for so long ago
_LEAST_AGE = 4  # and announced from then on
_REVIEWED_FROM, _REVIEW = 8, 3  # how old it is when it is looked at again, and how often
_SAME_PLACE = 8  # a boundary decided this near to an announced one is that one
_BEGINNING = 20  # nothing is announced before the stream has shown something
_LOOK = 2  # it is looked for once in so many blocks
_MEMORY = 0.5  # of the probability from one look to the next
_LEAST_GAIN = 0.5  # below, nobody needs to be asked
_HOPELESS = 0.1


@dataclass(slots=True)
class Announced:
    """A boundary that was announced and is not decided yet.

    Attributes:
        boundary: Block at which the segment begins.
        before: Block at which the segment before it began, when it was announced.
        segment_id, label: Of the segment.
        confidence: Probability that it will be confirmed.
        fresh: The label minted for it, if it was like nothing known.
        doubt: Another label that it looked like when it was looked at last.
    """

    boundary: int
    before: int
    segment_id: int
    label: int
    confidence: float
    fresh: int | None = None
    doubt: int | None = None


class Announcements:
    """Looks for boundaries that will be confirmed, before it can be known.

    Args:
        shortest: Blocks in the shortest segment.
        announce_at: See `SegmenterSettings`.
    """

    def __init__(self, shortest: int, announce_at: float) -> None:
        self._shortest, self._announce_at = shortest, announce_at
        self._level = 0.0
        self.open: list[Announced] = []

    def restart(self) -> None:
        """The stream was interrupted; nothing may be provisional any more then."""
        self._level = 0.0

    def look(self, kernel: KernelBoundaries) -> tuple[int, int, float] | None:
        """A boundary to announce now: its block, that at which the segment before it begins, and its confidence.

        The probability must hold for some time: it is averaged, newer ones weighing more.
        """
        if kernel.count % _LOOK == 0:  # then the kernel programme is at work
            return None
        start = self.open[-1].boundary if self.open else kernel.start
        if kernel.count < _BEGINNING or kernel.count - start < self._shortest:
            self._level = 0.0
            return None
        judge = packaged_judge("early")
        probability, cut = 0.0, 0
        likeliest = kernel.likeliest_cut(start, _YOUNGEST, _OLDEST)
        if likeliest is not None and likeliest[1] >= _LEAST_GAIN:
            cut = likeliest[0]
            probability = judge(early_evidence(kernel, start, cut))
        self._level += (1.0 - _MEMORY) * (probability - self._level)
        if self._level < self._announce_at or kernel.count - cut < _LEAST_AGE:
            return None
        self._level = 0.0
        return cut, start, judge.confidence(probability)

    def due(self, kernel: KernelBoundaries) -> list[Announced]:
        """Those to be looked at again now."""
        ages = [(announced, kernel.count - announced.boundary) for announced in self.open]
        return [announced for announced, age in ages if age >= _REVIEWED_FROM and age % _REVIEW == 0]

    def review(self, kernel: KernelBoundaries, announced: Announced) -> bool:
        """Judges an announced boundary by what has come since; False if it is hopeless by now."""
        judge = packaged_judge("early")
        probability = judge(early_evidence(kernel, announced.before, announced.boundary))
        announced.confidence = judge.confidence(probability)
        return probability >= _HOPELESS

    def at(self, boundary: int) -> Announced | None:
        """The announced one that this boundary is, if any: the nearest."""
        near = [one for one in self.open if abs(one.boundary - boundary) <= _SAME_PLACE]
        return min(near, key=lambda one: abs(one.boundary - boundary), default=None)
