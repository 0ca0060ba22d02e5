"""Streams assembled from the single-action CMU clips, which the shipped bundle was trained on."""

from __future__ import annotations

from functools import cache

from kineseg.motion import Recording
from kineseg_training.data.action_clips import action_clips
from kineseg_training.data.assemble import Rules, assemble

from evaluation.quality.places import data_folder
from evaluation.quality.stream import AnnotatedStream, from_truth


def load(seeds: tuple[int, ...]) -> list[AnnotatedStream]:
    """One stream per seed."""
    return [
        from_truth("cmu-clips", assemble(clips(), seed, name=f"cmu-{seed}", rules=Rules()).recording) for seed in seeds
    ]


@cache
def clips() -> dict[str, list[Recording]]:
    """All clips by action."""
    return action_clips(data_folder("cmu_mocap"))
