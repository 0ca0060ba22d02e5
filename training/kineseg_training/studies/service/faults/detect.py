"""Send takes with and without faults through the real server, and count what its anomaly score finds."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import kineseg
import numpy as np
from kineseg.motion import MotionError, Recording, read

from kineseg_training.data.faults import BODY_FAULTS
from kineseg_training.errors import DataError, EvaluationError
from kineseg_training.export.step import read_bundle
from kineseg_training.server_process import running_server
from kineseg_training.studies.service.faults.trials import Placed, Scored, alarms, found, planned, threshold_for

# The rate of false alarms at which models are compared, whatever threshold each needs for it.
PER_MINUTE = 0.5

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Kind:
    """How one kind of fault was found, by the service's own alarms and by the anomaly score.

    Attributes:
        name: Of the `FaultKind`.
        trials: How many there were.
        detected: Share of them with an alarm from their start to a second after their end.
        detected_at_rate: The same by the score, at the threshold that gives `PER_MINUTE` false alarms a minute.
        delay_s: Median time from the start of a found fault to its alarm; NaN if none was found.
        warning_s: Median time from the alarm to the end of a found fault: for one that grows, the time left before it
            is at its worst; NaN if none was found.
        reported_otherwise: Share of them that the service reported by a gap or missing values, whatever the score.
    """

    name: str
    trials: int
    detected: float
    detected_at_rate: float
    delay_s: float
    warning_s: float
    reported_otherwise: float


@dataclass(frozen=True)
class Detection:
    """How a model finds faults.

    Attributes:
        model: Name of the bundle.
        threshold_at_rate: Of the score: the one with `PER_MINUTE` false alarms a minute in the takes without faults.
        false_per_minute: The service's own alarms in the takes without faults.
        clean_minutes: How long these are.
        kinds: Of fault, in the order of `BODY_FAULTS`.
    """

    model: str
    threshold_at_rate: float
    false_per_minute: float
    clean_minutes: float
    kinds: tuple[Kind, ...]

    def overall(self, *, at_rate: bool = False) -> float:
        """Mean over the kinds of the share detected."""
        return float(np.mean([kind.detected_at_rate if at_rate else kind.detected for kind in self.kinds]))

    def plain(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)

    @classmethod
    def from_plain(cls, raw: dict[str, Any]) -> Detection:
        """What `plain` gave."""
        return cls(**raw | {"kinds": tuple(Kind(**kind) for kind in raw["kinds"])})

    def table(self) -> str:
        """For reading: per cent and seconds."""
        lines = [
            f"{self.model}: {self.false_per_minute:.2f} false alarms a minute in {self.clean_minutes:.1f} minutes "
            "without faults, as the service raises them",
            f"{'fault':<16}{'trials':>8}{'found %':>9}{f'% at {PER_MINUTE}/min':>14}{'delay s':>9}{'warning s':>11}"
            f"{'reported otherwise %':>21}",
        ]
        lines += [
            f"{kind.name:<16}{kind.trials:>8}{100 * kind.detected:>9.0f}{100 * kind.detected_at_rate:>14.0f}"
            f"{kind.delay_s:>9.2f}{kind.warning_s:>11.2f}{100 * kind.reported_otherwise:>18.0f}"
            for kind in self.kinds
        ]
        lines.append(f"{'mean':<16}{'':>8}{100 * self.overall():>9.0f}{100 * self.overall(at_rate=True):>14.0f}")
        return "\n".join(lines)


@dataclass(frozen=True, eq=False)
class Heard:
    """What the server made of a stream.

    Attributes:
        scored: Scores of the frames, and the faults in them.
        reported_s: When it reported an anomaly.
        otherwise_s: The times that its gaps and missing values are about.
    """

    scored: Scored
    reported_s: tuple[float, ...]
    otherwise_s: tuple[float, ...]


def detect(
    bundle: Path, takes: Sequence[Recording], *, passes: int = 3, seed: int = 0
) -> tuple[Detection, list[Heard]]:
    """Measure a bundle.

    Args:
        bundle: Folder or ``.zip``.
        takes: Without faults; the same are then sent with faults in them.
        passes: How often each is sent with faults.
        seed: Of kinds, places and joints.

    Returns:
        The figures, and what was heard of the streams with faults.

    Raises:
        DataError: Takes without joint positions, or too short.
        EvaluationError: The server did not start or refused a stream.
        BundleError: `bundle` is not one.
    """
    read_bundle(bundle)  # says what is wrong sooner and more clearly than a server that does not start
    trials = planned(takes, passes, seed)
    with running_server(bundle) as address, kineseg.Client(address) as client:
        (model,) = (model for model in client.models() if model.is_default)
        clean = [_heard(client, model.name, take, ()) for take in takes]
        faulty = []
        for number, trial in enumerate(trials, start=1):
            logger.info("%s: stream %d of %d", model.name, number, len(trials))
            faulty.append(_heard(client, model.name, trial.recording, trial.faults))
    still = [heard.scored for heard in clean]
    at_rate = threshold_for(still, PER_MINUTE)
    reported = sum(len(heard.reported_s) for heard in clean)
    minutes = sum(stream.duration_s for stream in still) / 60.0
    return (
        Detection(model.name, at_rate, reported / minutes, minutes, _by_kind(faulty, at_rate)),
        faulty,
    )


def load_takes(folder: Path, names: Sequence[str] | None = None) -> list[Recording]:
    """The takes of subject 86 in `folder` (or those named), as recordings with joint positions.

    Raises:
        DataError: There are none.
    """
    files = sorted(folder.glob("*.mat")) if names is None else [folder / f"{name}.mat" for name in names]
    if not files:
        raise DataError(f"{folder}: has no takes (*.mat); name the folder of the CMU clips, which has subject_86")
    try:
        return [read(file) for file in files]
    except MotionError as error:
        raise DataError(str(error)) from error


def _heard(client: kineseg.Client, model: str, recording: Recording, faults: tuple[Placed, ...]) -> Heard:
    try:
        result = client.segment(recording, model=model, frame_results=True)
    except kineseg.KinesegError as error:
        raise EvaluationError(f"{recording.name}: the server refused or failed: {error}") from error
    times = np.array([frame.time_s for frame in result.frame_results])
    scores = np.array([frame.anomaly_score for frame in result.frame_results])
    anomalies = [event for event in result.events if isinstance(event, kineseg.AnomalyRaised)]
    return Heard(
        Scored(times, scores, result.summary.duration_s, faults),
        tuple(event.decided_time_s for event in anomalies),
        tuple(event.time_s for event in result.events if isinstance(event, kineseg.Gap | kineseg.MissingValues)),
    )


def _by_kind(streams: Sequence[Heard], threshold_at_rate: float) -> tuple[Kind, ...]:
    rows: dict[str, list[tuple[Placed, float | None, bool, bool]]] = {kind.name: [] for kind in BODY_FAULTS}
    for heard in streams:
        faults = heard.scored.faults
        own = found(np.array(heard.reported_s), faults)
        other = found(alarms(heard.scored, threshold_at_rate), faults)
        elsewhere = found(np.array(heard.otherwise_s), faults)
        for fault, at_s, at_rate, otherwise in zip(faults, own, other, elsewhere, strict=True):
            rows[fault.kind].append((fault, at_s, at_rate is not None, otherwise is not None))
    return tuple(
        Kind(
            name,
            len(trials),
            float(np.mean([at_s is not None for _, at_s, _, _ in trials])),
            float(np.mean([at_rate for _, _, at_rate, _ in trials])),
            _median([at_s - fault.start_s for fault, at_s, _, _ in trials if at_s is not None]),
            _median([fault.stop_s - at_s for fault, at_s, _, _ in trials if at_s is not None]),
            float(np.mean([otherwise for _, _, _, otherwise in trials])),
        )
        for name, trials in rows.items()
        if trials
    )


def _median(values: Sequence[float]) -> float:
    return float(np.median(values)) if len(values) else float("nan")
