"""Evidence for boundaries: without a unit, and different on a change than within a movement."""

from __future__ import annotations

import numpy as np
import pytest
from kineseg_core.segmenter import KernelBoundaries, SegmenterSettings
from kineseg_core.segmenter.boundary_classifier import packaged_judge
from kineseg_core.segmenter.features import EARLY, FINAL, early_evidence, final_evidence
from numpy.typing import NDArray

from tests.core.segmenter.streams import embedding_stream

SECONDS, CHANGE = 17, 120  # the change is at block 120


def kernel_after(actions: list[int], scale: float = 1.0) -> KernelBoundaries:
    """The programme after some seconds of 12 s of one action and 5 s of another."""
    frames, _ = embedding_stream(actions, [12.0, SECONDS - 12.0])
    blocks: NDArray[np.float64] = scale * frames[: SECONDS * 30].reshape(-1, 3, frames.shape[1]).mean(axis=1)
    settings = SegmenterSettings(median_squared_distance=scale**2)
    kernel = KernelBoundaries(settings, blocks.shape[1], 4.0)
    for block in blocks:
        kernel.update(block)
    return kernel


def test_a_change_convinces_both_judges_and_a_movement_that_goes_on_does_not() -> None:
    changed, same = kernel_after([0, 1]), kernel_after([0, 0])
    assert packaged_judge("final")(final_evidence(changed, CHANGE)) > 0.9
    assert packaged_judge("final")(final_evidence(same, CHANGE)) < 0.1
    assert packaged_judge("early")(early_evidence(changed, 0, CHANGE)) > 0.9
    assert packaged_judge("early")(early_evidence(same, 0, CHANGE)) < 0.3


@pytest.mark.parametrize("scale", [0.05, 30.0])
def test_evidence_has_no_unit(scale: float) -> None:
    plain, scaled = kernel_after([0, 1]), kernel_after([0, 1], scale)
    # Blocks are kept in half precision, so not to the last digit.
    np.testing.assert_allclose(final_evidence(scaled, CHANGE), final_evidence(plain, CHANGE), atol=0.05)
    np.testing.assert_allclose(early_evidence(scaled, 0, CHANGE), early_evidence(plain, 0, CHANGE), atol=0.1)


def test_each_number_has_a_name() -> None:
    kernel = kernel_after([0, 1])
    assert final_evidence(kernel, CHANGE).shape == (len(FINAL),) == packaged_judge("final").mean.shape
    assert early_evidence(kernel, 0, CHANGE).shape == (len(EARLY),) == packaged_judge("early").mean.shape
    assert (packaged_judge("final").evidence, packaged_judge("early").evidence) == (FINAL, EARLY)


@pytest.mark.parametrize("cut", [4, 12, 30, 160, 166])
def test_little_before_or_after_a_cut_is_enough_for_numbers(cut: int) -> None:
    kernel = kernel_after([0, 1])
    assert np.isfinite(final_evidence(kernel, cut)).all()
    assert np.isfinite(early_evidence(kernel, max(0, cut - 12), cut)).all()
