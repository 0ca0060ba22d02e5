"""Annotated streams in the layout of the data's further sets: ``.npz`` files and one ``labels.json``."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
from kineseg.motion import generate

_TOLERANCE_S = 0.25


def write_exercises(folder: Path) -> None:
    """Bodies at 120 frames a second, as in ``mocap6``."""
    folder.mkdir(parents=True)
    streams = {}
    for name, seed in (("13_29", 1), ("13_30", 2)):
        made = generate(seed, rate=120.0, n_segments=4, min_segment_s=4.0, max_segment_s=6.0)
        assert made.truth is not None  # a generated recording knows its segments
        np.savez(folder / f"{name}.npz", positions=made.positions, joints=np.array(made.joints), rate=made.rate)
        streams[name] = _facts(made.truth.boundaries, made.truth.names, made.n_frames, made.rate)
    (folder / "labels.json").write_text(json.dumps({"streams": streams}))


def write_gestures(folder: Path) -> None:
    """Fifteen channels that move and rest in turn, as in ``gesturephase``."""
    folder.mkdir(parents=True)
    rate, starts, length = 27.0, (0, 120, 240, 400, 520), 700
    moving = np.searchsorted(starts, np.arange(length), side="right") % 2 == 0
    rng = np.random.default_rng(0)
    frames = np.cumsum(moving[:, None] * rng.standard_normal((length, 15)), axis=0) * 0.1
    frames += 0.01 * rng.standard_normal(frames.shape)
    channels = np.array([f"hand.{i}" for i in range(15)])
    np.savez(folder / "a1.npz", frames=frames.astype(np.float32), channels=channels, rate=rate)
    names = tuple("gesture" if i % 2 else "rest" for i in range(len(starts)))
    (folder / "labels.json").write_text(json.dumps({"streams": {"a1": _facts(starts, names, length, rate)}}))


def _facts(starts: tuple[int, ...], names: tuple[str, ...], length: int, rate: float) -> dict[str, object]:
    near = round(_TOLERANCE_S * rate)
    edges = pairwise([*starts, length])
    return {
        "fps": rate,
        "n_frames": length,
        "segments": [[start, end, name] for (start, end), name in zip(edges, names, strict=True)],
        "transitions": [[start - near, start, start + near] for start in starts[1:]],
        "ignore": [],
    }
