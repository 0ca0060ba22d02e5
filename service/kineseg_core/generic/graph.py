"""One streaming step of the built-in model as an ONNX graph; all it adapts to the stream lies in the state.

    moves    = 1, or IDLE while the signal stands still: next to nothing of its usual variance in the last two seconds
    n        = min(n + 1, memory), not while it stands still;  mean, variance <- running, weight moves / n
    expected = previous + slope * previous move;   error = frame - expected
    slope    <- normalised least mean squares;     largest error <- its square or the one before, fading if it moves
    surprise = (1 + worst) / (1 + middle)^0.75     of the channels' error^2 / largest error before

    few channels:   window = taps of the recent past;  usual <- running mean of its deviation
                    embedding = [(window - its mean) / (its deviation + FLOOR * usual),
                                 LEVEL * (its mean - first frame) / usual]
                    A level that is left or a larger deviation elsewhere must not make what goes on as it was drift:
                    neighbours would then be sought in time.
    many channels:  z = (frame - mean) / deviation,  v = |move| * rate / deviation
                    embedding = [3 tanh(z / 3), 2 log(1 + v / 8)], projected at random if there are many

A new stream's state is all zeros, n = 0 among them: then there is no past, and the first frame stands for it.
"""

from __future__ import annotations

import math

import numpy as np
import onnx
from numpy.typing import NDArray

from kineseg_core.generic.plan import ScratchPlan
from kineseg_core.inference.graph_builder import GraphBuilder, step_model

FLOOR = 0.5
LEVEL = 0.05  # enough to notice a change of level alone
STEP = 0.02  # of the slope
LEAST_VARIANCE = 1e-30  # a channel that does not move has none
LEAST_DEVIATION = 1e-15
LEAST_MOVE = 1e-3  # in variances
IDLE = 0.02  # not 0: a glitch that makes all else look like stillness must be forgotten some day
STILL, STILL_WINDOW = 1e-3, 0.03  # in variances; in usual deviations of a window
RESOLUTION = 2e-6  # of a value: single precision separates no more
LEAST_ERROR = 0.02  # in variances: what is predicted perfectly must not make every rounding a surprise
_SEED = 0


def step_graph(plan: ScratchPlan) -> onnx.ModelProto:
    """The graph of one step: inputs `frame`, `state`; outputs `prediction`, `surprise`, `embedding`, `next_state`."""
    build = _Builder()
    state = build.split("state", [(f"old_{name}", size) for name, size in plan.state])
    x, count = "frame", state["old_count"]
    started = build("Min", count, build.number(1.0))

    if plan.few:
        past = _past(build, plan, state["old_history"], started)
        level, rest, own = _window(build, plan, past)
        moving = _window_moves(build, plan, own, state["old_window_deviation"])
        recent: list[str] = []
    else:
        recent, moving = _recently_moves(build, plan, state, started)
    # The first frame always counts.
    moves = build(
        "Max", build("Where", moving, build.number(1.0), build.number(IDLE)), build("Sub", build.number(1.0), started)
    )
    counted = build("Where", moving, build.number(1.0), build.number(0.0))
    n = build("Min", build("Add", count, counted), build.number(plan.memory_frames))
    n = build("Max", n, build.number(1.0))
    weight = build("Div", moves, n)
    off = build("Sub", x, state["old_mean"])
    mean = build("Add", state["old_mean"], build("Mul", off, weight))
    spread = build("Add", state["old_variance"], build("Mul", build("Mul", off, off), weight))
    variance = build("Mul", spread, build("Sub", build.number(1.0), weight))
    deviation = build("Sqrt", build("Add", variance, build.number(LEAST_VARIANCE)))
    deviation = build("Max", deviation, _resolution(build))

    move = build("Mul", build("Sub", x, state["old_previous_frame"]), started)
    slope, largest = _predict(build, plan, state, variance, moves)
    build("Add", x, build("Mul", slope, move), name="prediction")

    kept = [n, mean, variance, build("Add", x, build.zero_of(x)), move, slope, largest]
    if plan.few:
        embedding, *more = _shape(build, plan, state, (level, rest, own), weight, started)
        kept += [*more, build.columns(past, plan.channels, (plan.history + 1) * plan.channels)]
    else:
        embedding = _posture(build, plan, mean, deviation, move)
        kept += recent
    build("Mul", embedding, build.number(1.0 / math.sqrt(2.0 * plan.dims)), name="embedding")
    build.concat(kept, name="next_state")
    return step_model(
        build,
        "kineseg_scratch_step",
        channels=plan.channels,
        state=sum(size for _, size in plan.state),
        embedding=plan.dims,
    )


