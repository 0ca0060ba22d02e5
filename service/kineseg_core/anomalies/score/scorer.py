"""From frames to severities, for one stream: how rare is what each detector sees."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kineseg_core.anomalies.score.handle import made_handle
from kineseg_core.anomalies.score.packed import packed
from kineseg_core.anomalies.score.priors import GROUPS, groups_of, priors_of
from kineseg_core.anomalies.score.stream import StreamConstants, new_state, watch_body, watch_channels
from kineseg_core.anomalies.signs import DetectorClass, Sign
from kineseg_core.anomalies.source import WatchedSource
from kineseg_core.anomalies.values.body import BodyValues
from kineseg_core.anomalies.values.channels import ChannelValues
from kineseg_core.anomalies.values.layout import ValueLayout
from kineseg_core.errors import InvalidRequest
from kineseg_core.kept.declared import keeps

F64 = NDArray[np.float64]

WARM_UP_S = 10.0
_CARRIED_WARM_UP_S = 2.0
_LOOKED_AT_HZ = 40.0
"""About how often a source is looked at, however fast it is."""


def frames_a_row(rate_hz: float) -> int:
    """Of how many frames of a source one row of values is made."""
    return max(1, round(rate_hz / _LOOKED_AT_HZ))


def warm_up_s(layout: ValueLayout) -> F64:
    """``(D,)`` how long a stream must have been watched before each detector does."""
    return np.array([detector.warm_up_s for detector in layout.detectors])


@keeps("_memory", fixed="_source _bar values layout row_rate_hz state _groups _priors _constants", passing="_handle")
class Scorer:
    """Severities of one stream. Picklable.

    Args:
        source: What the frames are.
        bar: ``(4,)`` from which severity on there is something to decide, see `AlarmBar`; read anew with every frame.

    Attributes:
        values: Of the source.
        layout: Of the values.
        row_rate_hz: Rows of values a second.
        state: What the stream has taught.
    """

    def __init__(self, source: WatchedSource, bar: F64) -> None:
        step = frames_a_row(source.rate_hz)
        values = ChannelValues(source, step) if source.parents is None else BodyValues(source, step)
        self._set_up(source, bar, values)

    def _set_up(self, source: WatchedSource, bar: F64, values: BodyValues | ChannelValues) -> None:
        self._source, self._bar, self.values, self.layout = source, bar, values, values.layout
        self.row_rate_hz = values.constants.rate
        state = new_state(source, self.layout, self.row_rate_hz, warm_up_s(self.layout), WARM_UP_S)
        (self.state, values.state), self._memory = packed((state, values.state))
        self._groups = groups_of(is_body=source.parents is not None)
        self._priors = priors_of(self.layout, self._groups)
        self._handle: Any = None  # made when it is first needed: it cannot be pickled
        bones = self.layout.of("bone")
        self._constants = StreamConstants(source.rate_hz, self.row_rate_hz, source.root, bones.start, bones.stop)

    def __getstate__(self) -> tuple[WatchedSource, F64, BodyValues | ChannelValues, bytes]:
        """What the rest follows from."""
        return self._source, self._bar, self.values, self._memory.tobytes()

    def __setstate__(self, state: tuple[WatchedSource, F64, BodyValues | ChannelValues, bytes]) -> None:
        source, bar, values, memory = state
        self._set_up(source, bar, values)
        self._memory[:] = np.frombuffer(memory, np.uint8)

    @property
    def group(self) -> str:
        """Of priors, see `GROUPS`; empty before the warm-up."""
        group = int(self.state.clock["group"][0])
        return "" if group < 0 else self._groups[group]

    @property
    def frames(self) -> int:
        """How many have come so far."""
        return int(self.state.clock["frames"][0])

    @property
    def time_s(self) -> float:
        """Capture time of the newest frame; 0 before the first."""
        return float(self.state.clock["time_s"][0])

    @property
    def seconds(self) -> float:
        """For how long rows have been made."""
        return float(self.state.clock["seconds"][0])

    @property
    def new_row(self) -> bool:
        """Whether the newest frame has made one."""
        return bool(self.state.clock["new_row"][0])

    @property
    def mostly_silent(self) -> bool:
        """Whether more than half of the units are lost or were a moment ago."""
        clock, left = self.state.clock[0], self.state.masks.left
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
        if group not in self._groups:
            raise InvalidRequest(
                f"profile: there are no priors of {group!r}, only of {', '.join(GROUPS)}; save it anew", field="profile"
            )
        clock = self.state.clock
        clock["group"], clock["first_s"] = self._groups.index(group), _CARRIED_WARM_UP_S
        of_past = np.array([detector.of is DetectorClass.PAST for detector in self.layout.detectors])
        self.state.warm_s[~of_past] = _CARRIED_WARM_UP_S

    def advance(
        self, frames: F64, times_s: F64, first: int, severities: F64, *, learns_after_s: float, busy: bool
    ) -> tuple[int, bool]:
        """Takes frames until there is something to decide, see `watch_body`.

        Args:
            frames: ``(n, U, D)`` C-contiguous; NaN: lost.
            times_s: ``(n,)`` capture times.
            first: The first frame to take.
            severities: ``(n,)`` written: of each frame, nats.
            learns_after_s: What comes after that may become what is usual.
            busy: Whether anomalies go on, so that every row decides something.

        Returns:
            The frame behind the last one taken, and whether there is something to decide with that one; -1, and none is
            taken, where a time is not finite.
        """
        watch = watch_body if self._constants.root >= 0 else watch_channels
        handle = self._handle or self._made_handle()
        found: tuple[int, bool] = watch(handle, frames, times_s, first, learns_after_s, busy, severities)
        return found

    def _made_handle(self) -> Any:
        self._handle = made_handle(
            self.state,
            self._constants,
            self.values.state,
            self.values.constants,
            self.layout.arrays,
            self._priors,
            self._bar,
        )
        return self._handle

    def signs(self, least: float) -> list[Sign]:
        """The classes of detectors that reach `least` in the newest row, each by its most severe detector."""
        state, best = self.state, dict[DetectorClass, Sign]()
        row_s = float(state.clock["row_s"][0])
        for d in np.flatnonzero(state.severities >= least).tolist():
            of, severity = self.layout.detectors[d].of, float(state.severities[d])
            if of not in best or severity > best[of].severity:
                unit = int(self.layout.arrays.unit[state.top[d]])
                best[of] = Sign(of, () if unit < 0 else (unit,), severity, row_s)
        return list(best.values())
