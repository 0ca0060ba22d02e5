"""Teaches the segmenter's judges, says how well they do on streams kept out of the lessons, and writes judges.json.

python -m kineseg_training.default.boundary_classifiers.train
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import kineseg_core.segmenter
import numpy as np
from kineseg_core.inference.bundle import load_bundle, packaged_bundle
from kineseg_core.segmenter import Decision, Segmenter, SegmenterSettings, SegmentStart, SegmentUpdate
from kineseg_core.segmenter.boundary_classifier import Judge, packaged_judge
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score
from tqdm import tqdm

from kineseg_training.default.boundary_classifiers.examples import Lessons, early_lessons, final_lessons
from kineseg_training.default.boundary_classifiers.fit import calibrated, learn_early, learn_final
from kineseg_training.default.boundary_classifiers.streams import Lesson, made, real

JUDGES = Path(kineseg_core.segmenter.__file__).parent / "boundary_classifiers.json"
LATENCIES = (4.0, 4.0, 4.0, 2.0, 1.0, 8.0)
KEPT_OUT = 6  # one stream in so many

Learn = Callable[[Sequence[Lesson], Sequence[Lessons]], Judge]


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse, teach, report, write."""
    parser = argparse.ArgumentParser(
        prog="python -m kineseg_training.default.boundary_classifiers.train", description=__doc__
    )
    parser.add_argument("--bundle", type=Path, default=packaged_bundle(), help="whose embedding to learn on")
    parser.add_argument("--cmu", type=Path, required=True, help="folder of the CMU clips")
    options = parser.parse_args(arguments)
    bundle = load_bundle(options.bundle)
    rng = np.random.default_rng(0)
    streams = list(tqdm(made(bundle, options.cmu), desc="streams"))
    lessons = [
        final_lessons(stream.blocks, stream.truth, LATENCIES[i % len(LATENCIES)], rng)
        for i, stream in enumerate(tqdm(streams, desc="final"))
    ]
    _report("final", _final, streams, lessons)
    _write("final", _final(streams, lessons))

    streams += list(tqdm(real(bundle, options.cmu), desc="takes"))
    lessons = [early_lessons(stream.blocks, _confirmed(stream), rng) for stream in tqdm(streams, desc="early")]
    _report("early", _early, streams, lessons)
    announced = []
    for fold in (0, 1):  # what becomes of announcements on streams that the judge has not seen
        _write("early", _early(streams, lessons[fold::2]))
        announced += [outcome for stream in tqdm(streams[1 - fold :: 2], desc="told") for outcome in _outcomes(stream)]
    judge = calibrated(_early(streams, lessons), announced)
    print(f"early: of {len(announced)} announcements {np.mean([came for _, came in announced]):.0%} were confirmed; "
          f"told {np.mean([told for told, _ in announced]):.0%} before calibration {judge.calibration}")  # fmt: skip
    _write("early", judge)


def _final(streams: Sequence[Lesson], lessons: Sequence[Lessons]) -> Judge:
    def of(kind: str) -> Lessons:
        return Lessons.joined([part for stream, part in zip(streams, lessons, strict=True) if stream.kind == kind])

    return learn_final(of("generated"), of("assembled"))


def _early(_: Sequence[Lesson], lessons: Sequence[Lessons]) -> Judge:
    return learn_early(Lessons.joined(lessons))


def _confirmed(stream: Lesson) -> list[tuple[int, int]]:
    """(boundary, decided) of the segmenter with the final judge as it is now."""
    return [
        (decision.index, now)
        for now, decision in _decisions(stream)
        if isinstance(decision, SegmentStart | SegmentUpdate) and decision.confirmed and decision.index
    ]


def _outcomes(stream: Lesson) -> list[tuple[float, bool]]:
    """(confidence, confirmed) of what the segmenter announces with the judges as they are now."""
    told: dict[int, float] = {}
    confirmed: set[int] = set()
    for _, decision in _decisions(stream):
        if isinstance(decision, SegmentStart) and not decision.confirmed:
            told[decision.segment_id] = decision.confidence
        elif isinstance(decision, SegmentUpdate) and decision.confirmed:
            confirmed.add(decision.segment_id)
    return [(confidence, segment in confirmed) for segment, confidence in told.items()]


def _decisions(stream: Lesson) -> Iterator[tuple[int, Decision]]:
    """All decisions about a stream, each with the block at which it was made."""
    settings = SegmenterSettings()
    segmenter = Segmenter(settings, stream.blocks.shape[1], 1.0 / settings.block_s)
    for now, (block, surprise) in enumerate(zip(stream.blocks.astype(np.float32), stream.surprise, strict=True)):
        for decision in segmenter.update(block, float(surprise)):
            yield now, decision


def _report(name: str, learn: Learn, streams: Sequence[Lesson], lessons: Sequence[Lessons]) -> None:
    """Prints how a judge does that has not seen one stream in `KEPT_OUT`."""
    there = [i for i, part in enumerate(lessons) if len(part.answer)]
    kept_in, kept_out = [i for i in there if i % KEPT_OUT], [i for i in there if i % KEPT_OUT == 0]
    judge = learn([streams[i] for i in kept_in], [lessons[i] for i in kept_in])
    for kind in dict.fromkeys(stream.kind for stream in streams):
        parts = [lessons[i] for i in kept_out if streams[i].kind == kind]
        if not parts:
            continue
        test = Lessons.joined(parts)
        told = np.array([judge(evidence) for evidence in test.evidence])
        print(
            f"{name:<6} {kind:<10} {len(test.answer):6d} moments, {100 * test.answer.mean():3.0f} % boundaries: "
            f"area under ROC {roc_auc_score(test.answer, told):.3f}, average precision "
            f"{average_precision_score(test.answer, told):.3f}, Brier {brier_score_loss(test.answer, told):.3f}"
        )


def _write(name: str, judge: Judge) -> None:
    judges = json.loads(JUDGES.read_text()) | {name: judge.plain()}
    JUDGES.write_text(json.dumps(judges, indent=1) + "\n")
    packaged_judge.cache_clear()


if __name__ == "__main__":
    main()