def _resolution(build: _Builder) -> str:
    """What is too small to be distinguished in each channel."""
    return build("Mul", build("Abs", "frame"), build.number(RESOLUTION))


def _window_moves(build: _Builder, plan: ScratchPlan, own: str, usual: str) -> str:
    """Whether any channel moves, by its deviation in the window of the recent past."""
    least = build("Max", build("Mul", usual, build.number(STILL_WINDOW)), _resolution(build))
    return build("Greater", build.largest(build("Sub", own, least), 1), build.number(0.0))


def _recently_moves(build: _Builder, plan: ScratchPlan, state: dict[str, str], started: str) -> tuple[list[str], str]:
    """Recent mean and variance after this frame, and whether the variance is anything beside the usual one."""
    share = build("Max", build("Sub", build.number(1.0), started), build.number(1.0 / plan.recent_frames))
    off = build("Sub", "frame", state["old_recent_mean"])
    mean = build("Add", state["old_recent_mean"], build("Mul", off, share))
    spread = build("Add", state["old_recent_variance"], build("Mul", build("Mul", off, off), share))
    variance = build("Mul", spread, build("Sub", build.number(1.0), share))
    resolution = _resolution(build)
    known = build("Max", build("Sub", variance, build("Mul", resolution, resolution)), build.number(0.0))
    shares = build("Div", known, build("Add", state["old_variance"], build.number(LEAST_VARIANCE)))
    total = build("MatMul", shares, build.constant(np.full((plan.channels, 1), 1.0 / plan.channels)))
    return [mean, variance], build("Greater", total, build.number(STILL))


