"""Real streams with annotation by people: one folder of the data each, what no one labelled counts nowhere."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
from kineseg.motion import read

from evaluation.quality.errors import QualityError
from evaluation.quality.places import data_folder
from evaluation.quality.stream import AnnotatedStream

LABELS = "labels.json"


def load(name: str, model: str = "") -> list[AnnotatedStream]:
    """The streams of the folder `name` of the data, in the order of its ``labels.json``.

    Args:
        name: Of the folder, and of the set.
        model: The served model to use; empty for the default one.

    Raises:
        QualityError: The folder or a file of it is not there, or a stream is not what was annotated.
    """
    folder = data_folder(name)
    path = folder / LABELS
    if not path.is_file():
        raise QualityError(f"{folder}: has no {LABELS}; set KINESEG_DATA to the folder that has {name}/{LABELS}")
    return [_stream(name, stem, facts, model) for stem, facts in json.loads(path.read_text())["streams"].items()]


def at(name: str, model: str = "") -> Callable[[tuple[int, ...]], list[AnnotatedStream]]:
    """`load` for a table of sets: nothing in it is random, so there are no seeds."""
    return lambda _: load(name, model)


def _stream(set_name: str, stem: str, facts: dict[str, Any], model: str) -> AnnotatedStream:
    path = data_folder(set_name) / f"{stem}.npz"
    if not path.is_file():
        raise QualityError(f"{path}: is not there, but {LABELS} beside it names it")
    recording = read(path)
    segments = facts["segments"]
    edges = [0, *(end for _, end, _ in segments)]
    if recording.n_frames != facts["n_frames"] or recording.rate != facts["fps"]:
        raise QualityError(
            f"{path}: has {recording.n_frames} frames at {recording.rate:g} a second, but {facts['n_frames']} at "
            f"{facts['fps']:g} were annotated"
        )
    if edges[-1] != recording.n_frames or [start for start, _, _ in segments] != edges[:-1]:
        raise QualityError(f"{path}: the segments that {LABELS} gives do not follow one another to the stream's end")
    names = sorted({name for _, _, name in segments})
    lengths = [end - start for start, end in pairwise(edges)]
    return AnnotatedStream(
        set_name=set_name,
        name=stem,
        recording=recording,
        truth=np.array(facts["transitions"], dtype=np.float64).reshape(-1, 3),
        labels=np.repeat([names.index(name) for _, _, name in segments], lengths),
        actions=tuple(names),
        model=model,
        ignore=tuple((int(start), int(end)) for start, end in facts["ignore"]),
    )
