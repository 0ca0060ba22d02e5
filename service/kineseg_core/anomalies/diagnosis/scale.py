"""Scale and unit: all bones are longer or shorter by one factor, and stay so."""

from __future__ import annotations

import math

import numpy as np

from kineseg_core.anomalies.diagnosis.body_evidence import BodyEvidence

_LEAST, _SPREAD = 0.04, 0.35
_UNIT = math.log(5.0)


def _factor(evidence: BodyEvidence) -> float:
    """The common log factor since the onset; 0 where bones do not agree on one."""
    common = evidence.common[evidence.after][-3:]
    deviations = evidence.deviations[evidence.after][-3:]
    size = float(np.median(common))
    spread = float(np.nanmedian(np.abs(deviations - common[:, None]))) if np.isfinite(deviations).any() else math.inf
    return size if abs(size) > _LEAST and spread < _SPREAD * abs(size) else 0.0


def rescaled(evidence: BodyEvidence) -> bool:
    """The body has another size, as after a wrong calibration."""
    return _factor(evidence) != 0.0


def other_unit(evidence: BodyEvidence) -> bool:
    """The size is not that of the same body: metres have become millimetres, or feet metres."""
    return abs(_factor(evidence)) > _UNIT
