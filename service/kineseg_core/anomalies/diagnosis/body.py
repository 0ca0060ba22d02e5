"""What is wrong with a body: the first of the rules that holds."""

from __future__ import annotations

import numpy as np

from kineseg_core.anomalies.diagnosis.body_evidence import BodyEvidence
from kineseg_core.anomalies.diagnosis.path import Path, shakiness
from kineseg_core.anomalies.diagnosis.scale import rescaled
from kineseg_core.anomalies.diagnosis.suspect import strained_bone, suspects
from kineseg_core.anomalies.diagnosis.swapped import swapped
from kineseg_core.anomalies.kinds import AnomalyKind

Found = tuple[AnomalyKind, tuple[int, ...], float]

_JUMP = 0.02
"""Body heights."""
_REPLAYED = 0.8
_SPIKE_S, _BACK = 0.25, 0.72
_RESTORED = 1.5
_MANY, _MANY_SHARE = 4, 0.3
_NEW, _STEADY = 0.3, 0.4
"""See `Shakiness`."""


def diagnose_body(evidence: BodyEvidence, *, young: bool) -> Found:
    """Kind, joints (none: the whole body), and since when.

    Args:
        evidence: What is known.
        young: Whether it has only just been found: what looks like a jump may be the first frame of many things.
    """
    if rescaled(evidence):
        return AnomalyKind.SCALE, (), evidence.since_s
    if joints := swapped(evidence):
        return AnomalyKind.SWAPPED, joints, evidence.since_s
    joints = suspects(evidence)
    kind = _kind_of_joint(evidence, joints[0], young)
    return kind, joints if kind in (AnomalyKind.JITTER, AnomalyKind.LATE) else joints[:1], evidence.since_s


def _kind_of_joint(evidence: BodyEvidence, joint: int, young: bool) -> AnomalyKind:
    path = Path(evidence.places[:, joint], evidence.onset, evidence.rate_hz, _JUMP)
    jumps = path.jumps
    if not young and path.replay() > _REPLAYED:
        return AnomalyKind.LATE
    if len(jumps) > 1 and jumps[-1] - jumps[0] <= max(4, _SPIKE_S * evidence.rate_hz) and path.excursion() > _BACK:
        return AnomalyKind.SPIKE
    if len(jumps) > max(_MANY, _MANY_SHARE * (len(path.places) - path.onset)):
        fast = shakiness(path.places, evidence.onset, evidence.rate_hz).fast
        return AnomalyKind.JITTER if fast else AnomalyKind.TREMOR
    bone = strained_bone(evidence, joint)[:, None]
    shaking = shakiness(bone if np.any(bone) else path.places, evidence.onset, evidence.rate_hz)
    if shaking.new > _NEW and shaking.steady < _STEADY:
        return AnomalyKind.JITTER if shaking.fast else AnomalyKind.TREMOR
    if len(jumps):
        if young:
            return AnomalyKind.UNUSUAL
        return AnomalyKind.DRIFT if _restored(bone, jumps) else AnomalyKind.LATE
    return AnomalyKind.DRIFT


def _restored(bone: np.ndarray, jumps: np.ndarray) -> bool:
    """Whether the jump was back to where the joint belongs."""
    before, after = np.abs(bone[: jumps[0]]), np.abs(bone[jumps[-1] :])
    recent = before[-len(after) - 1 :]
    return len(recent) > 0 and float(np.median(recent)) > _RESTORED * float(np.median(after))
