"""What is known of the tails of streams before one is seen, from `priors.json`.

The file is made by ``kineseg-train anomaly-priors``, which says from what. For bodies there are four strata, by how
much bone lengths vary in the first ten seconds: exact skeletons, good ones, noisy ones, rough ones.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from kineseg_core.anomalies.score.envelope import Envelope
from kineseg_core.anomalies.score.tails import PRIOR, Prior
from kineseg_core.anomalies.values.layout import ValueLayout

FILE = "priors.json"
GROUPS = ("exact bodies", "good bodies", "noisy bodies", "rough bodies", "channels")
_STRATA = (5e-4, 4e-3, 3e-2)
"""Usual upper limits of the deviation of a bone's log length, between groups of bodies."""
_EXACT = 1e-3
"""The same of every bone of an exact body."""


def prior_of(layout: ValueLayout, group: str) -> Prior:
    """The prior of the detectors of a stream of a group."""
    tails = _read()[group]
    rows = [tuple(tails[detector.name][field] for field in PRIOR.names or ()) for detector in layout.detectors]
    return np.array(rows, PRIOR)


def group_of(layout: ValueLayout, envelope: Envelope, *, is_body: bool) -> str:
    """Which of `GROUPS` a stream belongs to that has been watched for ten seconds."""
    if not is_body:
        return GROUPS[-1]
    stratum = len(_STRATA)
    for d, detector in enumerate(layout.detectors):
        if detector.name == "bone":
            usual = envelope.quantile[layout.start[d] : layout.start[d + 1]]
            stratum = int(np.searchsorted(_STRATA, np.median(usual)))
            if usual.max() > _EXACT:
                stratum = max(stratum, 1)
    return GROUPS[stratum]


@cache
def _read() -> dict[str, dict[str, dict[str, float]]]:
    content: dict[str, Any] = json.loads(files("kineseg_core.anomalies").joinpath(FILE).read_text())
    tails: dict[str, dict[str, dict[str, float]]] = content["tails"]
    return tails
