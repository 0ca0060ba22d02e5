"""Films of moving shapes: the same for a seed, of any length, nothing cut off; and their patches."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kineseg_training.errors import SettingsError
from kineseg_training.studies.srivastava_2015.moving_shapes import (
    SILHOUETTES,
    ShapesSettings,
    moving_shapes,
    patched,
    pictures,
    silhouettes,
)

seeds = st.integers(0, 2**32 - 1)


@st.composite
def kinds(draw: st.DrawFn) -> ShapesSettings:
    side = draw(st.integers(10, 40))
    size = draw(st.integers(4, side - 1))
    speeds = sorted(draw(st.tuples(*[st.floats(0, side - size)] * 2)))
    return ShapesSettings(side, size, draw(st.integers(1, 3)), *speeds)


@given(seeds, kinds(), st.integers(1, 4), st.integers(1, 12), st.integers(0, 12))
@settings(max_examples=40)
def test_a_seed_gives_the_same_film_and_a_longer_one_begins_alike(
    seed: int, kind: ShapesSettings, count: int, length: int, more: int
) -> None:
    film = moving_shapes(count, length, np.random.default_rng(seed), kind)
    assert film.shape == (count, length, kind.side, kind.side)
    assert film.dtype == np.float32
    assert film.min() >= 0
    assert film.max() <= 1
    longer = moving_shapes(count, length + more, np.random.default_rng(seed), kind)
    assert np.array_equal(longer[:, :length], film)


@given(seeds, kinds(), st.integers(2, 30))
@settings(max_examples=40)
def test_shapes_stay_whole_and_inside(seed: int, kind: ShapesSettings, length: int) -> None:
    alone = ShapesSettings(kind.side, kind.size, 1, kind.slowest, kind.fastest)
    films = moving_shapes(3, length, np.random.default_rng(seed), alone)
    masks = silhouettes(kind.size)
    for film in films:
        ink = film.sum(axis=(1, 2))
        np.testing.assert_allclose(ink, ink[0], rtol=1e-4)  # none of it ever leaves the frame
        assert np.isclose(masks.sum(axis=(1, 2)), ink[0], rtol=1e-4).any()
        assert all(inked(frame) in {inked(mask) for mask in masks} for frame in film)


def inked(frame: np.ndarray) -> tuple[int, int]:
    """Height and width of what is drawn."""
    rows, columns = np.flatnonzero(frame.any(axis=1)), np.flatnonzero(frame.any(axis=0))
    return int(np.ptp(rows)), int(np.ptp(columns))


def test_shapes_move_as_fast_as_asked_and_bounce() -> None:
    kind = ShapesSettings(count=1, slowest=3.0, fastest=3.0)
    films = moving_shapes(20, 60, np.random.default_rng(0), kind)
    grid = np.arange(64)
    ink = films.sum(axis=(2, 3))
    middles = np.stack([(films.sum(axis=3) @ grid) / ink, (films.sum(axis=2) @ grid) / ink], axis=-1)
    steps = np.diff(middles, axis=1)
    speed = np.linalg.norm(steps, axis=2)
    assert np.median(speed) == pytest.approx(3.0, abs=0.5)
    turns = np.sign(steps[:, 1:]) * np.sign(steps[:, :-1]) < 0
    assert turns.any(axis=(1, 2)).all()  # in 60 frames each has met a side


def test_two_shapes_are_the_brighter_of_each_and_films_differ() -> None:
    films = moving_shapes(30, 5, np.random.default_rng(1))
    assert len(np.unique(films.reshape(30, -1), axis=0)) == 30
    most = 2 * silhouettes(28).sum(axis=(1, 2)).max()
    assert films.sum(axis=(2, 3)).max() <= most * (1 + 1e-5)
    assert films.sum(axis=(2, 3)).max() > 0.5 * most


def test_silhouettes_differ_and_touch_no_side() -> None:
    masks = silhouettes(28)
    assert len(masks) == len(SILHOUETTES)
    for i, mask in enumerate(masks):
        assert 0.15 < mask.mean() < 0.6
        assert all(np.abs(mask - other).mean() > 0.05 for other in masks[:i])


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"count": 0}, "count"),
        ({"size": 64}, "size must be at least 4 and less than the side"),
        ({"slowest": 5.0, "fastest": 4.0}, "slowest, fastest"),
        ({"fastest": 40.0}, "the room that a silhouette has"),
    ],
)
def test_senseless_films_are_refused(wrong: dict[str, float], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        ShapesSettings(**wrong)  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match="one film and one frame at least"):
        moving_shapes(1, 0, np.random.default_rng(0))


def test_patches_are_means_of_pixels_and_come_back_as_pictures() -> None:
    films = np.random.default_rng(0).random((2, 3, 12, 12), dtype=np.float32)
    vectors = patched(films, 4)
    assert vectors.shape == (2, 3, 9)
    np.testing.assert_allclose(vectors[1, 2, 5], films[1, 2, 4:8, 8:12].mean(), rtol=1e-5)
    np.testing.assert_allclose(pictures(vectors)[1, 2, 1, 2], vectors[1, 2, 5])
    assert np.array_equal(pictures(patched(films, 1)), films)
    with pytest.raises(SettingsError, match="5 x 5 pixels do not fill a frame of 12 x 12"):
        patched(films, 5)
    with pytest.raises(SettingsError, match="do not make a square"):
        pictures(np.zeros((2, 10), np.float32))
