"""No signal, however shaped, ends a stream: it is segmented from its first frame to its last."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kineseg_core.generic import ScratchPlan, scratch_bundle
from kineseg_core.inference.decoder import Decoder
from kineseg_core.intake.chunk import LARGEST_VALUE
from numpy.typing import NDArray

from tests.core.in_process import SCRATCH, SHIPPED, closed, events

Values = NDArray[np.float64]
Random = np.random.Generator
Shape = Callable[[int, int, Random], Values]  # frames, channels


def one_alive(n: int, channels: int, random: Random) -> Values:
    values = np.zeros((n, channels))
    values[:, random.integers(channels)] = random.standard_normal(n)
    return values


def one_spike(n: int, channels: int, random: Random) -> Values:
    values = 1e-6 * random.standard_normal((n, channels))
    values[n // 2] = LARGEST_VALUE
    return values


def cycle(n: int, channels: int, random: Random) -> Values:
    path = random.standard_normal((int(random.integers(2, 60)), channels))
    return np.tile(path, (n // len(path) + 1, 1))[:n]


def steps(n: int, channels: int, random: Random) -> Values:
    return np.cumsum((random.random((n, channels)) < 0.02) * random.standard_normal((n, channels)), axis=0)


def wave(n: int, channels: int, random: Random) -> Values:
    return np.sin(np.arange(n)[:, None] * random.uniform(0.05, 1.5, (1, channels)))


SHAPES: dict[str, Shape] = {
    "constant": lambda n, channels, random: np.full((n, channels), random.normal()),
    "zero": lambda n, channels, random: np.zeros((n, channels)),
    "missing": lambda n, channels, random: np.full((n, channels), np.nan),
    "steps": steps,
    "ramp": lambda n, channels, random: np.arange(n)[:, None] * random.standard_normal((1, channels)),
    "bursts": lambda n, channels, random: random.standard_normal((n, channels)) * (np.arange(n) % 50 < 8)[:, None],
    "near constant": lambda n, channels, random: (
        random.normal() + 10.0 ** random.uniform(-12, -3) * random.standard_normal((n, channels))
    ),
    "quantised": lambda n, channels, random: np.round(2 * wave(n, channels, random)),
    "flickering": lambda n, channels, random: (random.random((n, channels)) < 0.5).astype(float),
    "one channel alive": one_alive,
    "alternating": lambda n, channels, random: np.tile([[1.0], [-1.0]], (n // 2 + 1, channels))[:n],
    "spikes": lambda n, channels, random: (random.random((n, 1)) < 0.01) * np.ones((1, channels)),
    "one spike": one_spike,
    "cycle": cycle,
    "wave": wave,
    "noise": lambda n, channels, random: random.standard_normal((n, channels)),
    "growth": lambda n, channels, random: np.exp(np.minimum(np.arange(n) / 20.0, 25.0))[:, None] * np.ones(channels),
}
SCALES = (1.0, LARGEST_VALUE, 1e-30, 1e-42, 1e3)  # the fourth is denormal


def signal(parts: list[tuple[str, float, int]], channels: int, seed: int) -> NDArray[np.float32]:
    """Shapes of (name, scale, frames) one after another."""
    random = np.random.default_rng(seed)
    values = [scale * SHAPES[name](n, channels, random) for name, scale, n in parts]
    return np.clip(np.concatenate(values), -LARGEST_VALUE, LARGEST_VALUE).astype(np.float32)


def check(frames: NDArray[np.float32], rate_hz: float, model: str, latency_s: float = 4.0) -> None:
    with np.errstate(divide="raise", over="raise", invalid="raise"):
        segments = closed(events(frames, rate_hz, model, latency_s))
    assert (segments[0].start_frame, segments[-1].end_frame) == (0, len(frames))
    assert all(a.end_frame == b.start_frame for a, b in pairwise(segments))
    assert all(s.start_frame < s.end_frame for s in segments)


PARTS = st.lists(
    st.tuples(st.sampled_from(list(SHAPES)), st.sampled_from(SCALES), st.integers(1, 350)), min_size=1, max_size=4
)


@settings(max_examples=20)
@given(
    parts=PARTS,
    channels=st.sampled_from([1, 2, 4, 5, 12, 60]),
    rate_hz=st.sampled_from([1.0, 5.0, 16.0, 30.0, 120.0]),
    latency_s=st.sampled_from([0.5, 4.0, 10.0]),
    seed=st.integers(0, 1000),
)
def test_any_signal_is_segmented_without_a_model(
    parts: list[tuple[str, float, int]], channels: int, rate_hz: float, latency_s: float, seed: int
) -> None:
    check(signal(parts, channels, seed), rate_hz, SCRATCH, latency_s)


@settings(max_examples=12)
@given(parts=PARTS, rate_hz=st.sampled_from([16.0, 30.0, 120.0]), seed=st.integers(0, 1000))
def test_any_signal_is_segmented_by_the_shipped_model(
    parts: list[tuple[str, float, int]], rate_hz: float, seed: int
) -> None:
    check(signal(parts, 59, seed), rate_hz, SHIPPED)


@pytest.mark.parametrize("name", list(SHAPES))
@pytest.mark.parametrize(("model", "channels"), [(SHIPPED, 59), (SCRATCH, 5)])
def test_each_shape_begins_and_interrupts_a_stream(name: str, model: str, channels: int) -> None:
    parts = [(name, 1.0, 120), ("wave", 1.0, 100), (name, 1.0, 120), ("noise", 1.0, 60)]
    check(signal(parts, channels, seed=3), 10.0, model)


@settings(max_examples=30)
@given(
    channels=st.sampled_from([1, 3, 5, 60]),
    rate_hz=st.sampled_from([1.0, 30.0]),
    levels=st.lists(
        st.tuples(
            st.one_of(
                st.floats(-LARGEST_VALUE, LARGEST_VALUE, width=32),
                st.sampled_from([LARGEST_VALUE, -LARGEST_VALUE, 0.0, 1e-30, 1e-45, 1.0]),
            ),
            st.integers(1, 80),
        ),
        min_size=1,
        max_size=8,
    ),
    one=st.booleans(),
)
def test_the_graph_is_finite_after_any_history(
    channels: int, rate_hz: float, levels: list[tuple[float, int]], one: bool
) -> None:
    decoder = Decoder(scratch_bundle(ScratchPlan.of(channels, rate_hz)), "cpu", slots=1, max_batch=1)
    slots = np.array([decoder.acquire().slot])
    for value, n in levels:
        frame = np.zeros((1, channels), np.float32)
        frame[0, : 1 if one else channels] = value
        for _ in range(n):
            stepped = decoder.step(slots, frame)
            assert stepped.bad_rows == []
            # Squares of distances between embeddings are taken in single precision.
            assert np.abs(stepped.embedding).max() < 1e9
