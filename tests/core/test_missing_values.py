"""Missing values: what is reported of them is the same, however it is looked for and however frames are chunked."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from kineseg_core.intake.missing import REPORTED_AFTER_NS, MissingValueFiller, ValuesMissing

PERIOD = 40_000_000
C = 3


def frame_by_frame(missing: np.ndarray, times: list[int]) -> dict[int, list[ValuesMissing]]:
    """The plain way: every channel of every frame in turn."""
    since: list[int | None] = [None] * C
    reported = [False] * C
    found: dict[int, list[ValuesMissing]] = {}
    for row, gone in enumerate(missing):
        groups: dict[tuple[bool, int], list[str]] = {}
        for channel in range(C):
            begin = since[channel]
            if gone[channel] and begin is None:
                since[channel] = row
            elif gone[channel] and not reported[channel] and begin is not None:
                if times[row] - times[begin] >= REPORTED_AFTER_NS:
                    reported[channel] = True
                    groups.setdefault((True, begin), []).append(str(channel))
            elif not gone[channel] and begin is not None:
                if reported[channel]:
                    groups.setdefault((False, begin), []).append(str(channel))
                since[channel], reported[channel] = None, False
        for (lasts, begin), names in sorted(groups.items()):
            found.setdefault(row, []).append(
                ValuesMissing(begin, times[begin], tuple(names), not lasts, row, times[row])
            )
    return found


@settings(max_examples=300)
@given(
    outages=st.lists(st.tuples(st.integers(0, C - 1), st.integers(0, 90), st.integers(1, 40)), max_size=8),
    flicker=st.sets(st.integers(0, 99), max_size=20),
    sizes=st.lists(st.integers(1, 40), max_size=12),
    steps=st.lists(st.integers(1, 3 * PERIOD), min_size=100, max_size=100),
)
def test_outages_are_those_that_a_look_at_every_frame_finds(
    outages: list[tuple[int, int, int]], flicker: set[int], sizes: list[int], steps: list[int]
) -> None:
    frames = np.arange(100 * C, dtype=np.float32).reshape(100, C)
    for channel, start, length in outages:
        frames[start : start + length, channel] = np.nan
    frames[sorted(flicker), 1] = np.nan
    times = np.cumsum(steps).tolist()
    filler = MissingValueFiller(tuple(str(channel) for channel in range(C)))
    before = np.zeros(C, np.float32)
    found: dict[int, list[ValuesMissing]] = {}
    filled = []
    at = 0
    for size in [*sizes, *[7] * 100]:
        if at >= 100:
            break
        piece, reported = filler.fill(at, frames[at : at + size], np.array(times[at : at + size]), before)
        before = piece[-1]
        filled.append(piece)
        found |= {at + row: events for row, events in reported.items()}
        at += size
    missing = np.isnan(frames)
    assert found == frame_by_frame(missing, times)
    assert filler.count == missing.sum()
    last = np.zeros(C, np.float32)
    for row, now in zip(frames, np.concatenate(filled), strict=True):
        last = np.where(np.isnan(row), last, row)
        np.testing.assert_array_equal(now, last)
