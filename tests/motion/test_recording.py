"""Recordings, annotations and skeletons refuse what does not fit together, and slice all that belongs to a frame."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from kineseg.motion import Annotation, Recording, RecordingError, Skeleton, SkeletonError


def make(**changes: Any) -> Recording:
    values: dict[str, Any] = {
        "frames": np.arange(20.0).reshape(10, 2),
        "rate": 50.0,
        "channels": ("a", "b"),
        "timestamps": np.arange(10) / 50.0,
        "truth": Annotation((0, 4, 7), (0, 1, 0), ("walk", "run", "walk"), ((0, 0), (3, 5), (6, 8))),
    }
    return Recording(**(values | changes))


@pytest.mark.parametrize(
    ("changes", "field", "message"),
    [
        ({"frames": np.zeros(3)}, "frames", "frames, channels"),
        ({"frames": np.zeros((0, 2)), "timestamps": None, "truth": None}, "frames", "no data"),
        ({"frames": [["x", "y"]]}, "frames", "numbers"),
        ({"frames": np.full((10, 2), np.inf)}, "a", "frame 0, channel 'a' is inf"),
        ({"frames": np.full((10, 2), np.nan)}, "frames", "all 20 values are missing"),
        ({"rate": 0.0}, "rate", "positive"),
        ({"rate": -30.0}, "rate", "positive"),
        ({"rate": float("nan")}, "rate", "positive"),
        ({"channels": ("a",)}, "channels", "1 channel names for 2"),
        ({"channels": ("a", "a")}, "channels", "unique"),
        ({"timestamps": np.arange(9.0)}, "timestamps", "expected"),
        ({"timestamps": np.array([0, 1, 1, 3, 4, 5, 6, 7, 8, 9.0])}, "timestamps", "frame 2"),
        ({"timestamps": np.full(10, np.inf)}, "timestamps", "finite"),
        ({"positions": np.zeros((10, 1, 3))}, "positions", "expected"),
        ({"positions": np.full((10, 1, 3), np.inf), "joints": ("hips",)}, "positions", "hips"),
        ({"truth": Annotation((0, 10), (0, 1), ("a", "b"))}, "truth", "only 10 frames"),
        ({"up": "x"}, "up", "'y' or 'z'"),
        ({"frames": None}, "frames", "frames, channels"),
        ({"frames": np.ones((10, 2)) * 1j}, "frames", "complex"),
        ({"rate": "50"}, "rate", "positive number"),
        ({"channels": "ab"}, "channels", "sequence of names"),
        ({"channels": 2}, "channels", "sequence of names"),
    ],
)
def test_a_recording_refuses_what_contradicts_itself(changes: dict[str, Any], field: str, message: str) -> None:
    with pytest.raises(RecordingError, match=message) as caught:
        make(**changes)
    assert caught.value.field == field


def test_what_is_masked_is_missing() -> None:
    masked = np.ma.MaskedArray(np.ones((10, 2)), mask=np.eye(10, 2))
    assert np.argwhere(np.isnan(make(frames=masked).frames)).tolist() == [[0, 0], [1, 1]]


def test_what_is_missing_can_be_held() -> None:
    nan = np.nan
    recording = make(frames=np.array([[nan, nan], [nan, nan], [3, nan], [nan, nan], [5, nan], *[[nan, nan]] * 5]))
    assert recording.held()[:, 0].tolist() == [3, 3, 3, 3, 5, 5, 5, 5, 5, 5]
    assert recording.held()[:, 1].tolist() == [0] * 10  # never seen
    assert np.isnan(recording.frames[0, 0])


def test_a_slice_takes_everything_along() -> None:
    part = make().slice(3, 8)
    assert part.n_frames == 5
    assert part.frames[0].tolist() == [6.0, 7.0]
    assert part.timestamps is not None
    assert part.timestamps[0] == pytest.approx(0.06)
    assert part.truth == Annotation((0, 1, 4), (0, 1, 0), ("walk", "run", "walk"), ((0, 0), (0, 2), (3, 5)))
    assert part.duration_s == pytest.approx(0.1)


def test_an_empty_slice_is_an_error() -> None:
    with pytest.raises(RecordingError, match="no frames"):
        make().slice(8, 3)


def test_arrays_are_read_only_but_the_caller_keeps_his() -> None:
    mine = np.zeros((4, 1))
    recording = Recording(frames=mine, rate=1.0, channels=("a",))
    with pytest.raises(ValueError, match="read-only"):
        recording.frames[0, 0] = 1.0
    mine[0, 0] = 1.0


def test_times_follow_the_rate_where_there_are_no_timestamps() -> None:
    assert make(timestamps=None).times()[-1] == pytest.approx(0.18)
    assert make(timestamps=None).duration_s == pytest.approx(0.2)


def test_frame_labels_and_changes_of_an_annotation() -> None:
    truth = Annotation.from_names((0, 2, 5), ("walk", "run", "walk"))
    assert truth.frame_labels(7).tolist() == [0, 0, 1, 1, 1, 0, 0]
    assert truth.changes == (2, 5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (((1,), (0,), ("a",)), "frame 0"),
        (((), (), ()), "frame 0"),
        (((0, 3, 3), (0, 1, 2), ("a", "b", "c")), "increase"),
        (((0, 3), (0,), ("a", "b")), "labels has 1"),
        (((0, 3), (0, 1), ("a",)), "names has 1"),
        (((0, 3), (0, 1), ("a", "b"), ((0, 0),)), "tolerance has 1"),
    ],
)
def test_an_annotation_refuses_what_contradicts_itself(arguments: tuple[Any, ...], message: str) -> None:
    with pytest.raises(RecordingError, match=message):
        Annotation(*arguments)


@pytest.mark.parametrize(
    ("names", "parents", "offsets", "message"),
    [
        ((), (), np.zeros((0, 3)), "at least one"),
        (("a", "a"), (-1, 0), np.zeros((2, 3)), "unique"),
        (("a", "b"), (-1,), np.zeros((2, 3)), "1 parents for 2"),
        (("a", "b"), (0, -1), np.zeros((2, 3)), "first joint must be the root"),
        (("a", "b"), (-1, -1), np.zeros((2, 3)), "only the first"),
        (("a", "b", "c"), (-1, 2, 0), np.zeros((3, 3)), "before its children"),
        (("a", "b"), (-1, 0), np.zeros((2, 2)), "shape"),
        (("a", "b"), (-1, 0), np.array([[0, 0, 0], [0, np.nan, 0]]), "joint b"),
    ],
)
def test_a_skeleton_refuses_what_is_not_a_tree(
    names: tuple[str, ...], parents: tuple[int, ...], offsets: Any, message: str
) -> None:
    with pytest.raises(SkeletonError, match=message):
        Skeleton(names, parents, offsets)


def test_rest_positions_add_up_along_the_tree() -> None:
    skeleton = Skeleton(("a", "b", "c"), (-1, 0, 1), np.array([[1, 0, 0], [0, 2, 0], [0, 0, 3.0]]))
    assert skeleton.rest_positions().tolist() == [[1, 0, 0], [1, 2, 0], [1, 2, 3]]
    with pytest.raises(SkeletonError, match="no joint 'd'; there are: a, b, c"):
        skeleton.index("d")
