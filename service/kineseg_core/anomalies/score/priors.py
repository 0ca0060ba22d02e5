"""What is known of the tails of streams before one is seen, from `priors.json`.

The file is made by ``kineseg-train anomaly-priors``, which says from what. For bodies there are four strata, by how
much bone lengths vary in the first ten seconds: exact skeletons, good ones, noisy ones, rough ones.
"""

from __future__ import annotations

import json
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kineseg_core.anomalies.score.tails import PRIOR
from kineseg_core.anomalies.values.layout import ValueLayout
from kineseg_core.kernels import kernel

FILE = "priors.json"
GROUPS = ("exact bodies", "good bodies", "noisy bodies", "rough bodies", "channels")
_STRATA = (5e-4, 4e-3, 3e-2)
"""Usual upper limits of the deviation of a bone's log length, between groups of bodies."""
_EXACT = 1e-3
"""The same of every bone of an exact body."""


def groups_of(*, is_body: bool) -> tuple[str, ...]:
    """Those of `GROUPS` that a stream can belong to."""
    return GROUPS[:-1] if is_body else GROUPS[-1:]


@lru_cache(maxsize=64)  # streams of the same kind share them
def priors_of(layout: ValueLayout, groups: tuple[str, ...]) -> NDArray[np.void]:
    """``(G, D)`` of `PRIOR`: those of the detectors of a stream, for each of these groups."""
    tails = _read()
    return np.array(
        [
            [tuple(tails[group][detector.name][field] for field in PRIOR.names or ()) for detector in layout.detectors]
            for group in groups
        ],
        PRIOR,
    )


@kernel()
def group_of(usual):  # type: ignore[no-untyped-def]
    """Index of the group of priors of a stream that has been watched for ten seconds.

    Args:
        usual: ``(B,)`` usual upper limits of how much bones deviate; of channels, which have one group, empty.
    """
    if len(usual) == 0:
        return 0
    middle, stratum = np.median(usual), 0
    for limit in _STRATA:
        stratum += limit < middle
    return max(stratum, 1) if usual.max() > _EXACT else stratum


@cache
def _read() -> dict[str, dict[str, dict[str, float]]]:
    content: dict[str, Any] = json.loads(files("kineseg_core.anomalies").joinpath(FILE).read_text())
    tails: dict[str, dict[str, dict[str, float]]] = content["tails"]
    return tails
