"""The built-in model's step graph against the same arithmetic in NumPy, in double precision."""

from __future__ import annotations

import numpy as np
import onnxruntime as ort
import pytest
from kineseg_core.generic import ScratchPlan, scratch_bundle
from kineseg_core.generic.graph import FLOOR, LEAST_ERROR, LEAST_MOVE, LEVEL, STEP, projection
from kineseg_core.inference.decoder import Decoder
from numpy.typing import NDArray

Values = NDArray[np.float64]


def reference(plan: ScratchPlan, frames: Values) -> dict[str, Values]:
    """What the graph gives for frames ``(T, C)`` of a new stream, step by step."""
    C = plan.channels
    mean, variance, slope, largest = np.zeros(C), np.zeros(C), np.zeros(C), np.zeros(C)
    before, moved = frames[0], np.zeros(C)
    usual = np.zeros(C)
    out: dict[str, list[Values]] = {"prediction": [], "surprise": [], "embedding": []}
    for t, x in enumerate(frames):
        n = min(t + 1, plan.memory_frames)
        off = x - mean
        mean = mean + off / n
        variance = (variance + off**2 / n) * (1 - 1 / n)
        deviation = np.sqrt(variance + 1e-30)
        known = float(t >= 2)
        error = known * (x - before - slope * moved)
        ratio = np.sort(error**2 / (largest + LEAST_ERROR * variance + 1e-30))[::-1]
        middle = 0.0 if C == 1 else ratio[C // 2]
        out["surprise"].append(np.asarray(known * (1 + ratio[0]) / (1 + middle) ** 0.75))
        slope = np.clip(slope + STEP * error * moved / (moved**2 + LEAST_MOVE * variance + 1e-30), -1, 1)
        largest = np.maximum(error**2, largest * (1 - 1 / plan.error_memory_frames))
        moved, before = x - before, x
        out["prediction"].append(x + slope * moved)
        if plan.few:
            taps = [frames[max(0, t - back * plan.spacing)] for back in range(plan.taps - 1, -1, -1)]
            window = np.stack(taps)
            rest = window - window.mean(0)
            own = np.sqrt((rest**2).mean(0))
            usual = usual + (own - usual) / n
            shape = rest / (own + FLOOR * usual + 1e-15)
            level = LEVEL * np.sqrt(plan.taps) * (window.mean(0) - frames[0]) / (usual + 1e-15)
            embedding = np.concatenate([shape.ravel(), level])
        else:
            z = (x - mean) / deviation
            lively = 2 * np.log1p(np.abs(moved) * plan.rate_hz / 8 / deviation)
            embedding = np.concatenate([3 * np.tanh(z / 3), lively])
            if len(embedding) > plan.dims:
                embedding = embedding @ projection(2 * C, plan.dims)
        out["embedding"].append(embedding / np.sqrt(2 * plan.dims))
    return {name: np.array(rows) for name, rows in out.items()}


@pytest.mark.parametrize(
    ("channels", "rate"),
    [(1, 1), (1, 10), (1, 30), (1, 250), (2, 24), (3, 1000), (4, 7.5), (5, 30), (60, 30), (512, 24)],
)
def test_the_graph_computes_what_it_says(channels: int, rate: float) -> None:
    plan = ScratchPlan.of(channels, rate)
    bundle = scratch_bundle(plan)
    session = ort.InferenceSession(bundle.graph, providers=["CPUExecutionProvider"])
    random = np.random.default_rng(channels)
    walk = np.cumsum(random.standard_normal((60, channels)), axis=0) + 5 * random.standard_normal(channels)
    frames = walk.astype(np.float32)
    wanted = reference(plan, frames.astype(np.float64))
    state = np.zeros((1, bundle.state_size), np.float32)
    got: dict[str, list[NDArray[np.float32]]] = {name: [] for name in wanted}
    for frame in frames:
        *outputs, state = session.run([*got, "next_state"], {"frame": frame[None], "state": state})
        for rows, output in zip(got.values(), outputs, strict=True):
            rows.append(output[0])
    for name, rows in got.items():
        # From the third frame on: before, deviations are next to nothing and rounding is all there is.
        np.testing.assert_allclose(np.stack(rows)[3:], wanted[name][3:], rtol=2e-3, atol=2e-3)


@pytest.mark.parametrize("channels", [1, 3, 48, 512])
def test_a_stream_does_not_depend_on_its_batch(channels: int) -> None:
    bundle = scratch_bundle(ScratchPlan.of(channels, 30))
    decoder = Decoder(bundle, "cpu", slots=40, max_batch=40)
    random = np.random.default_rng(7)
    frames = random.standard_normal((12, 40, channels)).astype(np.float32) * 1e3
    together = [decoder.acquire() for _ in range(20)]
    alone = [decoder.acquire() for _ in range(20)]
    slots = np.array([lease.slot for lease in together])
    for step in frames:
        whole = decoder.step(slots, step[:20])
        embedding, surprise = whole.embedding.copy(), whole.surprise.copy()
        for row, lease in enumerate(alone):
            one = decoder.step(np.array([lease.slot]), step[row : row + 1])
            np.testing.assert_array_equal(one.embedding[0], embedding[row])
            np.testing.assert_array_equal(one.surprise[0], surprise[row])


def test_plans_stay_small_average_fast_sources_and_interpolate_slow_ones_of_few_channels() -> None:
    assert ScratchPlan.of(1, 1000).rate_hz == ScratchPlan.of(1, 30).rate_hz == 30
    assert ScratchPlan.of(1, 1).rate_hz == ScratchPlan.of(4, 9.9).rate_hz == ScratchPlan.of(1, 10).rate_hz == 10
    assert ScratchPlan.of(5, 1).rate_hz == 1
    for channels in (1, 2, 3, 4, 5, 100, 512):
        assert ScratchPlan.of(channels, 1000).dims <= 48
