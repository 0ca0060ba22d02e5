"""What is wrong with channels: by the detector that is the most certain, and by how the channel has moved."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kineseg_core.anomalies.diagnosis.path import Path
from kineseg_core.anomalies.kinds import AnomalyKind
from kineseg_core.anomalies.score.scorer import Scorer
from kineseg_core.anomalies.signs import DetectorClass, Sign
from kineseg_core.anomalies.values.channels import ChannelValues

F64 = NDArray[np.float64]

_AS_GOOD = 4.0
"""Nats by which a detector that says more may be less certain."""
_BEFORE_S = 0.1
_THERE_AND_BACK = 0.72
_SPIKE_S = 0.25
_MANY, _MANY_SHARE = 4, 0.3
_OTHER_SIDE = 0.5
"""How far a swing reaches to its other side, at least."""
_SUDDEN = 0.5
"""Share of the whole change that one row brings."""


def diagnose_channels(
    scorer: Scorer, since_s: float, signs: Sequence[Sign], *, young: bool
) -> tuple[AnomalyKind, tuple[int, ...], float]:
    """Kind, channels (none: all of them), and since when.

    Args:
        scorer: Of the stream.
        since_s: When the first sign was there.
        signs: Of the anomaly.
        young: Whether it has only just been found: a jump may be the first half of a spike.
    """
    worst = max(signs, key=lambda sign: sign.severity)
    if worst.of is DetectorClass.PAST:  # that all is unlike the past tells least of what it is
        least = worst.severity - _AS_GOOD
        telling = [sign for sign in signs if sign.of is not DetectorClass.PAST and sign.severity > least]
        worst = max(telling or signs, key=lambda sign: sign.severity)
    if worst.of is DetectorClass.SHAKE:
        return AnomalyKind.JITTER, worst.units, since_s
    if worst.of is DetectorClass.PAST:
        return AnomalyKind.UNUSUAL, worst.units, since_s
    times_s, frames, _, _ = scorer.state.recent.rows()
    found = min(int(np.searchsorted(times_s, since_s - 1e-6)), len(times_s) - 1)
    onset = max(0, found - round(_BEFORE_S * scorer.row_rate_hz))
    (channel,) = worst.units
    path = Path(np.nan_to_num(frames[:, channel]), onset, scorer.row_rate_hz, 0.0)
    if len(path.jumps):
        since_s = min(since_s, float(times_s[path.jumps[0]]))
    usual = float(scorer.values.state.usual[0, channel]) if isinstance(scorer.values, ChannelValues) else 0.0
    return _kind(path, worst.of, usual, young=young), worst.units, since_s


def _kind(path: Path, of: AnomalyKind | DetectorClass, usual: float, *, young: bool) -> AnomalyKind:
    after = path.places[path.onset :, 0]
    if of is DetectorClass.JUMP and len(path.jumps) > max(_MANY, _MANY_SHARE * len(after)):
        return AnomalyKind.JITTER
    if _is_spike(path):
        return AnomalyKind.SPIKE
    if young and len(path.jumps):
        return AnomalyKind.UNUSUAL
    if of is DetectorClass.LEVEL and _on_both_sides(after - usual):
        return AnomalyKind.GAIN
    steps = np.abs(np.diff(after))
    if len(steps) and steps.max() > _SUDDEN * float(np.ptp(after)):
        return AnomalyKind.LEVEL
    return AnomalyKind.DRIFT if of is DetectorClass.LEVEL else AnomalyKind.LEVEL


def _is_spike(path: Path) -> bool:
    """Whether one short jump there and back is all that happened."""
    jumps = path.jumps
    if len(jumps) < 2 or jumps[-1] - jumps[0] > max(4, _SPIKE_S * path.rate_hz):
        return False
    return path.excursion() > _THERE_AND_BACK


def _on_both_sides(distances: F64) -> bool:
    """Whether a channel swings about its usual level, so that it is the swing that has become larger."""
    if not len(distances):
        return False
    below, above = max(0.0, -float(distances.min())), max(0.0, float(distances.max()))
    return min(below, above) > _OTHER_SIDE * max(below, above)