def _predict(build: _Builder, plan: ScratchPlan, state: dict[str, str], variance: str, moves: str) -> tuple[str, str]:
    """Surprise, and the slope and largest error that come after this frame."""
    moved = state["old_previous_move"]
    # Two frames must have come before anything can be expected.
    before = build("Sub", state["old_count"], build.number(1.0))
    known = build("Min", build("Max", before, build.number(0.0)), build.number(1.0))
    expected = build("Add", state["old_previous_frame"], build("Mul", state["old_slope"], moved))
    error = build("Mul", build("Sub", "frame", expected), known)
    squared = build("Mul", error, error)
    some = build("Add", build("Mul", variance, build.number(LEAST_ERROR)), build.number(LEAST_VARIANCE))
    # Compared with the largest, not the mean: a signal of sharp beats is badly predicted at each, and that is usual.
    ratio = build("Div", squared, build("Add", state["old_largest_error"], some))
    if plan.channels == 1:
        surprise = build("Add", ratio, build.number(1.0))
    else:
        places = build.largest(ratio, plan.channels // 2 + 1)
        worst = build("Add", build.columns(places, 0, 1), build.number(1.0))
        middle = build("Add", build.columns(places, plan.channels // 2, plan.channels // 2 + 1), build.number(1.0))
        # Two square roots make the power 3/4: unlike Pow they give a row the same bits in every batch.
        root = build("Sqrt", middle)
        surprise = build("Div", worst, build("Mul", root, build("Sqrt", root)))
    build("Squeeze", build("Mul", surprise, known), build.integers([1]), name="surprise")

    still = build("Add", build("Mul", variance, build.number(LEAST_MOVE)), build.number(LEAST_VARIANCE))
    energy = build("Add", build("Mul", moved, moved), still)
    push = build("Div", build("Mul", build("Mul", error, moved), build.number(STEP)), energy)
    slope = build("Clip", build("Add", state["old_slope"], push), build.scalar(-1.0), build.scalar(1.0))
    faded = build("Sub", build.number(1.0), build("Div", moves, build.number(plan.error_memory_frames)))
    return slope, build("Max", squared, build("Mul", state["old_largest_error"], faded))


def _past(build: _Builder, plan: ScratchPlan, history: str, started: str) -> str:
    """``(B, (history + 1) C)``, frame by frame, the newest last; before the first frame it has always been as it is."""
    always = build("MatMul", "frame", build.constant(np.tile(np.eye(plan.channels), plan.history)))
    before = build("Mul", always, build("Sub", build.number(1.0), started))
    return build.concat([build("Add", build("Mul", history, started), before), "frame"])


def _window(build: _Builder, plan: ScratchPlan, past: str) -> tuple[str, str, str]:
    """Taps of the recent past: each channel's mean (B, C), what the taps are beside it (B, taps C), and deviation."""
    C, taps = plan.channels, plan.taps
    places = [(plan.history - back * plan.spacing) * C + c for back in range(taps - 1, -1, -1) for c in range(C)]
    window = build("Gather", past, build.integers(places), axis=1)
    average = build.constant(np.tile(np.eye(C), (taps, 1)) / taps)
    spread = build.constant(np.tile(np.eye(C), taps))
    level = build("MatMul", window, average)
    rest = build("Sub", window, build("MatMul", level, spread))
    own = build("Sqrt", build("MatMul", build("Mul", rest, rest), average))
    return level, rest, own


def _shape(
    build: _Builder, plan: ScratchPlan, state: dict[str, str], window: tuple[str, str, str], weight: str, started: str
) -> tuple[str, str, str]:
    """The embedding, and the first frame and usual deviation that come after this frame."""
    taps = plan.taps
    level, rest, own = window
    spread = build.constant(np.tile(np.eye(plan.channels), taps))
    news = build("Sub", own, state["old_window_deviation"])
    usual = build("Add", state["old_window_deviation"], build("Mul", news, weight))
    least = build("Mul", _resolution(build), started)  # in the first frame there is nothing to be distinguished
    some = build("Add", build("Max", usual, least), build.number(LEAST_DEVIATION))
    scale = build("Add", own, build("Mul", some, build.number(FLOOR)))
    shape = build("Div", rest, build("MatMul", scale, spread))
    new = build("Mul", "frame", build("Sub", build.number(1.0), started))
    first = build("Add", build("Mul", state["old_first_frame"], started), new)
    away = build("Div", build("Sub", level, first), some)
    embedding = build.concat([shape, build("Mul", away, build.number(LEVEL * math.sqrt(taps)))])
    return embedding, first, usual


def _posture(build: _Builder, plan: ScratchPlan, mean: str, deviation: str, move: str) -> str:
    z = build("Div", build("Sub", "frame", mean), deviation)
    posture = build("Mul", build("Tanh", build("Mul", z, build.number(1.0 / 3.0))), build.number(3.0))
    speed = build("Div", build("Mul", build("Abs", move), build.number(plan.rate_hz / 8.0)), deviation)
    lively = build("Mul", build("Log", build("Add", speed, build.number(1.0))), build.number(2.0))
    both = build.concat([posture, lively])
    if 2 * plan.channels <= plan.dims:
        return both
    return build("MatMul", both, build.constant(projection(2 * plan.channels, plan.dims)))


def projection(dims: int, fewer: int) -> NDArray[np.float64]:
    """``(dims, fewer)``: distances stay what they were, about (Johnson and Lindenstrauss 1984); the same every time."""
    random = np.random.Generator(np.random.PCG64(_SEED)).standard_normal((dims, fewer))
    basis, _ = np.linalg.qr(random)
    return np.asarray(basis, dtype=np.float64)


class _Builder(GraphBuilder):
    """With what this step needs beside."""

    def concat(self, values: list[str], name: str = "") -> str:
        """Columns side by side."""
        return self("Concat", *values, name=name, axis=1)

    def columns(self, value: str, start: int, stop: int) -> str:
        """Columns [start, stop)."""
        return self("Slice", value, self.integers([start]), self.integers([stop]), self.integers([1]))

    def zero_of(self, value: str) -> str:
        """Zeros in the shape of `value`."""
        return self("Mul", value, self.number(0.0))

    def number(self, value: float) -> str:
        """A number, (1, 1)."""
        return self.constant(np.full((1, 1), value))
