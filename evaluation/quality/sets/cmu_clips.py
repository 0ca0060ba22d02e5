"""Streams assembled from the single-action CMU clips, which the shipped bundle was trained on."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from kineseg.motion import Recording, read

from evaluation.quality.assemble import Rules, assemble
from evaluation.quality.places import data_folder
from evaluation.quality.stream import Stream, from_truth

_KEEP_EVERY = 2  # 120 -> 60 frames a second: nothing that the model sees at 30 is lost, and half the work
_SAME = {"walking_extra": "walking"}


def load(seeds: tuple[int, ...]) -> list[Stream]:
    """One stream per seed."""
    return [
        from_truth("cmu-clips", assemble(clips(), seed, name=f"cmu-{seed}", rules=Rules()).recording) for seed in seeds
    ]


@cache
def clips() -> dict[str, list[Recording]]:
    """All clips by action."""
    folder = data_folder("cmu_mocap")
    found: dict[str, list[Recording]] = {}
    for part in ("train", "test"):
        for path in sorted((folder / part).glob("*/*.txt")):
            whole = read(path).slice(1)  # the first row is a calibration posture
            assert whole.positions is not None  # the reader makes them
            clip = replace(
                whole, frames=whole.frames[::_KEEP_EVERY], positions=whole.positions[::_KEEP_EVERY],
                rate=whole.rate / _KEEP_EVERY,
            )  # fmt: skip
            found.setdefault(_SAME.get(path.parent.name, path.parent.name), []).append(clip)
    return found
