"""How joints hang together by their names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kineseg.motion import CANONICAL_JOINTS, JointMappingError, tree_of

KINECT = ("HIP_CENTER", "SPINE", "HEAD", "ELBOW_LEFT", "SHOULDER_LEFT", "WRIST_LEFT", "HAND_LEFT", "WRIST_RIGHT")


def above(names: tuple[str, ...], mapping: dict[str, str] | None = None) -> dict[str, str]:
    return {
        name: names[parent] if parent >= 0 else "" for name, parent in zip(names, tree_of(names, mapping), strict=True)
    }


def test_what_names_say_is_followed_and_the_rest_hangs_on_the_hips() -> None:
    assert above(KINECT) == {
        "HIP_CENTER": "",
        "SPINE": "HIP_CENTER",
        "HEAD": "HIP_CENTER",  # there is no neck
        "ELBOW_LEFT": "SHOULDER_LEFT",
        "SHOULDER_LEFT": "SPINE",
        "WRIST_LEFT": "ELBOW_LEFT",
        "HAND_LEFT": "WRIST_LEFT",
        "WRIST_RIGHT": "HIP_CENTER",  # there is no right elbow
    }


def test_a_mapping_says_what_names_do_not() -> None:
    found = above(("m0", "m1", "m2"), {"left_elbow": "m2", "left_wrist": "m0"})
    assert found == {"m0": "m2", "m1": "", "m2": "m1"}
    with pytest.raises(JointMappingError, match="m9"):
        tree_of(("m0",), {"left_elbow": "m9"})


NAMES = st.sampled_from([*CANONICAL_JOINTS, *KINECT, "a", "b", "1"]) | st.text(min_size=1)


@given(st.lists(NAMES, min_size=1, unique=True))
def test_any_names_make_a_tree_with_one_root(names: list[str]) -> None:
    parents = tree_of(names)
    assert list(parents).count(-1) == 1
    for joint in range(len(names)):
        steps = 0
        while (joint := parents[joint]) >= 0:
            steps += 1
            assert steps < len(names)
