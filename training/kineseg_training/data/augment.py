"""Make more of few takes: mirror them, change their tempo, shift the sampling phase, add a little noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kineseg_training.data.corpus import Clip
from kineseg_training.data.resample import resample
from kineseg_training.errors import SettingsError

# Channels that are speeds: they grow with the tempo. The others are postures and stay as they are.
_SPEED_PREFIXES = ("root.velocity", "root.yaw_rate")


@dataclass(frozen=True)
class Augmentation:
    """What may be done to a clip each time it is used.

    Attributes:
        mirror: Swap left and right in half of the cases.
        tempo: Slowest and fastest tempo, such as ``(0.7, 1.4)``; ``(1, 1)`` leaves it.
        phase: Start resampling at a random one of the frames that fall into one tick.
        noise: Standard deviation of white noise, in normalised channels (added when training, not here).
    """

    mirror: bool = True
    tempo: tuple[float, float] = (0.7, 1.4)
    phase: bool = True
    noise: float = 0.02

    def __post_init__(self) -> None:
        slowest, fastest = self.tempo
        if not 0.0 < slowest <= fastest:
            raise SettingsError(f"tempo must be two positive factors, the slower first, got {self.tempo}")
        if self.noise < 0.0:
            raise SettingsError(f"noise must not be negative, got {self.noise}")


NO_AUGMENTATION = Augmentation(mirror=False, tempo=(1.0, 1.0), phase=False, noise=0.0)


def augment(
    clip: Clip, channels: Sequence[str], rate: float, how: Augmentation, rng: np.random.Generator
) -> NDArray[np.float64]:
    """One variation of a clip, ``(T', C)`` at `rate` frames per second."""
    frames = clip.frames
    slowest, fastest = how.tempo
    # Uniform in the logarithm: twice as fast is as likely as twice as slow.
    tempo = float(np.exp(rng.uniform(np.log(slowest), np.log(fastest))))
    offset = int(rng.integers(max(1, round(clip.rate * tempo / rate))))
    flip = bool(rng.random() < 0.5)
    if how.phase:
        frames = frames[min(offset, len(frames) - 1) :]
    if how.mirror and flip:
        frames = mirrored(frames, channels)
    if tempo != 1.0:
        speeds = np.array([channel.startswith(_SPEED_PREFIXES) for channel in channels])
        frames = np.where(speeds, frames * tempo, frames)
    return resample(frames, clip.rate * tempo, rate)


def mirrored(frames: NDArray[np.float64], channels: Sequence[str]) -> NDArray[np.float64]:
    """The same motion seen in a mirror: left and right change places, what points left points right.

    Raises:
        SettingsError: The channels have no left and right (canonical pose has).
    """
    source = np.empty(len(channels), dtype=np.int64)
    sign = np.ones(len(channels))
    place = {channel: i for i, channel in enumerate(channels)}
    for i, channel in enumerate(channels):
        other = channel
        if channel.startswith("left_"):
            other = "right_" + channel.removeprefix("left_")
        elif channel.startswith("right_"):
            other = "left_" + channel.removeprefix("right_")
        if other not in place:
            raise SettingsError(f"mirror: channel {channel!r} has no counterpart {other!r}; train without mirroring")
        source[i] = place[other]
        if channel.endswith((".x", "_x")) or channel == "root.yaw_rate":
            sign[i] = -1.0
    if np.array_equal(source, np.arange(len(channels))):
        raise SettingsError("mirror: these channels know no left and right; train without mirroring")
    return np.asarray(frames[:, source] * sign)
