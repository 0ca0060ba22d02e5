"""Kernels give, bit for bit, what the plainest code does, for any rate, chunks, holes and times."""

from __future__ import annotations

import itertools
import pickle
import subprocess
import sys
from collections.abc import Iterator, Sequence

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from kineseg_core.intake.clock import SECOND
from kineseg_core.intake.intake import Intake, IntakeLimits
from kineseg_core.intake.resampling import ModelFrames
from kineseg_core.intake.taken import GapFound, Taken
from numpy.typing import NDArray

from tests.core.intake.plain_resampler import Place, PlainResampler

F32 = NDArray[np.float32]

MAX_GAP_S = 0.3
RATES = st.one_of(
    st.sampled_from([1.0, 24.0, 29.97, 30.0, 59.94, 100.0, 119.88, 120.0, 1000.0]), st.floats(1.0, 1000.0)
)
MODEL_RATES = st.sampled_from([1.0, 15.0, 30.0, 50.0])


@st.composite
def sources(draw: st.DrawFn) -> tuple[list[int], F32, list[int]]:
    """Numbers of the frames that come, the frames, and steps of the clock before each in thousandths of a period."""
    n, channels = draw(st.integers(1, 400)), draw(st.sampled_from([1, 2, 9]))
    lost: set[int] = set()
    for begin, length in draw(st.lists(st.tuples(st.integers(1, 380), st.integers(1, 40)), max_size=3)):
        lost |= set(range(begin, begin + length))
    at = [frame for frame in range(n) if frame not in lost]
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    frames = (random.standard_normal((n, channels)) * 10.0 ** draw(st.integers(-30, 8))).astype(np.float32)
    frames[random.random((n, channels)) < 0.1] = -0.0
    for begin, length, channel in draw(
        st.lists(st.tuples(st.integers(0, 399), st.integers(1, 90), st.integers(0, channels - 1)), max_size=3)
    ):
        frames[begin : begin + length, channel] = np.nan
    jitter = draw(st.sampled_from([0, 100, 450]))
    pauses = draw(st.sets(st.integers(1, 399), max_size=2))
    steps = [1000 + int(random.integers(-jitter, jitter + 1)) + 5000 * (frame in pauses) for frame in range(n)]
    return at, np.clip(frames, -1e9, 1e9)[at], steps


