"""Generated motion as single-action clips: more kinds of action than the recordings have."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from kineseg.motion import Recording, canonical_pose, generate
from kineseg.motion.synthetic import ACTIONS

from kineseg_training.data.corpus import Clip, Corpus, Source
from kineseg_training.errors import SettingsError

# Far from the seeds that people use, and from those of `Source.synthetic`.
FIRST_SEED = 2_000_000
_RATE = 60.0
_TRIM_S = 0.3  # at both ends of a segment: the passage to its neighbours is neither action


def generated_actions(minutes: int, kinds: Sequence[str]) -> Corpus:
    """The segments of generated recordings of a minute, each a clip ``generated/<kind>/...`` of one action.

    Args:
        minutes: Number of recordings; each has a body and tempos of its own.
        kinds: The generator's actions that they may hold.

    Raises:
        SettingsError: No recording, or a kind that the generator does not know.
    """
    unknown = sorted(set(kinds) - set(ACTIONS))
    if minutes < 1 or not kinds or unknown:
        raise SettingsError(
            f"generated actions need a minute or more and kinds out of {', '.join(ACTIONS)}; got {minutes} and "
            f"{', '.join(kinds) or 'none'}"
        )
    clips: list[Clip] = []
    for number in range(minutes):
        clips += _segments(generate(FIRST_SEED + number, 60.0, _RATE, actions=tuple(kinds)), number)
    digest = hashlib.sha256()
    for clip in clips:
        digest.update(clip.name.encode() + b"\0" + hashlib.sha256(clip.frames.tobytes()).digest())
    return Corpus(tuple(clips), canonical_pose(generate(FIRST_SEED, 1.0, _RATE)).channels, digest.hexdigest(), Source())


def _segments(recording: Recording, number: int) -> list[Clip]:
    truth = recording.truth
    assert truth is not None  # the generator knows it
    frames = np.asarray(canonical_pose(recording).frames, dtype=np.float64)
    trim = round(_TRIM_S * recording.rate)
    spans = pairwise([*truth.boundaries, recording.n_frames])
    return [
        Clip(f"generated/{name}/{number:03d}-{start:04d}", frames[start + trim : stop - trim], recording.rate)
        for (start, stop), name in zip(spans, truth.names, strict=True)
        if stop - start > 2 * trim
    ]
