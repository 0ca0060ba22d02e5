"""Provisional boundaries: emitted when they are likely to be confirmed, reviewed, and retracted when they are not."""

from __future__ import annotations

from kineseg_core.segmenter.boundary_classifier import BoundaryClassifier, BoundaryClassifiers, packaged_classifiers
from kineseg_core.segmenter.features import provisional_features
from kineseg_core.segmenter.kernel_boundaries import KernelBoundaries
from kineseg_core.segmenter.segments import ProvisionalSegment

# All in blocks of a tenth of a second.
_YOUNGEST, _OLDEST = 3, 15  # a cut is looked for so long ago
_LEAST_AGE = 4  # and emitted from then on
_REVIEWED_FROM, _REVIEW = 8, 3  # how old it is when it is looked at again, and how often
_SAME_PLACE = 8  # a final boundary this near to a provisional one is that one
_BEGINNING = 20  # nothing is emitted before the stream has shown something
_LOOK = 2  # it is looked for once in so many blocks
_MEMORY = 0.5  # of the probability from one look to the next
_LEAST_GAIN = 0.5  # below, the classifier need not be asked
_RETRACTED_BELOW = 0.1  # probability


class ProvisionalBoundaries:
    """Finds boundaries that will be confirmed, before that can be known.

    Args:
        provisional: Those neither confirmed nor retracted, oldest first, as their owner keeps them.
        shortest: Blocks in the shortest segment.
        emit_at: `SegmenterSettings.provisional_at`.
        classifiers: Those that are asked; the packaged ones unless given.
    """

    def __init__(
        self,
        provisional: list[ProvisionalSegment],
        shortest: int,
        emit_at: float,
        classifiers: BoundaryClassifiers | None = None,
    ) -> None:
        self._open = provisional
        self._shortest, self._emit_at = shortest, emit_at
        self._classifiers = classifiers
        self._mean_probability = 0.0

    def restart(self) -> None:
        """The stream was interrupted; nothing may be provisional any more then."""
        self._mean_probability = 0.0

    def find(self, kernel: KernelBoundaries) -> tuple[int, float] | None:
        """A boundary to emit now: its block and its confidence.

        The probability must hold for some time: it is averaged, newer ones weighing more.
        """
        if kernel.count % _LOOK == 0:  # then dynamic programming takes its time
            return None
        start = self._open[-1].boundary if self._open else kernel.start
        if kernel.count < _BEGINNING or kernel.count - start < self._shortest:
            self._mean_probability = 0.0
            return None
        classifier = self._classifier
        probability, cut = 0.0, 0
        candidate = kernel.best_candidate(start, _YOUNGEST, _OLDEST)
        if candidate is not None and candidate[1] >= _LEAST_GAIN:
            cut = candidate[0]
            probability = classifier(provisional_features(kernel, start, cut))
        self._mean_probability += (1.0 - _MEMORY) * (probability - self._mean_probability)
        # With a low threshold the average may still be high enough where there is no candidate any more.
        if probability == 0.0 or self._mean_probability < self._emit_at or kernel.count - cut < _LEAST_AGE:
            return None
        self._mean_probability = 0.0
        return cut, classifier.confidence(probability)

    def due_for_review(self, kernel: KernelBoundaries) -> list[ProvisionalSegment]:
        """Those to be reviewed now."""
        ages = [(one, kernel.count - one.boundary) for one in self._open]
        return [one for one, age in ages if age >= _REVIEWED_FROM and age % _REVIEW == 0]

    def review(self, kernel: KernelBoundaries, provisional: ProvisionalSegment) -> bool:
        """Renews its confidence by what has come since; False if it is to be retracted."""
        classifier = self._classifier
        probability = classifier(provisional_features(kernel, provisional.before, provisional.boundary))
        provisional.confidence = classifier.confidence(probability)
        return probability >= _RETRACTED_BELOW

    def matching(self, boundary: int) -> ProvisionalSegment | None:
        """The one that the final `boundary` confirms, if any: the nearest."""
        near = [one for one in self._open if abs(one.boundary - boundary) <= _SAME_PLACE]
        return min(near, key=lambda one: abs(one.boundary - boundary), default=None)

    @property
    def _classifier(self) -> BoundaryClassifier:
        return (self._classifiers or packaged_classifiers()).provisional
