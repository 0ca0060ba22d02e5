"""How often a kind is found, and called what it is, in streams that differ in all that is random."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from kineseg_core.anomalies import AnomalyKind, Cleared

from evaluation.alerts.kinds.show import Shown, show


@dataclass(frozen=True)
class Count:
    """Of one kind.

    Attributes:
        kind: Which.
        streams: With the fault.
        found: In which something was raised about it.
        right: In which that was called what it is, in the end.
        delay_s: Median time from the fault's start to the alarm; None: nothing was found.
        otherwise: What it was called in the others, most frequent first.
    """

    kind: AnomalyKind
    streams: int
    found: int
    right: int
    delay_s: float | None
    otherwise: tuple[str, ...]


def count(kind: AnomalyKind, seeds: Sequence[int]) -> Count:
    """The example of a kind in the streams of these seeds."""
    found = [show(kind, seed) for seed in seeds]
    delays = [each.delay_s for each in found if each.delay_s is not None]
    names = Counter(name for each in found if each.cleared is None and (name := _name(each)) is not None)
    return Count(
        kind, len(found), len(delays), sum(each.cleared is not None for each in found),
        float(np.median(delays)) if delays else None, tuple(name for name, _ in names.most_common()),
    )  # fmt: skip


def _name(shown: Shown) -> str | None:
    """What the first anomaly about the fault was called in the end."""
    if shown.raised is None:
        return None
    wanted = shown.raised.event.anomaly_id
    (over,) = (e.event for e in shown.emitted if isinstance(e.event, Cleared) and e.event.anomaly_id == wanted)
    return over.kind.value
