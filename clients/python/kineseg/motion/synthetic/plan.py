"""Decides what a synthetic person does when: all of it in seconds, so that the frame rate changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from reprlib import repr as short

import numpy as np

from kineseg.motion.arguments import check_number, check_whole
from kineseg.motion.errors import RecordingError
from kineseg.motion.synthetic.actions import ACTIONS

_REPEAT_SHARE = 0.4
_LONGEST_S = 86_400.0
_MOST_SEGMENTS = 10_000


@dataclass(frozen=True)
class PlannedSegment:
    """One action from ``start_s`` to ``stop_s``; it takes over from the one before it during ``blend_s`` seconds
    around ``start_s``."""

    action: str
    start_s: float
    stop_s: float
    blend_s: float
    tempo: float
    size: float
    curve: float
    first_phase: float


def plan_segments(
    rng: np.random.Generator,
    *,
    actions: Sequence[str],
    duration_s: float,
    n_segments: int | None,
    min_segment_s: float,
    max_segment_s: float,
) -> list[PlannedSegment]:
    """Draw the segments; see `kineseg.motion.synthetic.generate` for the arguments.

    Raises:
        RecordingError: An unknown action, or a number that cannot be.
    """
    try:
        pool = [actions] if isinstance(actions, str) else list(actions)
    except TypeError:
        raise RecordingError(f"actions must be a sequence of names, got {short(actions)}", field="actions") from None
    unknown = [short(name) for name in pool if not isinstance(name, str) or name not in ACTIONS]
    if unknown or not pool:
        raise RecordingError(
            f"unknown actions {', '.join(unknown) or '(none given)'}; there are: {', '.join(ACTIONS)}", field="actions"
        )
    check_number("max_segment_s", max_segment_s, 1.0, _LONGEST_S, "seconds")
    check_number("min_segment_s", min_segment_s, 1.0, _LONGEST_S, "seconds")
    if min_segment_s > max_segment_s:
        raise RecordingError(
            f"segments of {min_segment_s} to {max_segment_s} s; expected at least 1 s and the larger one last",
            field="min_segment_s",
        )
    if n_segments is not None:
        check_whole("n_segments", n_segments, 1, _MOST_SEGMENTS)
    lengths = _draw_lengths(rng, duration_s, n_segments, min_segment_s, max_segment_s)
    names = _draw_actions(rng, list(dict.fromkeys(pool)), len(lengths))
    ends = np.cumsum(lengths)
    return [
        PlannedSegment(
            action=name,
            start_s=float(end - length),
            stop_s=float(end),
            blend_s=float(rng.uniform(0.3, 0.5)),
            tempo=float(np.exp(np.clip(0.1 * rng.standard_normal(), -0.2, 0.2))),
            size=float(np.clip(1.0 + 0.08 * rng.standard_normal(), 0.84, 1.16)),
            curve=float(rng.uniform(-0.25, 0.25)),
            first_phase=float(rng.uniform()),
        )
        for name, length, end in zip(names, lengths, ends, strict=True)
    ]


def _draw_lengths(
    rng: np.random.Generator, duration_s: float, n_segments: int | None, shortest: float, longest: float
) -> list[float]:
    if n_segments is not None:
        return [float(length) for length in rng.uniform(shortest, longest, size=n_segments)]
    check_number("duration_s", duration_s, 0.001, _LONGEST_S, "seconds")
    lengths: list[float] = []
    while (left := duration_s - sum(lengths)) > longest:
        # Leaves at least one shortest segment, so that the last one is not a stub.
        lengths.append(float(rng.uniform(shortest, max(shortest, min(longest, left - shortest)))))
    return [*lengths, left]


def _draw_actions(rng: np.random.Generator, pool: list[str], count: int) -> list[str]:
    """No action twice in a row; new ones and ones seen before take turns at random; from four segments on, with a pool
    of two or more, at least one comes back."""
    names: list[str] = []
    for i in range(count):
        allowed = [name for name in pool if not names or name != names[-1]] or pool
        seen = [name for name in allowed if name in names]
        new = [name for name in allowed if name not in names]
        must_repeat = i == count - 1 and count >= 4 and len(set(names)) == len(names)
        again = bool(seen) and (not new or must_repeat or rng.uniform() < _REPEAT_SHARE)
        choices = seen if again else new or allowed
        names.append(choices[int(rng.integers(len(choices)))])
    return names
