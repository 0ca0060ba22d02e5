"""Cuts, clusters and scores: right where the answer is known."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from kineseg_training.errors import DataError
from kineseg_training.models.su_shlizerman import TiedSeq2Seq, TiedSettings
from kineseg_training.studies.su_shlizerman_2019.clips.case import Cutting, find_cuts, window_errors
from kineseg_training.studies.su_shlizerman_2019.clusters import (
    LINKAGES,
    Linkage,
    merge_tree,
    named,
    score,
    score_cuts,
    segment_means,
)
from numpy.typing import NDArray
from sklearn.metrics import accuracy_score


def still(source: int = 6, target: int = 6) -> TiedSeq2Seq:
    """A predictor that says that nothing moves."""
    network = TiedSeq2Seq(TiedSettings(2, 4, residual=True, source=source, target=target))
    with torch.no_grad():
        network.readout.weight.zero_()
        network.readout.bias.zero_()
    return network.eval()


def steps(*levels: tuple[float, int]) -> NDArray[np.float64]:
    """Levels that are held for so many frames."""
    return np.concatenate([np.full((n, 2), level) for level, n in levels])


def test_a_cut_is_made_where_the_error_peaks_and_nowhere_else() -> None:
    cutting = find_cuts(still(), steps((0.0, 40), (5.0, 31), (1.0, 40)), threshold=0.1)
    assert cutting.cuts == (40, 71)
    assert (cutting.errors > 0.1).sum() == 2
    assert find_cuts(still(), steps((0.0, 40), (5.0, 40)), threshold=1e9).cuts == ()


def test_errors_of_windows_are_those_of_what_comes() -> None:
    errors = window_errors(still(), steps((0.0, 12), (2.0, 12)), every=6)
    np.testing.assert_allclose(errors, [0.0, 4.0, 0.0], atol=1e-6)


@settings(max_examples=25)
@given(st.lists(st.tuples(st.floats(-3, 3), st.integers(1, 40)), min_size=1, max_size=6), st.floats(0.01, 2))
def test_every_frame_gets_a_label_of_its_own_found_segment(levels: list[tuple[float, int]], threshold: float) -> None:
    frames = steps(*levels, (0.0, 12))
    cutting = find_cuts(still(), frames, threshold)
    assert (np.diff(cutting.frames) > 0).all()
    assert len(cutting.frames) == len(cutting.states) == len(cutting.frame_errors)
    if not len(cutting.frames):
        return
    segment = cutting.segment_of()
    filled = cutting.fill(segment)
    assert len(filled) == len(frames)
    np.testing.assert_array_equal(filled[cutting.frames], segment)
    edges = [0, *cutting.cuts, len(frames)]
    for number, (start, stop) in enumerate(pairwise(edges)):
        if number in segment:
            assert set(filled[start:stop]) == {number}


def test_frames_that_are_only_read_are_filled_within_their_segment() -> None:
    cutting = Cutting(
        (10,),
        1.0,
        np.array([0]),
        np.array([0.0]),
        np.array([4, 5, 14, 15]),
        np.zeros((4, 2), np.float32),
        np.zeros(4),
        18,
    )
    assert cutting.fill(np.array([7, 8, 9, 3])).tolist() == [7] * 5 + [8] * 5 + [9] * 5 + [3] * 3


def test_too_short() -> None:
    for function in (find_cuts, window_errors):
        with pytest.raises(DataError, match="shorter than a window of 12"):
            function(still(), steps((0.0, 11)), 1)


@pytest.mark.parametrize(("source", "target"), [(6, 6), (6, 4), (4, 6), (10, 5)])
def test_without_cuts_each_frame_that_follows_a_source_is_decoded_once(source: int, target: int) -> None:
    cutting = find_cuts(still(source, target), steps((0.0, 60)), 1.0)
    decoded = cutting.frames
    assert decoded.tolist() == list(range(source, decoded[-1] + 1))
    assert decoded[-1] >= 60 - target - source


@pytest.mark.parametrize("linkage", LINKAGES)
def test_directions_that_lie_apart_are_clusters(linkage: Linkage) -> None:
    rng = np.random.default_rng(0)
    centres = np.eye(3, 8)
    true = np.repeat([0, 1, 2, 1], 30)
    states = centres[true] * rng.uniform(0.5, 3.0, (120, 1)) + 0.01 * rng.standard_normal((120, 8))
    tree = merge_tree(states, linkage)
    assert score(true, tree.into(3)).ari == 1.0
    assert score(true, tree.within(tree.gap())).ari == 1.0  # the number is found
    assert len(np.unique(tree.into(200))) == 120
    assert len(np.unique(tree.within(2.1))) == 1


def test_more_states_than_pairs_can_be_held_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kineseg_training.studies.su_shlizerman_2019.clusters._MOST", 50)
    true = np.repeat([0, 1], 500)
    labels = merge_tree(np.eye(2)[true], "average").into(2)
    assert len(labels) == 1000
    assert score(true, labels).mof > 0.98


def test_few_states() -> None:
    with pytest.raises(DataError, match="no decoded states"):
        merge_tree(np.empty((0, 3)), "single")
    one = merge_tree(np.ones((1, 3)), "single")
    assert one.into(3).tolist() == one.within(0.5).tolist() == [0]
    two = merge_tree(np.array([[1.0, 0.0], [0.0, 0.0]]), "single")  # one of them has no direction
    assert two.into(2).tolist() in ([0, 1], [1, 0])
    assert two.within(two.gap()).tolist() in ([0, 1], [1, 0])


def test_means_of_segments() -> None:
    means, row = segment_means(np.array([[1.0], [3.0], [5.0]]), np.array([0, 0, 4]))
    assert means.tolist() == [[2.0], [5.0]]
    assert row.tolist() == [0, 0, 1]


def test_known_scores() -> None:
    true = np.array([0, 0, 0, 1, 1, 1, 2, 2, 2, 2])
    same = score(true, 7 - true)
    assert (same.ari, same.ami, same.mof) == (1.0, pytest.approx(1.0), 1.0)
    found = np.array([5, 5, 5, 5, 5, 5, 1, 1, 1, 3])
    assert named(true, found).tolist()[6:] == [2, 2, 2, -2]
    assert score(true, found).mof == 0.6
    assert score(true, np.zeros(10, dtype=int)).mof == 0.4


@settings(max_examples=30)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=40), st.permutations(range(4)))
def test_names_of_clusters_do_not_matter_and_the_best_naming_wins(
    pairs: list[tuple[int, int]], other: list[int]
) -> None:
    true, found = np.array(pairs).T
    renamed = score(true, np.array(other)[found])
    assert score(true, found).mof == renamed.mof
    assert renamed.mof >= accuracy_score(true, np.array(other)[found])


def test_known_cut_scores() -> None:
    half = score_cuts((100, 200), (103, 150), 5)
    assert (half.precision, half.recall, half.f1) == (0.5, 0.5, 0.5)
    assert score_cuts((100,), (98, 102), 5).precision == 0.5  # each true cut counts once
    none = score_cuts((100,), (), 5)
    assert (none.precision, none.recall, none.f1) == (1.0, 0.0, 0.0)
    assert score_cuts((), (), 5).f1 == 1.0
