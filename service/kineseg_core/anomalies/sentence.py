"""A sentence in plain English about an anomaly."""

from __future__ import annotations

from collections.abc import Sequence

from kineseg.motion.joint_names import split_joint_names

from kineseg_core.anomalies.kinds import AnomalyKind as K

_MOST_NAMED = 3

_OF_UNITS = {
    K.OCCLUDED: "not seen",
    K.FROZEN: "frozen",
    K.SPIKE: "jumped away and back",
    K.JITTER: "shaking",
    K.DRIFT: "drifting",
    K.LEVEL: "off its usual level",
    K.GAIN: "larger or smaller than usual",
    K.SWAPPED: "taken for each other",
    K.TREMOR: "trembling",
    K.LATE: "late",
    K.UNUSUAL: "moving as never before",
}
_OF_SOURCE = {
    K.GAP: "no frames",
    K.STALLED: "the source repeats one frame",
    K.LOOPED: "frames come again that came before",
    K.UNIT: "the values are in another unit",
    K.SCALE: "the body has another size",
    K.AXES: "the axes have changed",
}


def spoken(names: Sequence[str]) -> tuple[str, ...]:
    """``left wrist`` for ``LeftWrist`` or ``wrist_l``; a name without words as it is."""
    return tuple(
        f"{side} {part}" if side and part else (part or name)
        for name, (side, part) in zip(names, split_joint_names(names), strict=True)
    )


def sentence(kind: K, units: Sequence[str], lasted_s: float) -> str:
    """What happens.

    Args:
        kind: Of anomaly.
        units: As they are spoken; empty: the whole source.
        lasted_s: For how long so far.
    """
    lasted = f" for {lasted_s:.1f} s" if lasted_s >= 0.05 and kind is not K.SPIKE else ""
    if units and kind in _OF_UNITS:
        return f"{_listed(units)} {_OF_UNITS[kind]}{lasted}"
    if kind in _OF_SOURCE:
        return f"{_OF_SOURCE[kind]}{lasted}"
    return f"the source is {_OF_UNITS[kind]}{lasted}" if kind in _OF_UNITS else f"{kind.value}{lasted}"


def _listed(units: Sequence[str]) -> str:
    if len(units) > _MOST_NAMED:
        return f"{', '.join(units[: _MOST_NAMED - 1])} and {len(units) - _MOST_NAMED + 1} more"
    return " and ".join(filter(None, (", ".join(units[:-1]), units[-1])))
