"""What streams of the same source have in common, so that the kernels take many of them at once."""

from __future__ import annotations

import copy
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kineseg_core.anomalies.score.handle import made_handle
from kineseg_core.anomalies.score.priors import groups_of, priors_of
from kineseg_core.anomalies.score.stream import StreamConstants, StreamState, new_state, watch_bodies, watch_channels
from kineseg_core.anomalies.score.tails import kept_in
from kineseg_core.anomalies.source import WatchedSource
from kineseg_core.anomalies.values.body import BodyValues
from kineseg_core.anomalies.values.channels import ChannelValues
from kineseg_core.anomalies.values.layout import ValueLayout
from kineseg_core.memory.packed import Packing

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
Memory = NDArray[np.uint8]

WARM_UP_S = 10.0
_LOOKED_AT_HZ = 40.0
"""About how often a source is looked at, however fast it is."""


def frames_a_row(rate_hz: float) -> int:
    """Of how many frames of a source one row of values is made."""
    return max(1, round(rate_hz / _LOOKED_AT_HZ))


def warm_up_s(layout: ValueLayout) -> F64:
    """``(D,)`` how long a stream must have been watched before each detector does."""
    return np.array([detector.warm_up_s for detector in layout.detectors])


class StreamKind:
    """Of one source. All that a stream of it has taught lies in one piece of memory, in each at the same places.

    Args:
        source: What the frames are.

    Attributes:
        source: As given.
        values: Of a stream of which nothing has been seen yet.
        layout: Of the values.
        row_rate_hz: Rows of values a second.
        groups: Of priors that a stream can belong to.
    """

    def __init__(self, source: WatchedSource) -> None:
        step = frames_a_row(source.rate_hz)
        self.source = source
        self.values = ChannelValues(source, step) if source.parents is None else BodyValues(source, step)
        self.layout = self.values.layout
        self.row_rate_hz = self.values.constants.rate
        state = new_state(source, self.layout, self.row_rate_hz, warm_up_s(self.layout), WARM_UP_S)
        self._packing = Packing((state, self.values.state))
        (self._state, self.values.state), self._memory = self._packing.packed()
        self.groups = groups_of(is_body=source.parents is not None)
        self._priors = priors_of(self.layout, self.groups)
        bones = self.layout.of("bone")
        self._constants = StreamConstants(
            source.rate_hz, self.row_rate_hz, kept_in(1.0 / self.row_rate_hz), source.root, bones.start, bones.stop
        )
        self._watch = watch_channels if source.parents is None else watch_bodies

    def new_memory(self) -> Memory:
        """Of a stream of which nothing has been seen yet."""
        return self._memory.copy()

    def distance(self, memory: Memory) -> int:
        """What `watch` wants to know of a stream's memory; the same as long as that exists."""
        return int(memory.ctypes.data - self._memory.ctypes.data)

    def state_in(self, memory: Memory) -> tuple[StreamState, BodyValues | ChannelValues]:
        """What a stream has taught, and its values: they share its memory."""
        values = copy.copy(self.values)
        state, values.state = self._packing.placed(memory)
        return state, values

    def watch(self, jobs: I64, frames: F64, times_s: F64, severities: F64) -> int:
        """Takes frames of streams of the kind, see `watch_bodies`."""
        due: int = self._watch(self._handle, jobs, frames, times_s, severities)
        return due

    @cached_property
    def _handle(self) -> Any:
        return made_handle(
            self._state,
            self._constants,
            self.values.state,
            self.values.constants,
            self.layout.arrays,
            self._priors,
        )


@lru_cache(maxsize=64)
def kind_of(source: WatchedSource) -> StreamKind:
    """The kind of a source."""
    return StreamKind(source)
