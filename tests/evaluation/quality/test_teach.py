"""Teaching the judges, on little."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from kineseg.motion import generate
from kineseg_core.inference.bundle import load_bundle, packaged_bundle
from kineseg_core.segmenter import SegmenterSettings
from kineseg_core.segmenter.features import EARLY, FINAL

from evaluation.quality.ablation import Embedded, resegment
from evaluation.quality.stream import from_truth
from evaluation.quality.teach.learn import calibrated, learn_early, learn_final
from evaluation.quality.teach.lessons import Lessons, early_lessons, final_lessons
from evaluation.quality.teach.streams import Lesson, embed, lesson


@pytest.fixture(scope="module")
def streams() -> list[Lesson]:
    path = packaged_bundle()
    assert path is not None
    bundle = load_bundle(path)
    return [
        lesson(bundle, "generated", from_truth("", generate(seed, rate=30.0, duration_s=45.0)), speed)
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


@pytest.mark.data
@pytest.mark.usefixtures("scoring_scripts")
def test_a_setting_that_confirms_everything_confirms_more() -> None:
    path = packaged_bundle()
    assert path is not None
    stream = from_truth("generated", generate(4, rate=30.0, duration_s=45.0))
    embedded = Embedded(stream, *embed(load_bundle(path), stream.recording), 30.0)
    final, early = resegment(embedded, SegmenterSettings(), 4.0)
    everything, _ = resegment(embedded, SegmenterSettings(confirm_at=0.0), 4.0)
    nothing, _ = resegment(embedded, SegmenterSettings(confirm_at=1.1), 4.0)
    assert final.shares["bf1"] > 0.7
    assert early.shares["recall"] >= final.shares["recall"] - 0.2
    assert everything.shares["precision"] <= final.shares["precision"]
    assert nothing.shares["recall"] == 0.0
