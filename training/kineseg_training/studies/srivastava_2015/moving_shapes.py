"""Two silhouettes that bounce about in a small frame: films of any length for models that see patches of pixels.

Takes the place of the moving MNIST digits of Srivastava, Mansimov and Salakhutdinov, "Unsupervised Learning of Video
Representations using LSTMs", ICML 2015 (arXiv 1502.04681), with the same frame, sizes and laws of motion. The
silhouettes are our own: polygons, some of them like letters.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from kineseg_training.errors import SettingsError

# Corners (x, y) in a unit square, y downwards.
SILHOUETTES: dict[str, tuple[tuple[float, float], ...]] = {
    "T": ((0.05, 0.05), (0.95, 0.05), (0.95, 0.3), (0.63, 0.3), (0.63, 0.95), (0.37, 0.95), (0.37, 0.3), (0.05, 0.3)),
    "L": ((0.15, 0.05), (0.42, 0.05), (0.42, 0.69), (0.9, 0.69), (0.9, 0.95), (0.15, 0.95)),
    "U": (
        *((0.08, 0.05), (0.34, 0.05), (0.34, 0.69), (0.66, 0.69)),
        *((0.66, 0.05), (0.92, 0.05), (0.92, 0.95), (0.08, 0.95)),
    ),
    "Z": (
        *((0.08, 0.05), (0.92, 0.05), (0.92, 0.26), (0.42, 0.72), (0.92, 0.72)),
        *((0.92, 0.95), (0.08, 0.95), (0.08, 0.74), (0.58, 0.28), (0.08, 0.28)),
    ),
    "cross": (
        *((0.36, 0.05), (0.64, 0.05), (0.64, 0.36), (0.95, 0.36), (0.95, 0.64), (0.64, 0.64)),
        *((0.64, 0.95), (0.36, 0.95), (0.36, 0.64), (0.05, 0.64), (0.05, 0.36), (0.36, 0.36)),
    ),
    "triangle": ((0.5, 0.05), (0.97, 0.93), (0.03, 0.93)),
    "diamond": ((0.5, 0.03), (0.9, 0.5), (0.5, 0.97), (0.1, 0.5)),
    "arrow": ((0.03, 0.36), (0.5, 0.36), (0.5, 0.08), (0.97, 0.5), (0.5, 0.92), (0.5, 0.64), (0.03, 0.64)),
}
_PER_PIXEL = 5  # points a side at which a pixel is looked up: its value is the share of them inside


@dataclass(frozen=True)
class ShapesSettings:
    """What the films show.

    Attributes:
        side: Pixels of a frame's side.
        size: Pixels of a silhouette's side.
        count: Silhouettes in a film; where they overlap, the brighter is seen.
        slowest: Pixels a frame, of a silhouette's velocity.
        fastest: The same; at most the room that a silhouette has.
    """

    side: int = 64
    size: int = 28
    count: int = 2
    slowest: float = 2.0
    fastest: float = 5.0

    def __post_init__(self) -> None:
        if self.count < 1:
            raise SettingsError(f"count must be at least 1, got {self.count}")
        if not 4 <= self.size < self.side:
            raise SettingsError(f"size must be at least 4 and less than the side of {self.side}, got {self.size}")
        if not 0.0 <= self.slowest <= self.fastest <= self.side - self.size:
            raise SettingsError(
                f"slowest, fastest: expected 0 <= slowest <= fastest <= {self.side - self.size} (the room that a "
                f"silhouette has), got {self.slowest} and {self.fastest}"
            )


def moving_shapes(
    count: int, length: int, rng: np.random.Generator, settings: ShapesSettings | None = None
) -> NDArray[np.float32]:
    """Films of silhouettes that move straight on and bounce off the frame's sides.

    Each has a silhouette, a place, a direction and a speed at random; places are rounded to whole pixels. A longer film
    begins like a shorter one from the same random numbers.

    Args:
        count: N, films.
        length: T, frames of each.
        rng: All randomness.
        settings: What they show.

    Returns:
        ``(N, T, side, side)``, rows downwards, values in [0, 1].

    Raises:
        SettingsError: `count` or `length` is below one.
    """
    settings = settings or ShapesSettings()
    if count < 1 or length < 1:
        raise SettingsError(f"count, length: expected one film and one frame at least, got {count} and {length}")
    masks = silhouettes(settings.size)
    which = rng.integers(len(masks), size=(settings.count, count))
    room = settings.side - settings.size
    start = rng.uniform(0.0, room, size=(settings.count, count, 1, 2))
    angle = rng.uniform(0.0, 2 * np.pi, size=(settings.count, count, 1))
    speed = rng.uniform(settings.slowest, settings.fastest, size=(settings.count, count, 1, 1))
    velocity = speed * np.stack([np.sin(angle), np.cos(angle)], axis=-1)
    corners = np.rint(_folded(start + np.arange(length)[:, None] * velocity, room)).astype(np.int64)

    films = np.zeros((count, length, settings.side, settings.side), dtype=np.float32)
    # Every place that a silhouette can have in every frame, as a view: (N, T, room + 1, room + 1, size, size).
    places = sliding_window_view(films, (settings.size, settings.size), axis=(2, 3), writeable=True)
    film, frame = np.arange(count)[:, None], np.arange(length)
    for shape, corner in zip(which, corners, strict=True):
        at = (film, frame, corner[..., 0], corner[..., 1])
        places[at] = np.maximum(places[at], masks[shape][:, None])
    return films


def silhouettes(size: int) -> NDArray[np.float32]:
    """All silhouettes, ``(K, size, size)`` in the order of `SILHOUETTES`, smooth at the edges, values in [0, 1]."""
    from matplotlib.path import Path  # half a second to import

    fine = (np.arange(size * _PER_PIXEL) + 0.5) / (size * _PER_PIXEL)
    points = np.stack(np.meshgrid(fine, fine), axis=-1).reshape(-1, 2)
    found = []
    for corners in SILHOUETTES.values():
        inside = Path(np.array(corners)).contains_points(points).reshape(size, _PER_PIXEL, size, _PER_PIXEL)
        found.append(inside.mean(axis=(1, 3)))
    return np.stack(found).astype(np.float32)


def _folded(way: NDArray[np.float64], room: float) -> NDArray[np.float64]:
    """A way straight on, folded back at 0 and `room`."""
    return np.asarray(room - np.abs(np.mod(way, 2 * room) - room))


def patched(films: NDArray[np.float32], patch: int) -> NDArray[np.float32]:
    """Each frame as one vector of the means of its patches.

    Args:
        films: ``(N, T, side, side)``.
        patch: Pixels of a patch's side; 1 leaves every pixel as it is.

    Returns:
        ``(N, T, (side / patch) ** 2)``, row by row, values in the range of the pixels.

    Raises:
        SettingsError: Patches of this size do not fill the frame.
    """
    count, length, height, width = films.shape
    if patch < 1 or height % patch or width % patch:
        raise SettingsError(f"patch: {patch} x {patch} pixels do not fill a frame of {height} x {width}")
    # One side after the other: several times as fast as the mean over both.
    rows = films.reshape(count, length, height // patch, patch, width).mean(axis=3)
    columns = sum((rows[..., i::patch] for i in range(1, patch)), start=rows[..., 0::patch])
    return np.asarray(columns / patch, dtype=np.float32).reshape(count, length, -1)


def pictures(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """``(..., side * side)`` back to square pictures ``(..., side, side)``, one pixel a patch.

    Raises:
        SettingsError: Not the number of values of a square.
    """
    side = round(vectors.shape[-1] ** 0.5)
    if side * side != vectors.shape[-1]:
        raise SettingsError(f"vectors: {vectors.shape[-1]} values do not make a square picture")
    return vectors.reshape(*vectors.shape[:-1], side, side)
