"""Trains both classifiers, the second with the first in use, and says how well they do on streams kept out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np
from kineseg.motion import MotionError, Recording, read
from kineseg_core.inference.bundle import Bundle
from kineseg_core.segmenter import Decision, Segmenter, SegmenterSettings, SegmentStart, SegmentUpdate
from kineseg_core.segmenter.boundary_classifier import BoundaryClassifier, BoundaryClassifiers, packaged_classifiers
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score
from tqdm import tqdm

from kineseg_training.data.action_clips import action_clips
from kineseg_training.default.boundary_classifiers.examples import Examples, final_examples, provisional_examples
from kineseg_training.default.boundary_classifiers.fit import calibrated, fit_final, fit_provisional
from kineseg_training.default.boundary_classifiers.streams import TrainingStream, made_streams, take_streams
from kineseg_training.errors import DataError, SettingsError

LATENCIES_S = (4.0, 4.0, 4.0, 2.0, 1.0, 8.0)  # of one stream after the other
KEPT_OUT = 6  # one stream in so many

Fit = Callable[[Sequence[TrainingStream], Sequence[Examples]], BoundaryClassifier]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class TrainingSettings:
    """What the classifiers are trained on; the defaults made those that are shipped.

    Attributes:
        generated, assembled: How many streams; both classifiers learn from them.
        take_tempos: At which tempos the takes are played; for the provisional classifier.
    """

    generated: int = 90
    assembled: int = 60
    take_tempos: tuple[float, ...] = (0.7, 1.0, 1.4)

    def __post_init__(self) -> None:
        for name in ("generated", "assembled"):
            if getattr(self, name) < 2:
                raise SettingsError(f"{name} must be at least 2, got {getattr(self, name)}")


def train(
    bundle: Bundle,
    cmu: Path,
    settings: TrainingSettings | None = None,
    *,
    report: Callable[[str], object] = print,
    progress: bool = True,
) -> BoundaryClassifiers:
    """Both classifiers, rounded as they are written.

    Args:
        bundle: Whose embedding they are for.
        cmu: Folder of the CMU clips; without ``subject_86`` there are no takes to learn from.
        settings: What they are trained on.
        report: Is given lines on how well they do.
        progress: Show bars.

    Raises:
        DataError: The clips are not there or cannot be read.
    """
    settings = settings or TrainingSettings()

    def shown(what: str, each: Iterable[T], total: int) -> Iterator[T]:
        yield from tqdm(each, desc=what, total=total, disable=None if progress else True)

    rng = np.random.default_rng(0)
    made = made_streams(bundle, action_clips(cmu), settings.generated, settings.assembled)
    streams = list(shown("streams", made, settings.generated + settings.assembled))
    examples = [
        final_examples(stream.blocks, stream.truth, LATENCIES_S[i % len(LATENCIES_S)], rng)
        for i, stream in enumerate(shown("final", streams, len(streams)))
    ]
    _report_kept_out("final", _fit_final, streams, examples, report)
    classifiers = _rounded(replace(packaged_classifiers(), final=_fit_final(streams, examples)))

    takes = _takes(cmu)
    if not takes:
        report(f"{cmu}: has no subject_86, so the provisional classifier learns without the takes")
    real = take_streams(bundle, takes, settings.take_tempos)
    streams += shown("takes", real, len(takes) * len(settings.take_tempos))
    examples = [
        provisional_examples(stream.blocks, _confirmed(stream, classifiers), rng)
        for stream in shown("provisional", streams, len(streams))
    ]
    _report_kept_out("provisional", _fit_provisional, streams, examples, report)
    outcomes: list[tuple[float, bool]] = []
    for fold in (0, 1):  # what becomes of provisional boundaries in streams that the classifier has not seen
        half = _rounded(replace(classifiers, provisional=_fit_provisional(streams, examples[fold::2])))
        unseen = streams[1 - fold :: 2]
        outcomes += [one for stream in shown("outcomes", unseen, len(unseen)) for one in _outcomes(stream, half)]
    provisional = calibrated(_fit_provisional(streams, examples), outcomes)
    report(
        f"provisional: of {len(outcomes)} boundaries {np.mean([confirmed for _, confirmed in outcomes]):.0%} were "
        f"confirmed; mean probability {np.mean([probability for probability, _ in outcomes]):.0%} before calibration "
        f"{provisional.calibration}"
    )
    return _rounded(replace(classifiers, provisional=provisional))


def _rounded(classifiers: BoundaryClassifiers) -> BoundaryClassifiers:
    """As they are read again."""
    return BoundaryClassifiers.from_text(classifiers.text())


def _takes(cmu: Path) -> list[Recording]:
    try:
        return [read(path) for path in sorted((cmu / "subject_86").glob("*.mat"))]
    except MotionError as error:
        raise DataError(str(error)) from error


def _fit_final(streams: Sequence[TrainingStream], examples: Sequence[Examples]) -> BoundaryClassifier:
    def of(kind: str) -> Examples:
        return Examples.joined([part for stream, part in zip(streams, examples, strict=True) if stream.kind == kind])

    return fit_final(of("generated"), of("assembled"))


def _fit_provisional(_: Sequence[TrainingStream], examples: Sequence[Examples]) -> BoundaryClassifier:
    return fit_provisional(Examples.joined(examples))


def _confirmed(stream: TrainingStream, classifiers: BoundaryClassifiers) -> list[tuple[int, int]]:
    """(boundary, decided) of what the segmenter confirms."""
    return [
        (decision.index, now)
        for now, decision in _decisions(stream, classifiers)
        if isinstance(decision, SegmentStart | SegmentUpdate) and decision.confirmed and decision.index
    ]


def _outcomes(stream: TrainingStream, classifiers: BoundaryClassifiers) -> list[tuple[float, bool]]:
    """(confidence when emitted, confirmed) of the segmenter's provisional boundaries."""
    emitted: dict[int, float] = {}
    confirmed: set[int] = set()
    for _, decision in _decisions(stream, classifiers):
        if isinstance(decision, SegmentStart) and not decision.confirmed:
            emitted[decision.segment_id] = decision.confidence
        elif isinstance(decision, SegmentUpdate) and decision.confirmed:
            confirmed.add(decision.segment_id)
    return [(confidence, segment in confirmed) for segment, confidence in emitted.items()]


