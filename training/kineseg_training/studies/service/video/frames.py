"""What a video shows, whoever segmented the recording, and which of its frames come in."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from kineseg.motion import CANONICAL_BONES, CANONICAL_CHANNELS, Recording, canonical_positions
from kineseg.motion.joint_mapping import CANONICAL_JOINTS, split_joint_name
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from sklearn.decomposition import PCA

from kineseg_training.errors import DataError, SettingsError
from kineseg_training.studies.colors import Key, key_of

# Everybody is drawn this tall, in units of the picture that are about metres.
_TALL = 1.7
_CAMERA_LAG_S = 0.35
_SIDES = {"left": -1, None: 0, "right": 1}


@dataclass(frozen=True, eq=False)
class Scene:
    """A recording with what was found in it.

    Attributes:
        title: First line.
        remark: Second line: who segmented it, and how.
        times: ``(T,)`` seconds of the frames, from 0.
        positions: ``(T, J, 3)`` joints, y up from the floor, a standing person about 1.7 tall; NaN: not seen.
        bones: Pairs of joints, and the side of the body: -1 left, 0 middle, 1 right.
        head: The joint that is drawn as a head, if there is one.
        follow: ``(T, 2)`` what the camera follows, x and z.
        predicted: ``(T,)`` label of every frame, -1 for none.
        truth: ``(T,)`` true class of every frame, if known.
        names: Of the true classes.
        points: ``(N, 2)`` principal components of the embedding.
        point_frames: ``(N,)`` the last frame that each point knows of, rising.
        share: Of the embedding's variance that the two components have.
        decided: Per boundary its frame and the frame at which it was decided; empty where all was known at the end.
        key: The colours.
    """

    title: str
    remark: str
    times: NDArray[np.float64]
    positions: NDArray[np.float64]
    bones: tuple[tuple[int, int, int], ...]
    head: int | None
    follow: NDArray[np.float64]
    predicted: NDArray[np.int64]
    truth: NDArray[np.int64] | None
    names: Mapping[int, str]
    points: NDArray[np.float64]
    point_frames: NDArray[np.int64]
    share: float
    decided: tuple[tuple[int, int], ...]
    key: Key


@dataclass(frozen=True)
class Shot:
    """Which part of a scene, how fast and how large.

    Attributes:
        start_s: First second.
        stop_s: Last second; None: the end.
        speed: Seconds of motion in a second of video.
        fps: Frames in a second of video.
        width, height: Pixels, even numbers.
    """

    start_s: float = 0.0
    stop_s: float | None = None
    speed: float = 1.0
    fps: float = 30.0
    width: int = 1280
    height: int = 720

    def __post_init__(self) -> None:
        for name in ("speed", "fps"):
            if not getattr(self, name) > 0:
                raise SettingsError(f"{name} must be above 0, got {getattr(self, name)}")
        if self.width < 320 or self.height < 180 or self.width % 2 or self.height % 2:
            raise SettingsError(
                f"size: {self.width}x{self.height}; expected even numbers of at least 320x180, such as 1280x720"
            )

    def rows(self, scene: Scene) -> NDArray[np.int64]:
        """The frames of the scene to show, one for each frame of the video.

        Raises:
            SettingsError: The seconds are not in the recording.
        """
        end = float(scene.times[-1])
        stop = end if self.stop_s is None else self.stop_s
        if not 0 <= self.start_s < stop or self.start_s >= end:
            raise SettingsError(
                f"seconds: {self.start_s:g} to {stop:g} of a recording of {end:.1f} s; expected a range inside it"
            )
        if stop > end + 0.5:
            raise SettingsError(f"seconds: the recording ends at {end:.1f} s, before {stop:g} s")
        wanted = np.arange(self.start_s, min(stop, end) + 1e-9, self.speed / self.fps)
        after = np.searchsorted(scene.times, wanted - 1e-9).clip(1, len(scene.times) - 1)
        nearer = np.abs(scene.times[after - 1] - wanted) <= np.abs(scene.times[after] - wanted)
        return np.asarray(after - nearer, dtype=np.int64)


def shot_size(text: str) -> tuple[int, int]:
    """Width and height from a text like ``1280x720``.

    Raises:
        SettingsError: It is none.
    """
    found = re.fullmatch(r"(\d+)x(\d+)", text)
    if found is None:
        raise SettingsError(f"size: {text!r}; expected WIDTHxHEIGHT in pixels, such as 1280x720")
    return int(found[1]), int(found[2])


def scene_of(
    recording: Recording,
    predicted: NDArray[np.integer],
    embedding: NDArray[np.floating],
    embedding_frames: NDArray[np.integer],
    *,
    title: str = "",
    remark: str = "",
    decided: tuple[tuple[int, int], ...] = (),
) -> Scene:
    """Put a recording and its segmentation together.

    Args:
        recording: With joint positions, or in canonical channels. Its truth, if any, is shown too.
        predicted: ``(T,)`` label of every frame, -1 for none.
        embedding: ``(N, E)`` any embedding.
        embedding_frames: ``(N,)`` the frame of the recording that each was computed at, rising.
        title: First line; the recording's name unless given.
        remark: Second line.
        decided: See `Scene`.

    Raises:
        DataError: The recording has no joint positions, or the numbers of frames differ.
    """
    if len(predicted) != recording.n_frames:
        raise DataError(f"{recording.name}: {recording.n_frames} frames, but {len(predicted)} labels")
    if len(embedding) != len(embedding_frames) or len(embedding) < 2:
        raise DataError(
            f"{recording.name}: {len(embedding)} points of the embedding for {len(embedding_frames)} frames; expected "
            "as many, and at least two"
        )
    positions, bones = _body(recording)
    head = _head(recording)
    bones = tuple(bone for bone in bones if bone[0] != head)  # what is above it is inside the head that is drawn
    labels = np.asarray(predicted, dtype=np.int64)
    truth = None if recording.truth is None else recording.truth.frame_labels(recording.n_frames)
    names = {} if recording.truth is None else dict(zip(recording.truth.labels, recording.truth.names, strict=True))
    points, share = _plane(embedding)
    times = recording.times()
    return Scene(
        title=title or recording.name,
        remark=remark,
        times=times - times[0],
        positions=positions,
        bones=bones,
        head=head,
        follow=_follow(positions, recording.rate),
        predicted=labels,
        truth=truth,
        names={label: name.replace("_", " ") for label, name in names.items()},
        points=points,
        point_frames=np.asarray(embedding_frames, dtype=np.int64),
        share=share,
        decided=decided,
        key=key_of(labels, truth),
    )


def check_suffix(path: Path) -> None:
    """Refuse a file that is no video before anything is computed.

    Raises:
        SettingsError: The suffix is neither .mp4 nor .gif.
    """
    if path.suffix.lower() not in (".mp4", ".gif"):
        raise SettingsError(f"out: {path.name!r} must end in .mp4 or .gif")


def _body(recording: Recording) -> tuple[NDArray[np.float64], tuple[tuple[int, int, int], ...]]:
    """Joints in picture units and the bones between them."""
    if recording.positions is not None:
        points = np.array(recording.positions)
        if recording.up == "z":
            points = points[..., [1, 2, 0]]
        bones = _bones(recording)
    elif recording.channels == CANONICAL_CHANNELS:
        points = canonical_positions(recording.frames)
        bones = _sided(CANONICAL_JOINTS, CANONICAL_BONES)
    else:
        raise DataError(
            f"{recording.name}: has no joint positions, so there is no body to draw; use a recording with a skeleton "
            "or with positions"
        )
    if not bones:
        raise DataError(
            f"{recording.name}: nothing says which of its joints are connected ({', '.join(recording.joints[:6])} ...)"
        )
    heights = points[..., 1]
    seen = np.isfinite(heights).any(axis=1)
    if not seen.any():
        raise DataError(f"{recording.name}: no joint was ever seen")
    low, high = np.nanmin(heights[seen], axis=1), np.nanmax(heights[seen], axis=1)
    scale = _TALL / max(float(np.median(high - low)), 1e-9)
    points[..., 1] -= np.quantile(low, 0.02)
    return points * scale, bones


def _bones(recording: Recording) -> tuple[tuple[int, int, int], ...]:
    names = recording.joints
    if recording.skeleton is not None and recording.skeleton.names == names:
        parents = recording.skeleton.parents
        pairs = [(names[parent], names[joint]) for joint, parent in enumerate(parents) if parent >= 0]
    else:
        pairs = [(a, b) for a, b in CANONICAL_BONES if a in names and b in names]
    return _sided(names, pairs)


def _head(recording: Recording) -> int | None:
    names = CANONICAL_JOINTS if recording.positions is None else recording.joints
    return next((joint for joint, name in enumerate(names) if split_joint_name(name) == (None, "head")), None)


def _sided(names: tuple[str, ...], pairs: Sequence[tuple[str, str]]) -> tuple[tuple[int, int, int], ...]:
    place = {name: joint for joint, name in enumerate(names)}
    return tuple((place[a], place[b], _SIDES[split_joint_name(b)[0]]) for a, b in pairs)


def _follow(positions: NDArray[np.float64], rate: float) -> NDArray[np.float64]:
    """The first joint's place on the floor, smoothly; held where it was not seen."""
    floor = positions[:, 0, [0, 2]].copy()
    rows = np.arange(len(floor))
    for axis in range(2):
        seen = np.isfinite(floor[:, axis])
        floor[:, axis] = np.interp(rows, rows[seen], floor[seen, axis]) if seen.any() else 0.0
    return np.asarray(gaussian_filter1d(floor, max(_CAMERA_LAG_S * rate, 1e-3), axis=0, mode="nearest"))


def _plane(embedding: NDArray[np.floating]) -> tuple[NDArray[np.float64], float]:
    values = np.asarray(embedding, dtype=np.float64)
    if values.shape[1] < 2:
        values = np.column_stack([values, np.zeros(len(values))])
    if np.allclose(values, values[0]):
        return np.zeros((len(values), 2)), 0.0
    pca = PCA(2, svd_solver="full").fit(values)
    return np.asarray(pca.transform(values)), float(pca.explained_variance_ratio_.sum())
