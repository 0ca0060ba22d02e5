"""Features of boundaries: without a unit, and different on a change than within a movement."""

from __future__ import annotations

import numpy as np
import pytest
from kineseg_core.segmenter import KernelBoundaries, SegmenterSettings
from kineseg_core.segmenter.boundary_classifier import packaged_classifiers
from kineseg_core.segmenter.features import FINAL_FEATURES, PROVISIONAL_FEATURES, final_features, provisional_features
from numpy.typing import NDArray

from tests.core.segmenter.streams import embedding_stream

SECONDS, CHANGE = 17, 120  # the change is at block 120


def kernel_after(actions: list[int], scale: float = 1.0) -> KernelBoundaries:
    """Kernel change-point detection after some seconds of 12 s of one action and 5 s of another."""
    frames, _ = embedding_stream(actions, [12.0, SECONDS - 12.0])
    blocks: NDArray[np.float64] = scale * frames[: SECONDS * 30].reshape(-1, 3, frames.shape[1]).mean(axis=1)
    settings = SegmenterSettings(median_squared_distance=scale**2)
    kernel = KernelBoundaries(settings, blocks.shape[1], 4.0)
    for block in blocks:
        kernel.update(block)
    return kernel


def test_a_change_convinces_both_classifiers_and_a_movement_that_goes_on_does_not() -> None:
    changed, same = kernel_after([0, 1]), kernel_after([0, 0])
    assert packaged_classifiers().final(final_features(changed, CHANGE)) > 0.9
    assert packaged_classifiers().final(final_features(same, CHANGE)) < 0.1
    assert packaged_classifiers().provisional(provisional_features(changed, 0, CHANGE)) > 0.9
    assert packaged_classifiers().provisional(provisional_features(same, 0, CHANGE)) < 0.3


@pytest.mark.parametrize("scale", [0.05, 30.0])
def test_features_have_no_unit(scale: float) -> None:
    plain, scaled = kernel_after([0, 1]), kernel_after([0, 1], scale)
    # Blocks are kept in half precision, so not to the last digit.
    np.testing.assert_allclose(final_features(scaled, CHANGE), final_features(plain, CHANGE), atol=0.05)
    young, scaled_young = (provisional_features(kernel, 0, CHANGE) for kernel in (plain, scaled))
    np.testing.assert_allclose(scaled_young, young, atol=0.1)


def test_each_number_has_a_name() -> None:
    kernel, classifiers = kernel_after([0, 1]), packaged_classifiers()
    assert final_features(kernel, CHANGE).shape == (len(FINAL_FEATURES),) == classifiers.final.mean.shape
    young = provisional_features(kernel, 0, CHANGE)
    assert young.shape == (len(PROVISIONAL_FEATURES),) == classifiers.provisional.mean.shape
    assert (classifiers.final.features, classifiers.provisional.features) == (FINAL_FEATURES, PROVISIONAL_FEATURES)


@pytest.mark.parametrize("cut", [4, 12, 30, 160, 166])
def test_little_before_or_after_a_cut_is_enough_for_numbers(cut: int) -> None:
    kernel = kernel_after([0, 1])
    assert np.isfinite(final_features(kernel, cut)).all()
    assert np.isfinite(provisional_features(kernel, max(0, cut - 12), cut)).all()