def chunks(at: Sequence[int], sizes: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Rows of chunks of these sizes, and then of 6, cut where frames are missing."""
    holes = {row for row in range(1, len(at)) if at[row] != at[row - 1] + 1}
    edges = set(itertools.accumulate(sizes)) | set(range(sum(sizes), len(at), 6))
    return itertools.pairwise(sorted({0, len(at)} | holes | {edge for edge in edges if edge < len(at)}))


def made_plainly(
    rate: float, model_rate: float, at: Sequence[int], frames: F32, times: Sequence[int], gaps: Sequence[GapFound]
) -> tuple[bytes, list[Place]]:
    """The model frames of the same frames, one by one; a stretch begins where a gap cuts."""
    cut = {gap.decided for gap in gaps if gap.cuts}
    made, places = b"", list[Place]()
    filled = np.zeros(frames.shape[1], np.float32)
    resampler = PlainResampler(rate, model_rate)
    begin = at[0], times[0]
    for row, number in enumerate([*at, -1]):
        if number in cut or number == -1:
            made, places = made + b"".join(frame.tobytes() for frame in resampler.made), places + resampler.places
            if not resampler.made:  # a stretch that was too short gives its last frame
                made, places = made + filled.tobytes(), [*places, (at[row - 1], times[row - 1], *begin)]
            resampler = PlainResampler(rate, model_rate)
            begin = (number, times[row]) if row < len(at) else begin
        if number >= 0:
            filled = np.where(np.isnan(frames[row]), filled, frames[row])
            resampler.push(number, filled, times[row])
    return made, places


@settings(max_examples=200)
@given(
    rate=RATES,
    model_rate=MODEL_RATES,
    source=sources(),
    sizes=st.lists(st.integers(1, 60), max_size=30),
    timed=st.booleans(),
    origin=st.integers(-(10**18), 10**18),
    reordered=st.booleans(),
)
def test_model_frames_are_those_of_frames_weighed_one_by_one(
    rate: float,
    model_rate: float,
    source: tuple[list[int], F32, list[int]],
    sizes: list[int],
    timed: bool,
    origin: int,
    reordered: bool,
) -> None:
    at, frames, steps = source
    names = [str(channel) for channel in range(frames.shape[1])]
    order = list(reversed(range(len(names)))) if reordered else None
    sent = frames[:, ::-1] if reordered else frames
    period = SECOND / rate
    clock = np.cumsum(np.array(steps) * period / 1000.0).astype(np.int64)[at]
    times = (clock - clock[0]).tolist() if timed else [round(frame * period) for frame in at]
    intake = Intake(names, order, rate, model_rate, IntakeLimits(max_gap_s=MAX_GAP_S))
    taken: list[Taken] = []
    for begin, end in chunks(at, sizes):
        stamps = [origin + time for time in times[begin:end]] if timed else []
        intake = pickle.loads(pickle.dumps(intake))
        taken += intake.take(at[begin], np.ascontiguousarray(sent[begin:end], "<f4").tobytes(), stamps)
    taken += intake.flush()
    blocks = [item for item in taken if isinstance(item, ModelFrames)]
    gaps = [item for item in taken if isinstance(item, GapFound)]
    expected, places = made_plainly(rate, model_rate, at, frames, times, gaps)
    assert [p for b in blocks for p in zip(b.decided, b.decided_ns, b.start, b.start_ns, strict=True)] == places
    assert b"".join(block.frames.tobytes() for block in blocks) == expected
    assert all(type(number) is int for place in places for number in place)
    assert intake.missing_values == np.isnan(frames).sum()
    assert intake.last_ns == times[-1]


TAKE_ALL = """
import numpy as np
from kineseg.motion import CANONICAL_CHANNELS, Joints, generate
from kineseg_core.intake import body_pose, body_turns, chunk, steady_clock, stretch
from kineseg_core.intake.intake import Intake, IntakeLimits
from kineseg_core.intake.source_pose import canonical_source
from kineseg_core.intake.warm_up import warm_up

kernels = [
    chunk.read_chunk, chunk.time_frames, chunk.reorder, stretch.advance, steady_clock.follow_steady,
    body_pose.pose_bodies, body_turns.place_joints,
]
warm_up()
before = [len(kernel.signatures) for kernel in kernels]
recording = generate(0, duration_s=2.0, rate=120.0)
rows = recording.positions.reshape(len(recording.frames), -1).astype("<f4")
channels = [str(i) for i in range(rows.shape[1])]
rows[100:110, 7] = np.nan
for timed in (False, True):
    pose = canonical_source(Joints.of(recording), 120.0)
    for intake in (
        Intake(CANONICAL_CHANNELS, None, 120.0, 30.0, IntakeLimits(), pose=pose),
        Intake(channels, None, 120.0, 30.0, IntakeLimits()),
        Intake(channels, list(range(len(channels)))[::-1], 20.0, 30.0, IntakeLimits()),
    ):
        for first in range(0, len(rows), 6):
            times = [(first + i) * intake.period_ns for i in range(6)] if timed else []
            list(intake.take(first, rows[first : first + 6].tobytes(), times))
print(min(before), before == [len(kernel.signatures) for kernel in kernels])
"""


def test_after_the_warm_up_no_stream_waits_for_a_kernel() -> None:
    """In a process of its own, as here all kernels have been used already."""
    run = subprocess.run([sys.executable, "-c", TAKE_ALL], capture_output=True, text=True, check=True)
    least, is_same = run.stdout.split()
    assert int(least) > 0
    assert is_same == "True"
