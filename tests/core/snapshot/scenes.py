"""Streams in which everything happens that a session keeps something of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from kineseg.motion import Joints, canonical_pose, generate
from kineseg_core.in_process import InProcessStream
from kineseg_core.inference.bundle import load_bundle
from kineseg_core.naming import KnownNames
from kineseg_core.opening import Opener, StreamRequest
from kineseg_core.rules import AbsenceRule, NameRule

from tests.core.in_process import shipped
from tests.core.tiny_bundle import TinyModel, write_tiny_bundle
from tests.service.talk import F32, motion

RECOGNISER = TinyModel(name="recogniser", classes=("a", "b", "c"))
RULES = (NameRule("falls", "b", 1.0), AbsenceRule("picks", "c", 6.0), NameRule("taught", "wave", 0.5))


@dataclass(frozen=True)
class Chunk:
    """Frames ``(n, W)`` from number `first` on, with capture times or none."""

    first: int
    frames: F32
    times_ns: tuple[int, ...] = ()

    @property
    def data(self) -> bytes:
        return np.ascontiguousarray(self.frames, "<f4").tobytes()


@dataclass(frozen=True)
class Scene:
    """A stream: what is asked, and its frames; some numbers are missing, some frames, and some are as before."""

    request: StreamRequest
    chunks: tuple[Chunk, ...]


@cache
def opener(folder: Path) -> Opener:
    recogniser = load_bundle(write_tiny_bundle(folder / "recogniser", RECOGNISER))
    return Opener({"motion": shipped(), "recogniser": recogniser})


def taught(model: str) -> KnownNames:
    """What was taught for a model."""
    return KnownNames([("wave", tuple(np.zeros(RECOGNISER.embedding)))] if model == "recogniser" else ())


def open_stream(opener: Opener, request: StreamRequest) -> InProcessStream:
    session = opener.session(request, taught)
    return InProcessStream(session, opener.bundle(session.config.model), opener.network)


def scene(
    kind: str, rate_hz: float, seconds: float, sizes: tuple[int, ...], seed: int, *, timed: bool, values: str = "usual"
) -> Scene:
    """One of `KINDS`, with some of `VALUES`, in chunks of these sizes, one after the other again and again."""
    random = np.random.default_rng(seed)
    request, frames = _source(kind, rate_hz, seconds, seed)
    frames = frames.copy()
    for _ in range(3):  # numbers are lost for a while, and what is sent stands still for another
        begin, of = int(random.integers(len(frames))), int(random.integers(frames.shape[1]))
        if kind != "body":
            frames[begin : begin + int(0.6 * rate_hz), of] = np.nan
        begin = int(random.integers(1, len(frames)))
        frames[begin : begin + int(random.integers(1, 1 + round(rate_hz)))] = frames[begin - 1]
    frames = VALUES[values](frames, random)
    lost = {int(random.integers(1, 20)): int(random.integers(1, 1 + round(2.0 * rate_hz))) for _ in range(2)}
    return Scene(request, tuple(_cut(frames, rate_hz, sizes, lost, timed=timed)))


def _cut(frames: F32, rate_hz: float, sizes: tuple[int, ...], lost: dict[int, int], *, timed: bool) -> Iterator[Chunk]:
    at, first, number = 0, 0, 0
    while at < len(frames):
        size = sizes[number % len(sizes)]
        first += lost.get(number, 0)
        piece = frames[at : at + size]
        times = (1_000 + (first + np.arange(len(piece))) * 1e9 / rate_hz).astype(np.int64) if timed else ()
        yield Chunk(first, piece, tuple(int(each) for each in times))
        at, first, number = at + size, first + size, number + 1


def _source(kind: str, rate_hz: float, seconds: float, seed: int) -> tuple[StreamRequest, F32]:
    n = max(2, round(seconds * rate_hz))
    watched = {"reports_per_hour": 1000.0, "alarms_per_hour": 1000.0, "frame_results": seed % 2 == 0}
    match kind:
        case "motion":
            return StreamRequest(rate_hz, model="motion", **watched), _dance(seed, seconds, rate_hz, n)
        case "body":
            made = generate(seed, seconds + 1.0, min(rate_hz, 240.0))
            assert made.positions is not None
            rows = np.asarray(made.positions, np.float32)[:n].reshape(-1, 3 * len(made.joints))
            return StreamRequest(rate_hz, model="motion", joints=Joints.of(made), **watched), rows
        case "recogniser":
            return StreamRequest(rate_hz, model="recogniser", rules=RULES, **watched), motion(n, 3, seed, rate_hz)
        case "few":
            beat = np.sin(np.arange(n)[:, None] / rate_hz * np.array([6.0, 9.0])) + motion(n, 2, seed, rate_hz / 3.0)
            return StreamRequest(rate_hz, model="scratch", channels=("x", "y"), **watched), beat.astype(np.float32)
    names = tuple(f"c{i}" for i in range(7))
    return StreamRequest(rate_hz, model="scratch", channels=names, **watched), motion(n, 7, seed, rate_hz)


KINDS = ("motion", "body", "recogniser", "few", "many")


def _with_holes(frames: F32, random: np.random.Generator) -> F32:
    """Some numbers are missing for a while, others from the beginning."""
    frames[: len(frames) // 2, random.integers(frames.shape[1]) :] = np.nan
    for _ in range(6):
        begin = int(random.integers(len(frames)))
        frames[begin : begin + int(random.integers(1, 60)), random.integers(frames.shape[1]) :] = np.nan
    return frames


def _with_steps(frames: F32, random: np.random.Generator) -> F32:
    """Nothing for a third, and then now and then the largest number that is taken."""
    frames[: len(frames) // 3] = 0.0
    frames[len(frames) // 3 :][random.random(frames.shape[0] - len(frames) // 3) < 0.1] = 1e9
    return frames


VALUES: Mapping[str, Callable[[F32, np.random.Generator], F32]] = {
    "usual": lambda frames, random: frames,
    "holes": _with_holes,
    "steps": _with_steps,
    "constant": lambda frames, random: np.broadcast_to(frames[:1], frames.shape).copy(),
    "tiny": lambda frames, random: frames * np.float32(1e-12),
    "large": lambda frames, random: np.clip(frames * np.float32(1e9), -1e9, 1e9),
    "extreme": lambda frames, random: (1e9 * np.sign(random.standard_normal(frames.shape))).astype(np.float32),
}


def _dance(seed: int, seconds: float, rate_hz: float, n: int) -> F32:
    """Canonical poses ``(n, 59)`` of a person, at any rate."""
    rows = np.asarray(canonical_pose(generate(seed, seconds + 1.0, 30.0)).frames, np.float32)
    at = np.minimum((np.arange(n) * 30.0 / rate_hz).astype(int), len(rows) - 1)
    return rows[at] + np.float32(1e-3) * np.random.default_rng(seed).standard_normal((n, rows.shape[1])).astype("f4")
