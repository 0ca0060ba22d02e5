"""The six annotated development takes, at their own tempo or another."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
from kineseg.motion import Annotation, Recording, read

from evaluation.quality.errors import QualityError
from evaluation.quality.places import FACTS, data_folder, eval_folder
from evaluation.quality.stream import AnnotatedStream, from_truth


def load(tempo: float = 1.0) -> list[AnnotatedStream]:
    """The takes, with the annotation that they are scored by.

    Args:
        tempo: How many times faster the motion goes, at the same frames per second.
    """
    facts = json.loads((eval_folder() / FACTS).read_text())
    folder = data_folder("cmu_mocap", "subject_86")
    set_name = "takes" if tempo == 1.0 else f"tempo-{tempo:g}"
    streams = []
    for name, take in facts["takes"].items():
        recording = read(folder / f"{name}.mat", rate=float(facts["fps"]))
        if recording.n_frames != take["n_frames"]:
            raise QualityError(
                f"{folder / name}.mat: has {recording.n_frames} frames, but {take['n_frames']} were annotated"
            )
        streams.append(from_truth(set_name, at_tempo(recording, tempo, take["transitions"], take)))
    return streams


def at(tempo: float = 1.0) -> Callable[[tuple[int, ...]], list[AnnotatedStream]]:
    """`load` for a table of sets: nothing in it is random, so there are no seeds."""
    return lambda _: load(tempo)


def at_tempo(
    recording: Recording, tempo: float, transitions: list[list[int]], take: dict[str, list[object]]
) -> Recording:
    """The same motion `tempo` times as fast, with its truth: joint positions are read between frames.

    Frame k of the result is what was at frame ``k * tempo``, so all speeds come out `tempo` times as high.
    """
    positions = np.asarray(recording.positions)
    if tempo != 1.0:
        at = np.arange(int((len(positions) - 1) / tempo) + 1) * tempo
        below = np.minimum(at.astype(np.int64), len(positions) - 2)
        share = (at - below)[:, None, None]
        positions = positions[below] * (1.0 - share) + positions[below + 1] * share
    rows = [[0, 0, 0], *transitions]
    low, best, high = (tuple(round(row[i] / tempo) for row in rows) for i in range(3))
    return Recording(
        frames=positions.reshape(len(positions), -1),
        rate=recording.rate,
        channels=tuple(f"{joint}.{axis}" for joint in recording.joints for axis in "xyz"),
        skeleton=recording.skeleton,
        positions=positions,
        joints=recording.joints,
        name=recording.name,
        truth=Annotation(
            best, tuple(int(str(i)) for i in take["label_ids"]), tuple(map(str, take["names"])),
            tuple(zip(low, high, strict=True)),
        ),
    )  # fmt: skip
