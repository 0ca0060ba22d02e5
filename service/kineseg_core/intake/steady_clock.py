"""The kernel of a source's clock while stamps come as steadily as they should: they are then the times of frames."""

from __future__ import annotations

import numpy as np

from kineseg_core.kernels import kernel

# A clock contradicts the rate where it runs this many times faster or slower, persistently.
CONTRADICTION = 1.5

PROGRESS = np.dtype(
    [
        (name, np.int64)
        for name in ("begun", "first_ns", "stamp_ns", "time_ns", "ahead_ns", "longest", "steps", "slow", "gaping")
    ],
    align=True,
)
"""How far a clock has come, as a record.

- begun: A frame has come; `first_ns` is its stamp.
- stamp_ns: The last stamp, since the first.
- time_ns: Time of the last frame: the stamp, or ahead of it.
- ahead_ns: How much earlier than the declared rate allows frames have come; what bursts owe.
- longest: The longest step between two stamps, in nanoseconds.
- steps: How many steps there have been.
- slow, gaping: How many of them were longer than the rate has them: by half, by as much as gaps are.
"""


@kernel(nogil=True)
def follow_steady(stamps, period, assessed_after, progress, times_ns):  # type: ignore[no-untyped-def]
    """Takes stamps that are what they should be, so that nothing has to be looked at frame by frame.

    Args:
        stamps: ``(n,)`` int64, of the next frames, none of which is missing.
        period: Nanoseconds from one frame to the next.
        assessed_after: After so many steps a clock is no longer assessed as slow.
        progress: ``(1,)`` `PROGRESS`.
        times_ns: ``(n,)`` int64, to be filled with the times of the frames.

    Returns:
        Whether they were such; otherwise the clock has not advanced.
    """
    at = progress[0]
    if at.time_ns != at.stamp_ns or at.ahead_ns or (at.slow and at.steps <= assessed_after):
        return False
    low, high = period / CONTRADICTION, period * CONTRADICTION
    first_ns = at.first_ns if at.begun else stamps[0]
    before, longest = first_ns + at.stamp_ns, at.longest
    for i in range(len(stamps)):
        if i or at.begun:
            step = stamps[i] - before
            if stamps[i] <= before or not low < step < high:
                return False
            longest = max(longest, step)
        before = stamps[i]
        times_ns[i] = before - first_ns
    at.steps += len(stamps) - (0 if at.begun else 1)
    at.begun, at.first_ns, at.longest = 1, first_ns, longest
    at.stamp_ns = at.time_ns = times_ns[-1]
    return True
