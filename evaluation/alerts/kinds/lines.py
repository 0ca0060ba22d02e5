"""Which joints or channels show a fault best, and how they moved around it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evaluation.alerts.kinds.faulty import Faulty

Array = NDArray[np.float64]

_UNITS = {"acc": "g", "gyro": "turns/s", "temperature": "°C"}


@dataclass(frozen=True, eq=False)
class Line:
    """One number of a joint or channel over time.

    Attributes:
        name: Of it.
        unit: What it is measured in.
        times_s, values: ``(n,)`` as sent; NaN where it was lost, or where frames are missing.
        clean_s, clean: ``(m,)`` as it would have been.
    """

    name: str
    unit: str
    times_s: Array
    values: Array
    clean_s: Array
    clean: Array

    @property
    def differs(self) -> bool:
        """Whether it is not what it would have been."""
        return not np.array_equal(self.values, self.clean)


def lines_of(faulty: Faulty, count: int, span_s: tuple[float, float]) -> tuple[Line, ...]:
    """The joints or channels that the fault changes the most, along one axis.

    Args:
        faulty: The stream.
        count: How many.
        span_s: From when to when.
    """
    stream, names = faulty.stream, faulty.stream.units
    sent, sent_s = stream.values.reshape(len(stream.values), len(names), -1), stream.times
    clean = faulty.clean.frames if faulty.clean.positions is None else faulty.clean.positions
    clean = clean.reshape(len(clean), len(names), -1)
    clean_s = faulty.clean.times() - faulty.clean.times()[0]
    # On the clean stream's times; frames that are missing, and values that are lost, are none.
    rows = np.searchsorted(clean_s, sent_s - 0.5 * faulty.clean.rate**-1)
    seen = np.full(clean.shape, np.nan)
    seen[rows] = sent
    during = (clean_s >= faulty.start_s) & (clean_s <= faulty.stop_s)
    change = np.nan_to_num(np.abs(seen - clean)[during]).max(axis=0)
    if not change.any():  # nothing but lost: where the movement was
        change = np.ptp(clean[during], axis=0)
    change[[name not in faulty.units for name in names]] = -1.0
    axis = int(change.max(axis=0).argmax())
    best = np.argsort(-change[:, axis], kind="stable")[:count]
    shown = (clean_s >= span_s[0]) & (clean_s <= span_s[1])
    return tuple(
        Line(*_named(names[unit], axis, stream.is_body), clean_s[shown], seen[shown, unit, axis], clean_s[shown],
             clean[shown, unit, axis])
        for unit in best
    )  # fmt: skip


def _named(name: str, axis: int, is_body: bool) -> tuple[str, str]:
    if is_body:
        return f"{name.replace('_', ' ')}, {'xyz'[axis]}", "m"
    return name, _UNITS[name.split("_", 1)[0]]
