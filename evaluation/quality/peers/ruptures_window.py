"""Ruptures' Window with an RBF cost, run again and again on a sliding buffer."""

from __future__ import annotations

from evaluation.quality.peers.signal import components, in_frames, signal_rate
from evaluation.quality.stream import AnnotatedStream

RATE = 10.0
COMPONENTS = 10
WIDTH_S = 4.0
BUFFER_S = 15.0
STEP_S = 0.5
PENALTY = 6.0
APART_S = 2.0
SETTLED_S = 0.5  # behind the last frame that can be scored, so that a peak has passed before it is emitted


def boundaries(stream: AnnotatedStream) -> list[tuple[int, int]]:
    """Pairs (frame, emitted at); a boundary is emitted at least half a width and `SETTLED_S` after it."""
    import ruptures

    rate = signal_rate(stream, RATE)
    values = components(stream, RATE, COMPONENTS)
    width, size, step = (max(4, round(s * rate)) for s in (WIDTH_S, BUFFER_S, STEP_S))
    apart, settled = round(APART_S * rate), round((WIDTH_S / 2 + SETTLED_S) * rate)
    found: list[tuple[int, int]] = []
    last = 0
    for now in range(2 * width, len(values), step):
        first = max(0, now + 1 - size)
        method = ruptures.Window(width=width, model="rbf", min_size=2, jump=1).fit(values[first : now + 1])
        for cut in method.predict(pen=PENALTY)[:-1]:
            if last + apart <= first + cut <= now - settled:
                last = first + cut
                found.append((in_frames(last, stream, rate), in_frames(now, stream, rate)))
    return found
