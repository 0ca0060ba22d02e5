"""One part of the method changed at a time: what the scores say then."""

from __future__ import annotations

import pytest
from kineseg.motion import generate
from kineseg_core.inference.bundle import load_bundle, packaged_bundle
from kineseg_core.segmenter import SegmenterSettings
from kineseg_training.default.boundary_classifiers.streams import embed

from evaluation.quality.ablation import Embedded, resegment
from evaluation.quality.stream import from_truth


@pytest.mark.data
@pytest.mark.usefixtures("scoring_scripts")
def test_a_setting_that_confirms_everything_confirms_more() -> None:
    path = packaged_bundle()
    assert path is not None
    stream = from_truth("generated", generate(4, rate=30.0, duration_s=45.0))
    embedded = Embedded(stream, *embed(load_bundle(path), stream.recording), 30.0)
    final, provisional = resegment(embedded, SegmenterSettings(), 4.0)
    everything, _ = resegment(embedded, SegmenterSettings(confirm_at=0.0), 4.0)
    nothing, _ = resegment(embedded, SegmenterSettings(confirm_at=1.1), 4.0)
    assert final.shares["bf1"] > 0.7
    assert provisional.shares["recall"] >= final.shares["recall"] - 0.2
    assert everything.shares["precision"] <= final.shares["precision"]
    assert nothing.shares["recall"] == 0.0
