"""From frames to severities, for one stream: how rare is what each detector sees."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kineseg_core.anomalies.score.kind import Memory, StreamKind, kind_of
from kineseg_core.anomalies.score.priors import GROUPS
from kineseg_core.anomalies.score.stream import CLOCK, StreamState
from kineseg_core.anomalies.signs import DetectorClass, Sign
from kineseg_core.anomalies.source import WatchedSource
from kineseg_core.anomalies.values.body import BodyValues
from kineseg_core.anomalies.values.channels import ChannelValues
from kineseg_core.anomalies.values.layout import ValueLayout
from kineseg_core.errors import InvalidRequest
from kineseg_core.kept.bounds import within
from kineseg_core.kept.declared import keeps

F64 = NDArray[np.float64]

_CARRIED_WARM_UP_S = 2.0


@within(
    "-1 <= clock.group < len(kind.groups)", "0 <= clock.frames", "0 <= clock.rows", "0 <= clock.masked_until",
    "0 <= clock.time_s <= 1e10", "0 <= clock.row_s <= 1e10", "0 <= clock.seconds <= 1e10",
    "0 <= state.top < len(layout)", "0 <= state.recent.tops < len(layout)", "0 <= state.recent.rows_kept",
    "0 <= state.masks.left", "0 <= state.book.position < len(state.book.hashes)", "0 <= values.state.frames",
    "0 <= state.book.replays.lag < len(state.book.replays.keys.T)", "0 <= state.book.replays.frames",
    "1e-9 <= values.state.extent.value", "0 <= values.state.extent.counts", "0 <= values.state.past.counts",
    "0 <= values.state.baseline.rows", "0 <= values.state.shaking.rows",
    "state holds numbers", "values.state holds numbers",
    # Before there is any, where some are lost, and where nothing is watched yet.
    "state.clock.highest may be -inf", "state.clock.learns_after_s may be -inf", "state.clock.bar may be -inf",
    "state.book.before may be nan", "state.book.steps.now may be nan", "state.book.steps.change may be nan",
    "state.book.steps.least may be inf", "state.book.replays.keys may be nan", "state.book.replays.newest may be nan",
    "state.book.replays.near may be nan", "state.envelope.lowest may be nan", "state.envelope.limit may be inf",
    "state.tails.of.peak may be -inf", "state.recent.frames may be nan", "state.recent.severities may be -inf",
    "state.y may be -inf", "state.severities may be -inf", "values.state.kept may be nan",
    "values.state.baseline.value may be nan", "values.state.baseline.spread may be inf",
    "values.state.baseline.kept may be nan", "values.state.shape.lengths may be nan",
    "values.state.shape.deviations may be nan", "values.state.past.nearest may be inf",
)  # fmt: skip
@keeps("_memory", fixed="kind clock", passing="distance _seen")
class Scorer:
    """Severities of one stream. Picklable.

    Args:
        source: What the frames are.

    Attributes:
        kind: What it has in common with other streams of the source.
        clock: ``(1,)`` of `CLOCK`.
        distance: Of its memory from that of the kind, see `StreamKind.distance`.
    """

    def __init__(self, source: WatchedSource) -> None:
        kind = kind_of(source)
        self._set_up(kind, kind.new_memory())

    def _set_up(self, kind: StreamKind, memory: Memory) -> None:
        self.kind, self._memory = kind, memory
        self.clock: NDArray[np.void] = np.ndarray(1, CLOCK, memory)  # the first that is in it
        self.distance = kind.distance(memory)
        self._seen: tuple[StreamState, BodyValues | ChannelValues] | None = None

    def __getstate__(self) -> tuple[WatchedSource, bytes]:
        """What the rest follows from."""
        return self.kind.source, self._memory.tobytes()

    def __setstate__(self, state: tuple[WatchedSource, bytes]) -> None:
        source, memory = state
        self._set_up(kind_of(source), np.frombuffer(memory, np.uint8).copy())

    @property
    def state(self) -> StreamState:
        """What the stream has taught."""
        return self._looked_into[0]

    @property
    def values(self) -> BodyValues | ChannelValues:
        """Of the source."""
        return self._looked_into[1]

    @property
    def _looked_into(self) -> tuple[StreamState, BodyValues | ChannelValues]:
        if self._seen is None:
            self._seen = self.kind.state_in(self._memory)
        return self._seen

    def put_away(self) -> None:
        """No one looks into `state` and `values` for now: the memory alone takes a third of the room."""
        self._seen = None

    @property
    def layout(self) -> ValueLayout:
        """Of the values."""
        return self.kind.layout

    @property
    def row_rate_hz(self) -> float:
        """Rows of values a second."""
        return self.kind.row_rate_hz

    @property
    def group(self) -> str:
        """Of priors, see `GROUPS`; empty before the warm-up."""
        group = int(self.clock["group"][0])
        return "" if group < 0 else self.kind.groups[group]

    @property
    def frames(self) -> int:
        """How many have come so far."""
        return int(self.clock["frames"][0])

    @property
    def time_s(self) -> float:
        """Capture time of the newest frame; 0 before the first."""
        return float(self.clock["time_s"][0])

    @property
    def seconds(self) -> float:
        """For how long rows have been made."""
        return float(self.clock["seconds"][0])

    @property
    def new_row(self) -> bool:
        """Whether the newest frame has made one."""
        return bool(self.clock["new_row"][0])

    @property
    def mostly_silent(self) -> bool:
        """Whether more than half of the units are lost or were a moment ago."""
        clock, left = self.clock[0], self.state.masks.left
        return bool(clock["rows"] <= clock["masked_until"]) and 2 * int(np.count_nonzero(left)) > len(left)

    @property
    def warming_up(self) -> tuple[DetectorClass, ...]:
        """Classes of detectors that do not watch yet."""
        warm = self.state.warm.tolist()
        classes = {d.of for d, is_warm in zip(self.layout.detectors, warm, strict=True) if not is_warm}
        return tuple(sorted(classes, key=lambda of: of.value))

    def carry_on(self, group: str) -> None:
        """What an earlier stream of the same source has learnt is in the envelopes and tails: it warms up sooner.

        Raises:
            InvalidRequest: There is no such group of priors.
        """
        if group not in self.kind.groups:
            raise InvalidRequest(
                f"profile: there are no priors of {group!r}, only of {', '.join(GROUPS)}; save it anew", field="profile"
            )
        self.clock["group"], self.clock["first_s"] = self.kind.groups.index(group), _CARRIED_WARM_UP_S
        of_past = np.array([detector.of is DetectorClass.PAST for detector in self.layout.detectors])
        self.state.warm_s[~of_past] = _CARRIED_WARM_UP_S

    def heed(self, bar: F64, *, learns_after_s: float, busy: bool) -> None:
        """How the next frames are taken.

        Args:
            bar: ``(4,)`` from which severity on there is something to decide, see `AlarmBar`.
            learns_after_s: What comes after that may become what is usual.
            busy: Whether anomalies go on: then every row decides something, and every frame with a rule or after one.
        """
        clock = self.clock
        clock["bar"], clock["learns_after_s"], clock["busy"] = bar, learns_after_s, busy

    def advance(self, frames: F64, times_s: F64, first: int, end: int, severities: F64) -> tuple[int, bool]:
        """Takes frames until there is something to decide, see `watch_bodies`.

        Args:
            frames: ``(n, U, D)`` C-contiguous; NaN: lost.
            times_s: ``(n,)`` capture times.
            first, end: The first frame to take, and the frame behind the last one.
            severities: ``(n,)`` written: of each frame, nats.

        Returns:
            The frame behind the last one taken, and whether there is something to decide with that one; -1, and none is
            taken, where a time is not finite.
        """
        jobs: NDArray[Any] = np.array([(self.distance, first, end, 0)])
        self.kind.watch(jobs, frames, times_s, severities)
        _, at, _, due = jobs[0].tolist()
        return at, due > 0

    def signs(self, least: float) -> list[Sign]:
        """The classes of detectors that reach `least` in the newest row, each by its most severe detector."""
        state, best = self.state, dict[DetectorClass, Sign]()
        row_s = float(self.clock["row_s"][0])
        layout = self.layout
        for d, severity in enumerate(state.severities.tolist()):
            if not severity >= least:
                continue
            of = layout.detectors[d].of
            if of not in best or severity > best[of].severity:
                unit = int(layout.arrays.unit[state.top[d]])
                best[of] = Sign(of, () if unit < 0 else (unit,), severity, row_s)
        return list(best.values())
