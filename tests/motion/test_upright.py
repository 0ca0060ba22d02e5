"""Which way is up is found from the body, in every orientation, and a recording that lies down does not fool it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kineseg.motion import Recording, canonical_pose, generate, read
from numpy.typing import NDArray

PERSON = generate(seed=11, duration_s=20, rate=30)
Array = NDArray[np.float64]
# Proper rotations that carry y to each of the six directions.
TURNS: dict[str, Array] = {
    "y": np.eye(3),
    "z": np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0.0]]),
    "-y": np.diag([1.0, -1, -1]),
    "-z": np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0.0]]),
    "x": np.array([[0, 1, 0], [-1, 0, 0], [0, 0, 1.0]]),
    "-x": np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1.0]]),
}


def points() -> Array:
    assert PERSON.positions is not None
    return np.array(PERSON.positions)


def saved(folder: Path, positions: Array, joints: tuple[str, ...] = PERSON.joints) -> Path:
    np.savez(folder / "take.npz", positions=positions, joints=joints, rate=30.0)
    return folder / "take.npz"


def yawed(positions: Array, angle: float, turn: Array) -> Array:
    c, s = np.cos(angle), np.sin(angle)
    return np.asarray(positions @ np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]]).T @ turn.T)


@settings(max_examples=40)
@given(st.sampled_from(list(TURNS)), st.floats(0, 6.3), st.floats(0.01, 100), st.tuples(*[st.floats(-50, 50)] * 3))
def test_any_orientation_gives_the_same_pose(
    tmp_path: Path, direction: str, yaw: float, scale: float, shift: tuple[float, float, float]
) -> None:
    turned = scale * yawed(points(), yaw, TURNS[direction]) + np.array(shift)
    recording = read(saved(tmp_path, turned))
    assert recording.up == ("z" if direction == "z" or direction == "-z" else "y")
    expected = canonical_pose(read(saved(tmp_path, scale * points())))
    np.testing.assert_allclose(canonical_pose(recording).frames, expected.frames, atol=1e-5)
    assert bool(recording.notes) == (direction != "y")
    if direction != "y":
        assert f"stands along {direction}" in recording.notes[0]


@pytest.mark.parametrize("direction", ["y", "z"])
@pytest.mark.parametrize("share", [0.2, 0.4, 0.6])
def test_a_body_that_lies_down_for_a_while_does_not_turn_the_world(
    tmp_path: Path, direction: str, share: float
) -> None:
    body = points()
    lying = body[: int(share * len(body))] @ TURNS["z"].T  # along z, in a world with y up
    lying[..., 1] -= lying[..., 1].min(axis=1, keepdims=True)  # on the floor
    lying[..., 2] += np.linspace(0, 3, len(lying))[:, None]  # it rolls and crawls
    body[: len(lying)] = lying
    recording = read(saved(tmp_path, body @ TURNS[direction].T))
    assert recording.up == direction


def test_cartwheels_do_not_turn_the_world(tmp_path: Path) -> None:
    body = points()
    angle = np.where(np.arange(len(body)) % 60 < 25, np.linspace(0, 60, len(body)), 0.0)
    hips = body[:, [PERSON.joints.index("hips")]]
    c, s = np.cos(angle), np.sin(angle)
    turn = np.stack([np.stack([c, -s, 0 * c], -1), np.stack([s, c, 0 * c], -1), np.tile([0, 0, 1.0], (len(c), 1))], 1)
    recording = read(saved(tmp_path, np.einsum("tab,tjb->tja", turn, body - hips) + hips))
    assert recording.up == "y"
    assert not any("turned" in note for note in recording.notes)


def test_a_body_that_never_stands_is_read_as_y_up_and_says_so(tmp_path: Path) -> None:
    across = np.array([1.0, -1.0, 0.0]) / np.sqrt(2.0)
    along = np.ones(3) / np.sqrt(3.0)
    recording = read(saved(tmp_path, points() @ np.stack([across, along, np.cross(across, along)])))
    assert recording.up == "y"
    assert "y is assumed" in recording.notes[0]
    assert "--up z" in recording.notes[0]


def test_what_the_user_says_is_obeyed_with_a_warning(tmp_path: Path) -> None:
    file = saved(tmp_path, points() @ TURNS["z"].T)
    recording = read(file, up="y")
    assert recording.up == "y"
    assert recording.notes == (
        "read as y up, as given, but the body stands along z: if the result looks wrong, --up z",
    )
    assert read(file, up="z").notes == ()
    assert read(file).up == "z"


def test_joints_that_are_no_body_say_nothing(tmp_path: Path) -> None:
    recording = read(saved(tmp_path, np.random.default_rng(0).normal(size=(50, 3, 3)), ("wheel", "door", "arm")))
    assert (recording.up, recording.notes) == ("y", ())


def test_a_mapping_tells_the_body(tmp_path: Path) -> None:
    names = tuple(f"m{i}" for i in range(len(PERSON.joints)))
    file = saved(tmp_path, points() @ TURNS["z"].T, names)
    assert read(file).up == "y"
    mapping = {joint: name for joint, name in zip(PERSON.joints, names, strict=True) if joint in CANONICAL}
    recording = read(file, mapping=mapping)
    assert recording.up == "z"
    pose: Recording = canonical_pose(recording)
    assert np.isfinite(pose.frames).all()
    assert pose.notes == recording.notes
    assert dict(pose.mapping) == {}


CANONICAL = frozenset(canonical.rsplit(".", 1)[0] for canonical in canonical_pose(PERSON).channels)
