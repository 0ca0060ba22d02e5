"""Generated motion: invented people, twelve kinds of action in each stream."""

from __future__ import annotations

import numpy as np
from kineseg.motion import generate
from kineseg.motion.synthetic import ACTIONS

from evaluation.quality.stream import AnnotatedStream, from_truth

KINDS = 12
SEGMENTS = 16
RATE = 60.0


def load(seeds: tuple[int, ...]) -> list[AnnotatedStream]:
    """One stream per seed: 16 segments of 4 to 9 s from a pool of 12 of the generator's actions."""
    streams = []
    for seed in seeds:
        pool = sorted(np.random.default_rng(seed).permutation(list(ACTIONS))[:KINDS].tolist())
        streams.append(from_truth("generated", generate(seed, rate=RATE, actions=pool, n_segments=SEGMENTS)))
    return streams
