"""Scale: all bones are longer or shorter by one factor, and stay so."""

from __future__ import annotations

import math

import numpy as np

from kineseg_core.anomalies.diagnosis.body_evidence import BodyEvidence

_LEAST, _SPREAD = 0.04, 0.35


def rescaled(evidence: BodyEvidence) -> bool:
    """The body has another size, as after a wrong calibration."""
    common = evidence.common[evidence.after][-3:]
    deviations = evidence.deviations[evidence.after][-3:]
    size = float(np.median(common))
    spread = float(np.nanmedian(np.abs(deviations - common[:, None]))) if np.isfinite(deviations).any() else math.inf
    return abs(size) > _LEAST and spread < _SPREAD * abs(size)
