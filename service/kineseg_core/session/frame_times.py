"""When the frames of a model were, in those of its source."""

from __future__ import annotations

import math
from array import array

from kineseg_core.kept.bounds import within
from kineseg_core.kept.declared import keeps
from kineseg_core.session.config import SessionConfig
from kineseg_core.session.quiet_rows import QuietRow

_LEAST, _MORE_S = 64, 4.0


@within("0 <= count")
@keeps("count _frames _times_ns _after", fixed="_size", passing="_noted")
class FrameTimes:
    """At which of the client's frames, and when, the model's latest frames begin.

    A ring: what is decided about frames further back than twice the latency budget has had its time before.

    Attributes:
        count: How many of the model's frames there have been; those that are noted elsewhere count once `catch_up` has
            taken them, as all methods do that change anything.
    """

    _after: tuple[int, int] | None

    def __init__(self, config: SessionConfig) -> None:
        self._size = max(_LEAST, math.ceil((2 * config.latency_s + _MORE_S) * config.model_rate_hz))
        self._frames, self._times_ns = (array("q", bytes(8 * self._size)) for _ in range(2))
        self.count = 0
        self._after = None
        self._noted: QuietRow | None = None

    def read(self, noted: QuietRow) -> None:
        """From now on frames may be noted there that come before what comes here."""
        self._noted = noted

    def catch_up(self) -> None:
        """Takes frames that have been noted elsewhere."""
        if self._noted is None:
            return
        frames, times_ns = self._noted.take()
        if frames:
            at = self.count % self._size
            for ring, values in ((self._frames, frames), (self._times_ns, times_ns)):
                fits = self._size - at  # no more is noted than there is room for in all
                ring[at : at + len(values)] = array("q", values[:fits])
                ring[: len(values[fits:])] = array("q", values[fits:])
            self.count += len(frames)

    def append(self, frame: int, ns: int) -> None:
        """The next of the model's frames begins at this frame and time."""
        self.catch_up()
        at = self.count % self._size
        self._frames[at], self._times_ns[at] = frame, ns
        self.count += 1

    def close(self, frame: int, ns: int) -> None:
        """The stream has ended before this frame and time, or pauses there."""
        self.catch_up()
        self._after = (frame, ns)

    def reopen(self) -> None:
        """The stream goes on after a gap."""
        self._after = None

    def at(self, index: int) -> tuple[int, int]:
        """Frame and time in nanoseconds at which the model's frame `index` begins; after the last one, the end.

        Raises:
            IndexError: It lies too far back, or has not come yet.
        """
        if index >= self.count and self._after is not None:
            return self._after
        if not self.count - self._size <= index < self.count:
            raise IndexError(f"frame {index} of the model is not among the last {self._size} of {self.count}")
        at = index % self._size
        return self._frames[at], self._times_ns[at]
