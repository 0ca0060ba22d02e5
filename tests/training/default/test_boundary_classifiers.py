"""Teaching the judges, on little."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from kineseg.motion import generate
from kineseg_core.inference.bundle import load_bundle, packaged_bundle
from kineseg_core.segmenter.features import EARLY, FINAL
from kineseg_training.default.boundary_classifiers.examples import Lessons, early_lessons, final_lessons
from kineseg_training.default.boundary_classifiers.fit import calibrated, learn_early, learn_final
from kineseg_training.default.boundary_classifiers.streams import Lesson, lesson


@pytest.fixture(scope="module")
def streams() -> list[Lesson]:
    path = packaged_bundle()
    assert path is not None
    bundle = load_bundle(path)
    return [
        lesson(bundle, "generated", generate(seed, rate=30.0, duration_s=45.0), speed)
        for seed, speed in ((1, 1.0), (2, 0.8), (3, 1.3))
    ]


def test_a_stream_played_faster_is_shorter_and_its_boundaries_come_sooner(streams: list[Lesson]) -> None:
    for stream, speed in zip(streams, (1.0, 0.8, 1.3), strict=True):
        assert len(stream.blocks) == pytest.approx(450 / speed, rel=0.03)
        assert len(stream.blocks) == len(stream.surprise)
        assert (np.diff(stream.truth) > 20).all()
        assert stream.truth[-1] < len(stream.blocks)


def test_the_final_judge_learns_to_tell_true_boundaries(streams: list[Lesson]) -> None:
    rng = np.random.default_rng(0)
    lessons = [final_lessons(stream.blocks, stream.truth, 4.0, rng) for stream in streams]
    judge = learn_final(Lessons.joined(lessons[:2]), lessons[2])
    seen = Lessons.joined(lessons)
    assert seen.evidence.shape == (len(seen.answer), len(FINAL))
    told = np.array([judge(evidence) for evidence in seen.evidence])
    assert told[seen.answer].mean() > told[~seen.answer].mean() + 0.3


def test_the_early_judge_learns_from_decisions_and_its_confidence_is_put_right(streams: list[Lesson]) -> None:
    rng = np.random.default_rng(0)
    decided = [(round(at), round(at) + 36) for at in streams[0].truth if at + 36 < len(streams[0].blocks)]
    lessons = early_lessons(streams[0].blocks, decided, rng)
    judge = learn_early(lessons)
    assert lessons.evidence.shape == (len(lessons.answer), len(EARLY))
    told = np.array([judge(evidence) for evidence in lessons.evidence])
    assert told[lessons.answer].mean() > told[~lessons.answer].mean() + 0.3
    overconfident = [(0.8, i % 2 == 0) for i in range(100)] + [(0.95, i % 4 > 0) for i in range(100)]
    fair = calibrated(replace(judge, calibration=(1.0, 0.0)), overconfident)
    assert fair.confidence(0.8) == pytest.approx(0.5, abs=0.02)
    assert fair.confidence(0.95) == pytest.approx(0.75, abs=0.02)
