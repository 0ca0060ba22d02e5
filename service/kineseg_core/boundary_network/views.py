"""What of a stream is compared with what: three views of its frames, averaged over blocks of 0.1 s.

The first is the model's embedding; the second, posture and speed of every channel, standardised by the stream itself;
the third, speed alone. A model that embeds nothing of its own (`scratch`, many channels) has posture as its first view.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kineseg_core.blocks import BLOCK_S
from kineseg_core.boundary_network.elementary import log1p_all, tanh_all
from kineseg_core.kept.declared import keeps
from kineseg_core.kernels import kernel

F32 = NDArray[np.float32]
Integers = NDArray[np.int64]

MEMORY_S = 300.0
"""Over so many seconds it is learned what is usual in a stream."""
IDLE = 0.02
"""Weight of a frame of a stream that stands still, over that of one in motion."""
_LIMIT = 3.0  # of posture, standard deviations
_USUAL_SPEED = 8.0  # standard deviations a second
# Of a channel's deviation, over the mean of all channels': what hardly moves is not blown up. The channels of a trained
# model have one unit, those of any signal have not.
_LEAST_DEVIATION, _LEAST_DEVIATION_ANY = 0.3, 0.02


@dataclass(frozen=True, slots=True)
class ViewPlan:
    """Which views a stream has.

    Attributes:
        channels: C, numbers in a frame.
        embedding: E, numbers of the model's embedding; 0: posture is the first view.
        rate_hz: Frames a second.
        least_deviation: Of a channel, over the mean of all channels' deviations.
    """

    channels: int
    embedding: int
    rate_hz: float
    least_deviation: float

    @classmethod
    def of_model(cls, channels: int, embedding: int, rate_hz: float) -> ViewPlan:
        """For a trained model, whose channels have one unit."""
        return cls(channels, embedding, rate_hz, _LEAST_DEVIATION)

    @classmethod
    def of_signal(cls, channels: int, embedding: int, rate_hz: float) -> ViewPlan:
        """For channels of any meaning; `embedding` is 0 unless they are few, see `generic.plan`."""
        return cls(channels, embedding, rate_hz, _LEAST_DEVIATION_ANY)

    @property
    def dims(self) -> int:
        """D, numbers in a block."""
        return self.embedding + 2 * self.channels

    @property
    def compared(self) -> int:
        """How many numbers of a block labels compare, the first ones: the embedding, or posture and speed."""
        return self.embedding or self.dims

    @property
    def ends(self) -> Integers:
        """``(K,)`` where the parts of a block end: embedding if any, posture, speed."""
        ends = [self.embedding, self.embedding + self.channels, self.dims]
        return np.array(ends if self.embedding else ends[1:])

    @property
    def views(self) -> Integers:
        """``(VIEWS, 2)`` first part of each view, and the part after its last one."""
        return np.array([(0, 1), (1, 3), (2, 3)] if self.embedding else [(0, 1), (0, 2), (1, 2)])


@keeps("_moments _seen _values _before _sum _frames _blocks _in_block _interrupted", fixed="plan _frames_per_block")
class StreamViews:
    """Turns the frames of one stream into blocks. Picklable.

    Block k is the mean over the frames from ``ceil(k * 0.1 s * rate)`` on, so that blocks keep time at any rate; below
    10 frames a second it is read off between two frames.

    Args:
        plan: Which views.
    """

    def __init__(self, plan: ViewPlan) -> None:
        self.plan = plan
        self._frames_per_block = BLOCK_S * plan.rate_hz
        self._moments = np.zeros((3, plan.channels))  # mean, variance, previous frame
        self._seen = 0
        self._values = np.zeros(plan.dims)
        self._before = np.zeros(plan.dims)
        self._sum = np.zeros(plan.dims)
        self.restart()

    def restart(self) -> None:
        """The stream was interrupted: the next frame is the first of block 0. What is usual in it is kept."""
        self._frames = self._blocks = self._in_block = 0
        self._sum[:] = 0.0
        self._interrupted = True

    def first_frame(self, block: int) -> int:
        """The frame at which a block begins, counted from the last `restart`."""
        per_block = self._frames_per_block
        if per_block < 1.0:  # read off where the block ends, so that the frame has come
            return max(math.ceil((block + 1) * per_block - 1.0 - 1e-9), 0)
        return math.ceil(block * per_block - 1e-9)

    def update(self, frame: F32, embedding: F32, *, still: bool = False) -> list[F32]:
        """Takes the next frame (C,) with the model's embedding of it; returns the blocks (D,) that are complete now.

        Of a stream that stands still next to nothing is learned about what is usual in it.
        """
        plan = self.plan
        weight = 1.0 / min(self._seen + 1, round(MEMORY_S * plan.rate_hz)) * (IDLE if still else 1.0)
        observe_channels(
            frame, self._moments, self._seen == 0, weight, plan.rate_hz, plan.least_deviation, self._interrupted,
            self._values[plan.embedding :],
        )  # fmt: skip
        self._values[: plan.embedding] = embedding[: plan.embedding]
        self._interrupted = False
        self._seen += not still
        self._frames += 1
        if self._frames_per_block < 1.0:
            return self._between()
        self._sum += self._values
        self._in_block += 1
        if self._frames < self.first_frame(self._blocks + 1):
            return []
        block = (self._sum / self._in_block).astype(np.float32)
        self._sum[:] = 0.0
        self._in_block = 0
        self._blocks += 1
        return [block]

    def _between(self) -> list[F32]:
        blocks = []
        last = self._frames - 1
        while (at := (self._blocks + 1) * self._frames_per_block - 1.0) <= last + 1e-9:
            share = min(max(at - (last - 1), 0.0), 1.0)
            before = self._before if last else self._values
            blocks.append((before + share * (self._values - before)).astype(np.float32))
            self._blocks += 1
        self._before[:] = self._values
        return blocks


@kernel(nogil=True)
def observe_channels(frame, moments, is_first, weight, rate_hz, least, interrupted, out):  # type: ignore[no-untyped-def]
    """Updates running moments with a frame, and writes level and speed of every channel."""
    channels = len(frame)
    mean, variance, previous = moments[0], moments[1], moments[2]
    levels, speeds, deviations = out[:channels], out[channels : 2 * channels], np.empty(channels)
    for i in range(channels):
        if interrupted:
            previous[i] = frame[i]
        if is_first:
            mean[i] = frame[i]
        off = frame[i] - mean[i]
        mean[i] += weight * off
        variance[i] = (variance[i] + weight * off * off) * (1.0 - weight)
        deviations[i] = math.sqrt(variance[i])
    total = 0.0
    for i in range(channels):
        total += deviations[i]
    floor = max(least * total / channels, 1e-12)
    for i in range(channels):
        deviation = max(deviations[i], floor)
        levels[i] = (frame[i] - mean[i]) / deviation / _LIMIT
        speeds[i] = abs(frame[i] - previous[i]) * rate_hz / deviation / _USUAL_SPEED
        previous[i] = frame[i]
    tanh_all(levels)
    log1p_all(speeds)
    for i in range(channels):
        levels[i] *= _LIMIT
        speeds[i] *= 2.0
