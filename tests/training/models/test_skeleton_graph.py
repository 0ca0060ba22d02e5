"""The skeleton's graph: partitions of neighbourhoods, and their normalisation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kineseg.motion import CANONICAL_BONES, CANONICAL_JOINTS
from kineseg_training.errors import SettingsError
from kineseg_training.models.skeleton_graph import adjacency, canonical_graph, normalised, partitions


@st.composite
def trees(draw: st.DrawFn) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...], int]:
    """Any skeleton: joints, bones, and a centre."""
    count = draw(st.integers(1, 12))
    joints = tuple(f"j{i}" for i in range(count))
    bones = tuple((joints[draw(st.integers(0, i - 1))], joints[i]) for i in range(1, count))
    return joints, bones, draw(st.integers(0, count - 1))


@given(trees())
def test_partitions_part_the_neighbourhood_of_every_joint(
    tree: tuple[tuple[str, ...], tuple[tuple[str, str], ...], int],
) -> None:
    joints, bones, centre = tree
    neighbours = adjacency(joints, bones)
    assert (neighbours == neighbours.T).all()
    assert neighbours.sum() == 2 * len(bones)
    own, towards, away = parts = partitions(neighbours, centre)
    np.testing.assert_array_equal(parts.sum(axis=0), neighbours + np.eye(len(joints)))
    assert (own == np.eye(len(joints))).all()  # in a tree no neighbour is as far from the centre
    assert (towards == away.T).all()
    assert (towards.sum(axis=1) == (np.arange(len(joints)) != centre)).all()  # all but the centre have one way to it


@given(trees())
def test_a_joint_hears_the_mean_of_each_partition(
    tree: tuple[tuple[str, ...], tuple[tuple[str, str], ...], int],
) -> None:
    joints, bones, centre = tree
    parts = partitions(adjacency(joints, bones), centre)
    sums = normalised(parts).sum(axis=2)
    np.testing.assert_allclose(sums, (parts.sum(axis=2) > 0).astype(float))


def test_the_canonical_skeleton_is_one_tree_about_the_hips() -> None:
    own, towards, away = canonical_graph()
    place = {joint: i for i, joint in enumerate(CANONICAL_JOINTS)}
    assert (own == np.eye(len(CANONICAL_JOINTS))).all()
    for parent, child in CANONICAL_BONES:
        assert towards[place[child], place[parent]] == 1.0
        assert away[place[parent], place[child]] > 0.0
    assert away[place["hips"], place["spine"]] == pytest.approx(1 / 3)  # spine and two hip joints


def test_bones_that_do_not_fit_are_refused() -> None:
    with pytest.raises(SettingsError, match="'tail'"):
        adjacency(("hips", "head"), (("hips", "tail"),))
    with pytest.raises(SettingsError, match="1 joints are not connected"):
        partitions(adjacency(("a", "b", "c"), (("a", "b"),)), 0)
