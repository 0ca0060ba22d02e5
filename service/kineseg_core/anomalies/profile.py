"""What a stream has taught about its rig, to be carried to the next session: envelopes and tails, as plain values.

Bone lengths and the size of the body are not in it: they are the person's, not the rig's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeGuard

import numpy as np
from numpy.typing import NDArray

from kineseg_core.anomalies.score.envelope import renew
from kineseg_core.anomalies.score.kind import frames_a_row
from kineseg_core.anomalies.score.scorer import Scorer
from kineseg_core.anomalies.source import WatchedSource
from kineseg_core.errors import InvalidRequest
from kineseg_core.profile_json import no_profile

_VERSION = 1
_TAIL_FIELDS = ("episodes", "excess")
_SAME_RATE = 0.01
"""Share by which the rates of one rig may differ: those of files are often estimated."""
_LOGS = (-60.0, 80.0)
"""Between which the logarithm of a value lies: what is made of it is finite in single precision."""
_LARGEST = 1e9
"""Of counts, seconds and sums."""
_MOST_NAMED = 3


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
                "lowest": _rounded(envelope.lowest[start:stop], 4, _LOGS),
                "counts": _rounded(envelope.counts[start:stop], 2),
                **{field: _rounded(tails.of[field][d], 4) for field in _TAIL_FIELDS},
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
    detectors = _object(profile.get("detectors"), "detectors")
    for d, (detector, start, stop) in enumerate(_parts(scorer)):
        where = f"detectors.{detector.name}"
        kept = _object(detectors.get(detector.name), where)
        envelope.lowest[start:stop] = _numbers(kept, "lowest", where, envelope.lowest[start:stop].shape, _LOGS)
        envelope.counts[start:stop] = _numbers(kept, "counts", where, envelope.counts[start:stop].shape)
        for field in _TAIL_FIELDS:
            tails.of[field][d] = _number(kept, field, where)
    envelope.seconds[0] = _number(profile, "learnt_s")
    tails.seconds[0] = _number(profile, "tails_s")
    group = profile.get("group")
    if not isinstance(group, str):
        raise no_profile("group is no text")
    renew(envelope, scorer.layout.arrays, scorer.values.state.least)
    scorer.carry_on(group)


def _parts(scorer: Scorer) -> list[tuple[Any, int, int]]:
    edges = scorer.layout.arrays.start.tolist()
    return list(zip(scorer.layout.detectors, edges[:-1], edges[1:], strict=True))


def _check(profile: Mapping[str, Any], source: WatchedSource) -> None:
    if not isinstance(profile, Mapping) or profile.get("version") != _VERSION:
        raise no_profile(f"expected an object with version {_VERSION}")
    found = _object(profile.get("source"), "source")
    different = [*_other_names(found, source), *_other_parents(found, source), *_other_rate(found, source)]
    if different:
        raise InvalidRequest(
            f"profile: is of another source: {'; '.join(different)}. Leave it out, or give the one that was saved with "
            "this source",
            field="profile",
        )


def _other_names(found: Mapping[str, Any], source: WatchedSource) -> list[str]:
    names = found.get("names")
    if names == list(source.names):
        return []
    what = "channels" if source.parents is None else "joints"
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        return [f"it names no {what}"]
    here, there = set(source.names), set(names)
    strange = [name for name in names if name not in here]
    missing = [name for name in source.names if name not in there]
    if not strange and not missing:
        return [f"its {what} have another order"]
    said = [f"{len(names)} {what}, and here are {len(source.names)}"] if len(names) != len(source.names) else []
    said += [f"{_listed(missing)} not in it"] if missing else []
    return [*said, *([f"{_listed(strange)} not here"] if strange else [])]


def _other_parents(found: Mapping[str, Any], source: WatchedSource) -> list[str]:
    parents = None if source.parents is None else list(source.parents)
    if found.get("parents") == parents:
        return []
    if parents is None:
        return ["it is of joints, and here are channels"]
    if found.get("parents") is None:
        return ["it is of channels, and here are joints"]
    return ["its joints hang together otherwise"]


def _other_rate(found: Mapping[str, Any], source: WatchedSource) -> list[str]:
    rate = found.get("rate_hz")
    if not _is_number(rate, (1e-9, _LARGEST)):
        return ["it says no rate_hz"]
    near = abs(rate - source.rate_hz) <= _SAME_RATE * source.rate_hz
    if near and frames_a_row(rate) == frames_a_row(source.rate_hz):
        return []
    return [f"{rate:g} frames a second, and here are {source.rate_hz:g}"]


def _described(source: WatchedSource) -> dict[str, Any]:
    parents = None if source.parents is None else list(source.parents)
    return {"names": list(source.names), "parents": parents, "rate_hz": source.rate_hz}


def _object(value: object, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise no_profile(f"it lacks {where}, or that is no object")
    return value


def _number(values: Mapping[str, Any], key: str, where: str = "") -> float:
    value = values.get(key)
    if not _is_number(value, (0.0, _LARGEST)):
        raise no_profile(f"{where}{'.' if where else ''}{key} is no number from 0 to {_LARGEST:g}")
    return float(value)


def _is_number(value: object, bounds: tuple[float, float]) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and bounds[0] <= value <= bounds[1]


def _numbers(
    values: Mapping[str, Any],
    key: str,
    where: str,
    shape: tuple[int, ...],
    bounds: tuple[float, float] = (0.0, _LARGEST),
) -> NDArray[np.float64]:
    """An array of exactly this shape: none that NumPy would stretch to it."""
    kept = values.get(key)
    try:
        found = np.array(kept if isinstance(kept, list) else None)
    except (ValueError, OverflowError, RecursionError):  # lists of several lengths
        found = np.array(None)
    if found.shape != shape or found.dtype.kind not in "if":
        expected = " times ".join(map(str, shape))
        raise no_profile(f"{where}.{key} is not {expected} numbers")
    within: NDArray[np.bool_] = (found >= bounds[0]) & (found <= bounds[1])  # NaN is not
    if not within.all():
        raise no_profile(f"{where}.{key} has a number that is not from {bounds[0]:g} to {bounds[1]:g}")
    return found.astype(np.float64)


def _listed(names: list[str]) -> str:
    shown = ", ".join(repr(name[:64]) for name in names[:_MOST_NAMED])
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return f"{shown}{more} {'is' if len(names) == 1 else 'are'}"


def _rounded(values: np.ndarray, digits: int, bounds: tuple[float, float] = (0.0, _LARGEST)) -> Any:
    """Within what `restore` takes; no value yet, NaN, is 0."""
    return np.round(np.clip(np.nan_to_num(values.astype(np.float64)), *bounds), digits).tolist()
