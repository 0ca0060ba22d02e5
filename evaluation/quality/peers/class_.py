"""ClaSS: can a nearest-neighbour classifier separate what came before a point from what came after? (claspy)"""

from __future__ import annotations

import warnings

from evaluation.quality.peers.signal import components, in_frames, signal_rate
from evaluation.quality.stream import AnnotatedStream

RATE = 30.0  # its test of significance needs many samples: at 10 a second it finds next to nothing
SLIDING_S = 60.0
SLIDING_SAMPLES = 10_000  # the package's default, for series
WARM_UP_S = 10.0
WINDOW_S = 0.5
P_MOTION = 1e-15
P_SERIES = 1e-50  # the package's default


def boundaries(stream: AnnotatedStream) -> list[tuple[int, int]]:
    """Pairs (frame, emitted at)."""
    from claspy.streaming.segmentation import StreamingClaSPSegmentation

    rate = signal_rate(stream, RATE)
    values = components(stream, RATE, 1)[:, 0]
    motion = not stream.is_series
    detector = StreamingClaSPSegmentation(
        n_timepoints=round(SLIDING_S * rate) if motion else SLIDING_SAMPLES,
        n_warmup=min(round(WARM_UP_S * rate), len(values)),
        window_size=max(3, round((WINDOW_S if motion else 1.0) * rate)),
        threshold=P_MOTION if motion else P_SERIES,
        jump=3 if motion else 5,
        log_cps=True,
    )
    found = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # it divides by nought where a side of a split is empty
        for now, value in enumerate(values):
            known = len(detector.change_points)
            detector.update(float(value))
            found += [
                (in_frames(p, stream, rate), in_frames(now, stream, rate)) for p in detector.change_points[known:]
            ]
    return found
