"""Training streams: single-action clips, varied and joined, so that it is known which frames are one action."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from kineseg_training.data import Augmentation, Clip, augment, resample
from kineseg_training.errors import DataError, SettingsError

Array = NDArray[np.float64]

_RETURNS = 0.35  # how often the next segment is an action that was in the stream before
_SHORTEST_CLIP_S = 1.0
_LONGEST_SEGMENT_S = 6.0
# Of the channels of canonical pose, those of the legs and of the body's travel; the others are the upper body.
_LOWER = ("hips", "left_hip", "left_knee", "left_ankle", "left_toe", "right_hip", "right_knee", "right_ankle",
          "right_toe", "root")  # fmt: skip


@dataclass(frozen=True)
class JoinSettings:
    """How streams are made. Variations belong to an action: in one stream it always comes in the same one.

    Attributes:
        rate: Frames a second.
        seconds: Length of a stream.
        shortest_s: Shortest segment.
        blend_s: Length of the passage from one segment to the next.
        tempo: Slowest and fastest tempo.
        mirror: Swap left and right in half of the actions.
        amplitude: Smallest and largest factor on how far a pose is from the clip's mean pose.
        proportions: Standard deviation of a factor on each channel: people differ.
        noise: Standard deviation of white noise, in units of `Pool.scale`.
        mixed: Share of actions whose upper body is of another clip than the lower: more actions than there are clips.
    """

    rate: float = 30.0
    seconds: float = 7.0
    shortest_s: float = 2.0
    blend_s: float = 0.33
    tempo: tuple[float, float] = (0.6, 1.6)
    mirror: bool = True
    amplitude: tuple[float, float] = (0.75, 1.25)
    proportions: float = 0.04
    noise: float = 0.02
    mixed: float = 0.2

    def __post_init__(self) -> None:
        if not 0.0 < self.shortest_s < _LONGEST_SEGMENT_S:
            raise SettingsError(f"shortest_s must lie in (0, {_LONGEST_SEGMENT_S:g}), got {self.shortest_s}")
        if not 0.0 < self.blend_s < self.shortest_s:
            raise SettingsError(f"blend_s must lie in (0, shortest_s), got {self.blend_s}")
        if not self.seconds > 0.0:
            raise SettingsError(f"seconds must be positive, got {self.seconds}")
        if not 0.0 <= self.mixed <= 1.0:
            raise SettingsError(f"mixed must lie in [0, 1], got {self.mixed}")


@dataclass(frozen=True, eq=False)
class Pool:
    """The clips to draw from.

    Attributes:
        kinds: Clips by kind of action.
        channels: C names.
        mean, scale: ``(C,)`` of all frames, for noise and for the model's normalisation.
    """

    kinds: Mapping[str, Sequence[Clip]]
    channels: tuple[str, ...]
    mean: Array
    scale: Array

    @classmethod
    def of(
        cls,
        clips: Sequence[Clip],
        channels: tuple[str, ...],
        rate: float,
        *,
        same: Mapping[str, str] = MappingProxyType({}),
    ) -> Pool:
        """Group `clips` by the last folder in their names; those shorter than a second are left out.

        Args:
            clips: Each of one action.
            channels: C names.
            rate: Frames a second of the streams to be made.
            same: Folders that hold the same kind as another.

        Raises:
            DataError: Fewer than two kinds of action are left: there is nothing to distinguish.
        """
        kinds: dict[str, list[Clip]] = {}
        for clip in clips:
            if clip.duration_s >= _SHORTEST_CLIP_S:
                folder = clip.name.rpartition("/")[0].rpartition("/")[2]
                kept = min(clip.rate, 2.0 * rate)  # enough for other tempos, and each use costs less
                frames = resample(clip.frames, clip.rate, kept)
                kinds.setdefault(same.get(folder, folder), []).append(Clip(clip.name, frames, kept))
        if len(kinds) < 2:
            raise DataError(
                f"{len(kinds)} kind(s) of action with clips of a second or more; an embedding that separates actions "
                "needs two at least, each in its own folder"
            )
        frames = np.concatenate([resample(clip.frames, clip.rate, rate) for each in kinds.values() for clip in each])
        deviation = frames.std(axis=0)
        floor = max(0.1 * float(np.median(deviation)), 1e-6)
        return cls(kinds, channels, frames.mean(axis=0), np.maximum(deviation, floor))


@dataclass(frozen=True, eq=False)
class Joined:
    """A stream.

    Attributes:
        frames: ``(T, C)``.
        action: ``(T,)`` number of the action in this stream; frames of equal number are one action.
        kind: ``(T,)`` number of the kind that the action's clip is of, in the order of the pool; -1 where two kinds
            are mixed.
    """

    frames: Array
    action: NDArray[np.int64]
    kind: NDArray[np.int64]


def draw_stream(pool: Pool, how: JoinSettings, rng: np.random.Generator) -> Joined:
    """A stream of actions of different kinds, some coming back."""
    length, blend = round(how.seconds * how.rate), max(1, round(how.blend_s * how.rate))
    actions: list[tuple[Array, int]] = []
    frames, action = np.zeros((0, len(pool.channels))), np.zeros(0, dtype=np.int64)
    last = -1
    while len(frames) < length:
        n = round(rng.uniform(how.shortest_s, _LONGEST_SEGMENT_S) * how.rate)
        known = [i for i in range(len(actions)) if i != last]
        if known and rng.random() < _RETURNS:
            last = known[int(rng.integers(len(known)))]
        else:
            actions.append(_action(pool, how, {kind for _, kind in actions}, rng))
            last = len(actions) - 1
        whole = actions[last][0]
        start = int(rng.integers(len(whole) - n + 1))
        joined = _blend(frames, whole[start : start + n], blend)
        action = action[: len(action) - blend // 2]  # the passage belongs half to the segment before it
        action = np.append(action, np.full(len(joined) - len(action), last))
        frames = joined
    frames = frames[:length] + how.noise * pool.scale * rng.standard_normal((length, len(pool.channels)))
    kinds = np.array([kind for _, kind in actions], dtype=np.int64)
    return Joined(frames, action[:length], kinds[action[:length]])


def _action(pool: Pool, how: JoinSettings, taken: set[int], rng: np.random.Generator) -> tuple[Array, int]:
    """``(n, C)`` frames of one action, as many as the longest segment has, and its kind."""
    names = list(pool.kinds)
    free = [i for i in range(len(names)) if i not in taken] or list(range(len(names)))
    kind = free[int(rng.integers(len(free)))]
    frames = _performance(pool, names[kind], how, rng)
    if rng.random() >= how.mixed:
        return frames, kind
    other = _performance(pool, names[int(rng.integers(len(names)))], how, rng)
    lower = np.array([channel.partition(".")[0] in _LOWER for channel in pool.channels])
    return np.where(lower, frames, other), -1


def _performance(pool: Pool, kind: str, how: JoinSettings, rng: np.random.Generator) -> Array:
    """A clip of the kind in one variation, repeated until it is long enough."""
    clips = pool.kinds[kind]
    clip = clips[int(rng.integers(len(clips)))]
    varied = augment(
        clip, pool.channels, how.rate, Augmentation(mirror=how.mirror, tempo=how.tempo, phase=True, noise=0.0), rng
    )
    centre = varied.mean(axis=0)
    varied = centre + rng.uniform(*how.amplitude) * (varied - centre)
    varied = varied * (1.0 + how.proportions * rng.standard_normal(varied.shape[1]))
    need = round(_LONGEST_SEGMENT_S * how.rate)
    blend = max(1, min(round(how.blend_s * how.rate), len(varied) // 3))
    whole = varied
    while len(whole) < need:
        whole = _blend(whole, varied, blend)
    start = int(rng.integers(len(whole) - need + 1))
    return np.asarray(whole[start : start + need])


def _blend(before: Array, after: Array, n: int) -> Array:
    """`before`, its last `n` frames passing into the first `n` of `after`."""
    if not len(before):
        return after
    n = min(n, len(before), len(after))
    weight = (np.arange(1, n + 1) / (n + 1))[:, None]
    passage = before[-n:] * (1.0 - weight) + after[:n] * weight
    return np.concatenate([before[:-n], passage, after[n:]])
