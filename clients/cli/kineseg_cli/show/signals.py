"""What of a motion is drawn: a few curves, and figures of the body where there is one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from kineseg.motion import CANONICAL_BONES, CANONICAL_CHANNELS, CANONICAL_JOINTS, Recording, canonical_positions
from numpy.typing import NDArray

Array = NDArray[np.float64]

_MOST = 6
_HEIGHTS = (
    ("left hand height", "left_wrist"),
    ("right hand height", "right_wrist"),
    ("left foot height", "left_ankle"),
    ("right foot height", "right_ankle"),
)
_MOTIONS = (("forward speed", "root.velocity_z"), ("turning", "root.yaw_rate"))
# Frames this many times further from the middle than half of all frames are far from it.
_FAR = 4.0
_SMOOTH_S = 0.3
_VIEW_RAD = np.radians(-38.0)


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """One curve: its name, and values (T,) scaled to lie between 0 and 1."""

    name: str
    values: Array


def is_body(recording: Recording) -> bool:
    """Whether the frames are canonical poses, so that a body can be drawn."""
    return recording.channels == CANONICAL_CHANNELS


def traces(recording: Recording) -> list[Trace]:
    """The curves to draw: known ones of a body, else the channels that vary most, six at most."""
    frames = recording.held()
    if is_body(recording):
        heights = canonical_positions(frames)[..., 1]
        curves = [(name, heights[:, CANONICAL_JOINTS.index(joint)]) for name, joint in _HEIGHTS]
        curves += [(name, frames[:, CANONICAL_CHANNELS.index(channel)]) for name, channel in _MOTIONS]
    else:
        spread = np.subtract(*np.percentile(frames, [95, 5], axis=0))
        most = sorted(int(i) for i in np.argsort(spread)[::-1][:_MOST])
        curves = [(recording.channels[i], frames[:, i]) for i in most]
    return [Trace(name, _scaled(values)) for name, values in curves]


def broken(times_s: Array, values: Array, breaks_s: Sequence[float]) -> tuple[Array, Array]:
    """A curve, times (T,) and values (T,), with a NaN put in at each break, so that no line is drawn across it."""
    rows = np.searchsorted(times_s, breaks_s)
    return np.insert(times_s, rows, breaks_s), np.insert(values, rows, np.nan)


def _scaled(values: Array) -> Array:
    low, high = np.percentile(values, [0.5, 99.5])
    if high - low < 1e-9:
        return np.full(len(values), 0.5)
    return np.asarray(np.clip((values - low) / (high - low), 0.0, 1.0))


@dataclass(frozen=True, slots=True, eq=False)
class Figures:
    """A body seen from its front left, one for each time asked for.

    Attributes:
        points: ``(T, J, 2)`` right and up, in body sizes, the floor at 0.
        bones: Pairs of joints to connect, each with -1 (right side), 0 (middle) or 1 (left side).
        head: The joint to draw a head at.
    """

    points: Array
    bones: tuple[tuple[int, int, int], ...]
    head: int


def figures(recording: Recording, rows: NDArray[np.int64]) -> Figures | None:
    """The body at the frames `rows`, or None if there is none."""
    if not is_body(recording):
        return None
    body = canonical_positions(recording.held()[rows])
    # Seen along the floor by somebody who stands to the body's front left.
    right = -body[..., 0] * np.cos(_VIEW_RAD) - body[..., 2] * np.sin(_VIEW_RAD)
    index = {name: i for i, name in enumerate(CANONICAL_JOINTS)}
    bones = []
    for parent, child in CANONICAL_BONES:
        side = 1 if child.startswith("left") else -1 if child.startswith("right") else 0
        bones.append((index[parent], index[child], side))
    return Figures(np.stack([right, body[..., 1]], axis=-1), tuple(bones), index["head"])


def rows_at(recording: Recording, times_s: Array) -> NDArray[np.int64]:
    """The row of the recording that is nearest to each time (T,), seconds since its first frame."""
    own = recording.times() - recording.times()[0]
    middles = (own[1:] + own[:-1]) / 2
    return np.asarray(np.searchsorted(middles, times_s), dtype=np.int64)


def plane(embeddings: Array, times_s: Array) -> tuple[Array, float]:
    """Embeddings in the plane in which they vary most, smoothed a little for the eye.

    Frames far from all others, such as those of a fault, neither choose the plane nor stretch it: they are drawn at
    its edge.

    Args:
        embeddings: ``(T, E)``, at least one.
        times_s: ``(T,)`` seconds.

    Returns:
        ``(T, 2)``, and the share of the variance of the usual frames that the plane holds, 0 to 1.
    """
    distances = np.linalg.norm(embeddings - np.median(embeddings, axis=0), axis=1)
    usual = distances <= _FAR * np.median(distances)
    centre = embeddings[usual].mean(axis=0)
    _, strengths, directions = np.linalg.svd(embeddings[usual] - centre, full_matrices=False)
    power = strengths**2
    flat = np.zeros((len(embeddings), 2))
    count = min(2, len(directions))
    flat[:, :count] = (embeddings - centre) @ directions[:count].T
    flat = np.clip(flat, flat[usual].min(axis=0), flat[usual].max(axis=0))
    share = float(power[:2].sum() / power.sum()) if power.sum() > 0 else 1.0
    return _smoothed(flat, times_s), share


def _smoothed(flat: Array, times_s: Array) -> Array:
    """Running mean over `_SMOOTH_S`."""
    if len(flat) < 3:
        return flat
    period = float(np.median(np.diff(times_s)))
    width = int(np.clip(round(_SMOOTH_S / period) if period > 0 else 1, 1, len(flat)))
    kernel = np.ones(width)
    weight = np.convolve(np.ones(len(flat)), kernel, mode="same")
    return np.stack([np.convolve(column, kernel, mode="same") / weight for column in flat.T], axis=1)
