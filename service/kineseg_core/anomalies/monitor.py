"""Watches one stream's source values and raises typed anomalies under a budget of alarms an hour."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kineseg_core.anomalies.budget import AlarmBar, AnomalyBudget
from kineseg_core.anomalies.diagnosis.body import diagnose_body
from kineseg_core.anomalies.diagnosis.body_evidence import body_evidence
from kineseg_core.anomalies.diagnosis.body_rules import BodyRules
from kineseg_core.anomalies.diagnosis.channel_rules import ChannelRules
from kineseg_core.anomalies.diagnosis.channels import diagnose_channels
from kineseg_core.anomalies.events import AnomalyEvent, Cleared, Raised, Updated
from kineseg_core.anomalies.kinds import AnomalyKind
from kineseg_core.anomalies.profile import profile_of, restore
from kineseg_core.anomalies.rules.book import RuleFinding, findings
from kineseg_core.anomalies.score.kind import StreamKind, kind_of
from kineseg_core.anomalies.score.scorer import Scorer
from kineseg_core.anomalies.sentence import sentence, spoken
from kineseg_core.anomalies.signs import RULE_SEVERITY, Sign
from kineseg_core.anomalies.source import WatchedSource
from kineseg_core.anomalies.tracker import HYSTERESIS, RAREST, AnomalyTracker, Change
from kineseg_core.anomalies.values.body import BodyValues
from kineseg_core.anomalies.values.channels import ChannelValues
from kineseg_core.errors import InvalidFrame
from kineseg_core.kept.declared import keeps

F64 = NDArray[np.float64]

_STAYS_S = 20.0
_ANY = -1e6  # nats


@keeps(
    "_bar _scorer _row_rules _tracker _of_row _busy",
    fixed="source budget _spoken",
    passing="severities",
)
class AnomalyMonitor:
    """Watches a stream frame by frame; what it says of a frame depends on nothing later. Picklable.

    Args:
        source: What the frames are.
        budget: How many alarms an hour may be false; two unless given.
        profile: What an earlier stream of the same source has taught, see `profile`.

    Attributes:
        source, budget: As given.
        severities: ``(n,)`` nats s of each frame taken last: something as bad comes once in e^s hours.

    Raises:
        InvalidRequest: The profile is of another source, or none.
    """

    _of_row: list[RuleFinding]

    def __init__(
        self,
        source: WatchedSource,
        budget: AnomalyBudget | None = None,
        *,
        profile: Mapping[str, Any] | None = None,
    ) -> None:
        self.source = source = kind_of(source).source  # streams of the same source share it
        self.budget = budget or AnomalyBudget()
        self.severities = np.empty(0)
        self._bar = AlarmBar(self.budget.alarms_per_hour)
        self._scorer = Scorer(source)
        self._row_rules = ChannelRules(source) if source.parents is None else BodyRules(source)
        self._tracker = AnomalyTracker(self._bar, _neighbours(source))
        if profile is not None:
            restore(profile, source, self._scorer)
            self._scorer.put_away()
        self._spoken = source.names if source.parents is None else spoken(source.names)
        self._of_row = []
        self._busy = False  # whether anomalies or rules go on
        self._scorer.heed(self._bar.numbers, learns_after_s=-math.inf, busy=False)

    def update(self, values: ArrayLike, time_s: float) -> list[AnomalyEvent]:
        """Takes the next frame.

        Args:
            values: ``(J, 3)`` positions in any unit, or ``(C,)`` channels; NaN: lost.
            time_s: Capture time, seconds. One that is not later than the last counts as that one.

        Returns:
            What is raised, updated and cleared with it.

        Raises:
            InvalidFrame: Another shape, or a time that is not finite.
        """
        return [event for _, event in self.push(np.asarray(values, np.float64)[None], (time_s,))]

    def push(self, frames: ArrayLike, times_s: ArrayLike) -> list[tuple[int, AnomalyEvent]]:
        """Takes the next frames; all is as if they came one by one.

        Args:
            frames: ``(n, J, 3)`` or ``(n, C)``, see `update`.
            times_s: ``(n,)``

        Returns:
            What is raised, updated and cleared, each with the row of `frames` that decided it.

        Raises:
            InvalidFrame: Another shape, or a time that is not finite.
        """
        values, times = np.ascontiguousarray(frames, np.float64), np.asarray(times_s, np.float64)
        if values.shape[1:] != self.source.shape or times.shape != values.shape[:1]:
            raise self._wrong_shape(values, times)
        if values.ndim == 2:
            values = values[:, :, None]
        severities, end = np.empty(len(values)), len(values)
        at, is_due = self._scorer.advance(values, times, 0, end, severities)
        found = self._go_on(values, times, severities, at, end, is_due=is_due) if is_due or at < end else []
        self.severities = severities
        return found

    @property
    def kind(self) -> StreamKind:
        """Of its source; `push_many` takes frames of those that have the same."""
        return self._scorer.kind

    @property
    def distance(self) -> int:
        """By which `push_many` finds its numbers; the same as long as it is there."""
        return self._scorer.distance

    @property
    def busy(self) -> bool:
        """Anomalies go on, or may: each row is looked into, which takes much longer."""
        return self._busy

    @property
    def warming_up(self) -> tuple[str, ...]:
        """What is not watched yet: classes of detectors (rules watch from the first frame on)."""
        return tuple(of.value for of in self._scorer.warming_up)

    def profile(self) -> dict[str, Any]:
        """What the stream has taught about its rig, as plain values: for the next session, and for JSON."""
        return profile_of(self.source, self._scorer)

    def finish(self) -> list[AnomalyEvent]:
        """The stream is over: clears what goes on."""
        return self._events(self._tracker.finish(self._scorer.time_s)) if self._scorer.frames else []

    def _go_on(
        self, values: F64, times: F64, severities: F64, at: int, end: int, *, is_due: bool
    ) -> list[tuple[int, AnomalyEvent]]:
        """Decides with the frame before `at` if that `is_due`, and takes the frames from there to before `end`."""
        found = list[tuple[int, AnomalyEvent]]()
        while True:
            if at < 0:
                wrong = times[~np.isfinite(times)][0]
                raise InvalidFrame(f"time_s: is {wrong}; expected the capture time in seconds", field="time_s")
            if is_due:
                found += [(at - 1, event) for event in self._decide(severities[at - 1 : at])]
            if at == end:
                break
            at, is_due = self._scorer.advance(values, times, at, end, severities)
        if not self._busy:
            self._scorer.put_away()
        return found

    def _wrong_shape(self, values: F64, times: F64) -> InvalidFrame:
        if values.shape[1:] != self.source.shape:
            return InvalidFrame(
                f"values: have shape {values.shape[1:]}; expected {self.source.shape}, a number for each of "
                f"{', '.join(self.source.names[:3])} ...",
                field="values",
            )
        return InvalidFrame(
            f"times_s: have shape {times.shape}; expected one for each of {len(values)} frames", field="times_s"
        )

    def _decide(self, severity: NDArray[np.float64]) -> list[AnomalyEvent]:
        """What becomes of anomalies with the newest frame, whose severity is written."""
        scorer = self._scorer
        time_s = scorer.time_s
        if scorer.new_row:
            self._of_row = self._look(time_s)
        found = findings(scorer.state.book, time_s, float(scorer.clock["interval_s"][0])) + self._of_row
        signs = [Sign(finding.kind, finding.units, RULE_SEVERITY, finding.since_s) for finding in found]
        if found:
            severity[0] = RULE_SEVERITY
        signs += scorer.signs(self._bar.level(time_s) - HYSTERESIS)
        events = self._events(self._tracker.update(time_s, signs, self._named))
        self._busy = not (self._tracker.idle and self._row_rules.idle)
        since_s = self._tracker.alarmed_since_s
        # Not while an anomaly goes on, unless it stays.
        learns_after_s = -math.inf if since_s is None else since_s + _STAYS_S
        scorer.heed(self._bar.numbers, learns_after_s=learns_after_s, busy=self._busy)
        return events

    def _look(self, time_s: float) -> list[RuleFinding]:
        """The rules that look at rows of values."""
        scorer = self._scorer
        watched_s, settled = scorer.seconds, not scorer.mostly_silent
        rules, values = self._row_rules, scorer.values
        if isinstance(rules, BodyRules):
            assert isinstance(values, BodyValues)
            return rules.update(values, time_s, watched_s, settled=settled)
        assert isinstance(values, ChannelValues)
        usual_bends = scorer.state.envelope.quantile[: len(self.source.names)]
        return rules.update(values, time_s, watched_s, usual_bends, settled=settled)

    def _named(self, since_s: float, signs: Sequence[Sign], young: bool) -> tuple[AnomalyKind, tuple[int, ...], float]:
        if self.source.parents is None:
            now = self._scorer.signs(_ANY)  # also of detectors that are below the bar
            return diagnose_channels(self._scorer, since_s, [*signs, *now], young=young)
        return diagnose_body(body_evidence(self.source, self._scorer, since_s), young=young)

    def _events(self, changes: Sequence[Change]) -> list[AnomalyEvent]:
        return [self._event(change) for change in changes]

    def _event(self, change: Change) -> AnomalyEvent:
        anomaly, now_s = change.anomaly, self._scorer.time_s
        cleared = change.what == "cleared"
        units = anomaly.units or range(len(self.source.names))
        said = (
            anomaly.anomaly_id,
            anomaly.kind,
            tuple(self.source.names[unit] for unit in units),
            math.exp(min(anomaly.severity, RAREST)),
            anomaly.since_s,
            sentence(
                anomaly.kind,
                tuple(self._spoken[unit] for unit in anomaly.units),
                (anomaly.end_s if cleared else now_s) - anomaly.since_s,
            ),
        )
        if cleared:
            return Cleared(*said, end_s=anomaly.end_s)
        return (Raised if change.what == "raised" else Updated)(*said)


def push_many(
    monitors: Sequence[AnomalyMonitor],
    frames: F64,
    times_s: F64,
    ends: Sequence[int] | NDArray[np.int64],
    distances: Sequence[int] | None = None,
) -> dict[int, list[tuple[int, AnomalyEvent]] | Exception]:
    """Takes the next frames of N streams of one kind; all is as if each had been given its own.

    Their `severities` stay as they were.

    Args:
        monitors: N, each once.
        frames: ``(n, J, 3)`` or ``(n, C)`` C-contiguous, stream after stream, see `AnomalyMonitor.push`.
        times_s: ``(n,)`` finite.
        ends: For each stream the row of `frames` behind its last one.
        distances: The `distance` of each monitor, where that is known: then a monitor of which nothing comes is not
            looked at.

    Returns:
        By place in `monitors` what that one's `push` would have returned, unless that is nothing, or raised; rows are
        of `frames`.
    """
    values = frames[:, :, None] if frames.ndim == 2 else frames
    severities = np.empty(len(values))
    jobs = np.zeros((len(monitors), 4), np.int64)
    jobs[:, 0] = distances or [monitor.distance for monitor in monitors]
    jobs[:, 2] = ends
    jobs[1:, 1] = jobs[:-1, 2]
    found: dict[int, list[tuple[int, AnomalyEvent]] | Exception] = {}
    if monitors[0].kind.watch(jobs, values, times_s, severities):
        for place in np.flatnonzero(jobs[:, 3]).tolist():
            at, end = int(jobs[place, 1]), int(ends[place])
            try:
                events = monitors[place]._go_on(values, times_s, severities, at, end, is_due=True)
            except Exception as error:  # it is not the others' fault
                found[place] = error
            else:
                if events:
                    found[place] = events
    return found


@lru_cache(maxsize=64)  # streams of the same source share them
def _neighbours(source: WatchedSource) -> tuple[frozenset[int], ...]:
    """Of every unit: itself, and of a joint its parent and children."""
    around = [{unit} for unit in range(len(source.names))]
    for joint, parent in enumerate(source.parents or ()):
        if parent >= 0:
            around[joint].add(parent)
            around[parent].add(joint)
    return tuple(frozenset(units) for units in around)
