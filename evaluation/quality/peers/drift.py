"""River's detectors of drift, one on each of a few components; the first to fire counts, then all begin anew."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from river.drift import KSWIN, PageHinkley

from evaluation.quality.peers.signal import components, in_frames, signal_rate
from evaluation.quality.stream import AnnotatedStream

RATE = 10.0
COMPONENTS = 3
REFRACTORY_S = 2.0

KSWIN_ALPHA = 1e-5
KSWIN_WINDOW_S = 6.0
KSWIN_RECENT_S = 1.5
PAGE_HINKLEY_THRESHOLD = 10.0
PAGE_HINKLEY_DELTA = 0.3


def kswin(stream: AnnotatedStream) -> list[tuple[int, int]]:
    """Pairs (frame, emitted at); a boundary is placed in the middle of the recent samples that differ."""
    rate = signal_rate(stream, RATE)
    window, recent = (max(2, round(s * rate)) for s in (KSWIN_WINDOW_S, KSWIN_RECENT_S))

    def make() -> Any:
        return KSWIN(alpha=KSWIN_ALPHA, window_size=max(window, 2 * recent + 1), stat_size=recent, seed=0)

    return _first_to_fire(stream, make, behind=recent / 2)


def page_hinkley(stream: AnnotatedStream) -> list[tuple[int, int]]:
    """Pairs (frame, emitted at); a boundary is placed where it is emitted, the method knows no other place."""

    def make() -> Any:
        return PageHinkley(min_instances=10, delta=PAGE_HINKLEY_DELTA, threshold=PAGE_HINKLEY_THRESHOLD)

    return _first_to_fire(stream, make, behind=0.0)


def _first_to_fire(stream: AnnotatedStream, make: Callable[[], Any], behind: float) -> list[tuple[int, int]]:
    rate = signal_rate(stream, RATE)
    values = components(stream, RATE, COMPONENTS)
    detectors = [make() for _ in range(values.shape[1])]
    found: list[tuple[int, int]] = []
    last = 0.0
    for now, row in enumerate(values):
        fired = False
        for detector, value in zip(detectors, row, strict=True):
            detector.update(float(value))
            fired = fired or detector.drift_detected
        if fired:
            if now - behind - last >= REFRACTORY_S * rate:
                last = now - behind
                found.append((in_frames(last, stream, rate), in_frames(now, stream, rate)))
            detectors = [make() for _ in detectors]
    return found