def _decisions(stream: TrainingStream, classifiers: BoundaryClassifiers) -> Iterator[tuple[int, Decision]]:
    """All decisions about a stream, each with the block at which it was made."""
    settings = SegmenterSettings()
    dim = stream.blocks.shape[1]
    segmenter = Segmenter(settings, dim, 1.0 / settings.block_s, classifiers=classifiers)
    for now, (block, surprise) in enumerate(zip(stream.blocks.astype(np.float32), stream.surprise, strict=True)):
        for decision in segmenter.update(block, float(surprise)):
            yield now, decision


def _report_kept_out(
    name: str,
    fit: Fit,
    streams: Sequence[TrainingStream],
    examples: Sequence[Examples],
    report: Callable[[str], object],
) -> None:
    """How a classifier does that has not seen one stream in `KEPT_OUT`."""
    there = [i for i, part in enumerate(examples) if len(part)]
    kept_in, kept_out = [i for i in there if i % KEPT_OUT], [i for i in there if i % KEPT_OUT == 0]
    classifier = fit([streams[i] for i in kept_in], [examples[i] for i in kept_in])
    for kind in dict.fromkeys(stream.kind for stream in streams):
        parts = [examples[i] for i in kept_out if streams[i].kind == kind]
        if not parts:
            continue
        test = Examples.joined(parts)
        if test.positive.all() or not test.positive.any():
            report(f"{name:<11} {kind:<10} too few examples were kept out to say how well it does")
            continue
        probability = np.array([classifier(features) for features in test.features])
        report(
            f"{name:<11} {kind:<10} {len(test):6d} examples, {100 * test.positive.mean():3.0f} % boundaries: "
            f"area under ROC {roc_auc_score(test.positive, probability):.3f}, average precision "
            f"{average_precision_score(test.positive, probability):.3f}, Brier "
            f"{brier_score_loss(test.positive, probability):.3f}"
        )
