"""What a stream has taught about its rig, to be carried to the next session: envelopes and tails, as plain values.

Bone lengths and the size of the body are not in it: they are the person's, not the rig's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from kineseg_core.anomalies.score.envelope import renew
from kineseg_core.anomalies.score.scorer import Scorer
from kineseg_core.anomalies.source import WatchedSource
from kineseg_core.errors import InvalidRequest

_VERSION = 1
_TAIL_FIELDS = ("episodes", "excess")


def profile_of(source: WatchedSource, scorer: Scorer) -> dict[str, Any]:
    """Plain values that survive JSON."""
    envelope, tails = scorer.state.envelope, scorer.state.tails
    return {
        "version": _VERSION,
        "source": _described(source),
        "learnt_s": float(envelope.seconds[0]),
        "group": scorer.group,
        "detectors": {
            detector.name: {
                "lowest": _rounded(np.nan_to_num(envelope.lowest[start:stop]), 4),
                "counts": _rounded(envelope.counts[start:stop], 2),
                **{field: round(float(tails.of[field][d]), 4) for field in _TAIL_FIELDS},
            }
            for d, (detector, start, stop) in enumerate(_parts(scorer))
        },
        "tails_s": float(tails.seconds[0]),
    }


def restore(profile: Mapping[str, Any], source: WatchedSource, scorer: Scorer) -> None:
    """Gives a new stream's scorer what `profile_of` kept.

    Raises:
        InvalidRequest: It is of another source, or no profile.
    """
    _check(profile, source)
    if profile.get("group") == "":
        return  # it had not learnt long enough
    envelope, tails = scorer.state.envelope, scorer.state.tails
    try:
        for d, (detector, start, stop) in enumerate(_parts(scorer)):
            kept = profile["detectors"][detector.name]
            envelope.lowest[start:stop] = np.array(kept["lowest"], np.float64)
            envelope.counts[start:stop] = np.array(kept["counts"], np.float32)
            for field in _TAIL_FIELDS:
                tails.of[field][d] = max(0.0, float(kept[field]))
        envelope.seconds[0] = max(0.0, float(profile["learnt_s"]))
        tails.seconds[0] = max(0.0, float(profile["tails_s"]))
        group = str(profile["group"])
    except (KeyError, TypeError, ValueError) as error:
        raise _no_profile(f"it lacks or has a wrong {error}") from error
    if not (np.isfinite(envelope.lowest).all() and np.isfinite(envelope.counts).all() and (envelope.counts >= 0).all()):
        raise _no_profile("it has numbers that are not finite, or negative counts")
    renew(envelope, scorer.layout.arrays, scorer.values.state.least)
    scorer.carry_on(group)


def _parts(scorer: Scorer) -> list[tuple[Any, int, int]]:
    edges = scorer.layout.arrays.start.tolist()
    return list(zip(scorer.layout.detectors, edges[:-1], edges[1:], strict=True))


def _check(profile: Mapping[str, Any], source: WatchedSource) -> None:
    if not isinstance(profile, Mapping) or profile.get("version") != _VERSION:
        raise _no_profile(f"expected an object with version {_VERSION}")
    expected = _described(source)
    found = profile.get("source")
    if found != expected:
        different = [key for key in expected if not isinstance(found, Mapping) or found.get(key) != expected[key]]
        raise InvalidRequest(
            f"profile: is of another source (other {', '.join(different)}); leave it out, or give the one that was "
            "saved with this source",
            field="profile",
        )


def _described(source: WatchedSource) -> dict[str, Any]:
    parents = None if source.parents is None else list(source.parents)
    return {"names": list(source.names), "parents": parents, "rate_hz": source.rate_hz}


def _no_profile(why: str) -> InvalidRequest:
    return InvalidRequest(
        f"profile: is none that `AnomalyMonitor.profile` gave: {why}; leave it out, or save it anew", field="profile"
    )


def _rounded(values: np.ndarray, digits: int) -> Any:
    return np.round(values.astype(np.float64), digits).tolist()
