"""What watching a stream gives: an anomaly is raised, updated, and cleared."""

from __future__ import annotations

from dataclasses import dataclass

from kineseg_core.anomalies.kinds import AnomalyClass, AnomalyKind


@dataclass(frozen=True, slots=True)
class _Anomaly:
    """What every event says of its anomaly.

    Attributes:
        anomaly_id: 1, 2, 3 ... in the stream; never used again.
        kind: What is wrong, as far as is known.
        units: Names of the joints or channels that it is about; all of them if it is the whole source.
        severity_h: How rare it is: once in so many hours.
        since_s: Capture time from which on it holds, seconds.
        text: A sentence in plain English.
    """

    anomaly_id: int
    kind: AnomalyKind
    units: tuple[str, ...]
    severity_h: float
    since_s: float
    text: str

    @property
    def kind_class(self) -> AnomalyClass:
        """That of its kind."""
        return self.kind.kind_class


@dataclass(frozen=True, slots=True)
class Raised(_Anomaly):
    """An anomaly begins."""


@dataclass(frozen=True, slots=True)
class Updated(_Anomaly):
    """More is known of an anomaly that goes on: its kind, its units, or that it is worse."""


@dataclass(frozen=True, slots=True)
class Cleared(_Anomaly):
    """An anomaly is over.

    Attributes:
        end_s: Capture time of the first frame without it, seconds.
    """

    end_s: float


AnomalyEvent = Raised | Updated | Cleared
