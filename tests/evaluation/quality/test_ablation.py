"""One part of the method changed at a time: what the scores say then."""

from __future__ import annotations

import pytest
from kineseg.motion import generate
from kineseg_core.boundary_network import packaged_network
from kineseg_core.inference.bundle import load_bundle, packaged_bundle

from evaluation.quality.ablation import Scene, Variant, resegment
from evaluation.quality.segmented import Embedded
from evaluation.quality.stream import from_truth


@pytest.mark.data
@pytest.mark.usefixtures("scoring_scripts")
def test_a_lower_threshold_cuts_more() -> None:
    path = packaged_bundle()
    assert path is not None
    stream = from_truth("generated", generate(4, rate=30.0, duration_s=45.0))
    scene = Scene(stream, Embedded.of(load_bundle(path), stream.recording))
    own = packaged_network().operating_point
    final, provisional = resegment(scene, Variant())
    more, _ = resegment(scene, Variant(own.at(0.02)))
    fewer, _ = resegment(scene, Variant(own.at(0.98)))
    assert final.shares["bf1"] > 0.7
    assert provisional.shares["recall"] >= final.shares["recall"] - 0.2
    assert more.shares["precision"] <= final.shares["precision"]
    assert fewer.shares["recall"] <= final.shares["recall"] <= more.shares["recall"]
    without, _ = resegment(scene, Variant(without_embedding=True))
    assert without.shares["bf1"] > 0.5
