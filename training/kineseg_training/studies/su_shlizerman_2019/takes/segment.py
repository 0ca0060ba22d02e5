"""Case (ii) of Su & Shlizerman: the actions in one take, from decoder states of a predictor trained on that take.

K. Su and E. Shlizerman, "Clustering and Recognition of Spatiotemporal Features through Interpretable Embedding of
Sequence to Sequence Recurrent Neural Networks", 2019/2020 (arXiv 1905.12176).

Offline throughout: the predictor is trained on the whole take, and the number of classes is given.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from kineseg_training.errors import DataError
from kineseg_training.files import write_atomically
from kineseg_training.loop import LoopSettings, train
from kineseg_training.models.su_shlizerman import TiedSeq2Seq
from kineseg_training.studies.exhibit import Preset
from kineseg_training.studies.su_shlizerman_2019.clusters import LINKAGES, Linkage, Scores, merge_tree, named, score
from kineseg_training.studies.su_shlizerman_2019.takes.data import (
    States,
    Take,
    decode_spans,
    fill_nearest,
    fill_per_span,
)
from kineseg_training.studies.su_shlizerman_2019.task import BaselineSettings, TiedTask

Windows = Literal["oracle", "whole take"]
Training = Literal["oracle", "whole take", "none"]
Filling = Literal["oracle", "nearest"]

RESULT, STATES = "take.json", "take.npz"
# As the authors' script for these takes: every frame of 120 a second, 50 read and 25 predicted. The small preset has
# windows of the same seconds, but every fourth frame of them.
SETTINGS: Mapping[Preset, BaselineSettings] = {
    "full": BaselineSettings(source=50, target=25),
    "small": BaselineSettings(source=12, target=6, hidden=128, iterations=1200, learning_rate=1e-3, validate_every=200),
    "tiny": BaselineSettings(
        source=12, target=12, hidden=16, iterations=20, batch=8, learning_rate=3e-3, validate_every=10
    ),
}


@dataclass(frozen=True)
class Variant:
    """Where the true boundaries are used.

    Attributes:
        training: Whether windows to train on keep to one true segment ("oracle"); "none": the network is as it was
            made.
        decoding: Whether windows that are decoded keep to one true segment ("oracle").
        filling: Whether frames that were not decoded take a label of their own true segment ("oracle").
    """

    training: Training
    decoding: Windows
    filling: Filling

    @property
    def oracle(self) -> bool:
        """Whether the truth is used anywhere."""
        return "oracle" in (self.training, self.decoding, self.filling)

    @property
    def name(self) -> str:
        """For people; whatever used the truth says so."""
        if self == ORACLE_SPLIT:
            return "ORACLE split (as published)"
        if self == NO_ORACLE:
            return "no oracle"
        if self == UNTRAINED:
            return "ORACLE split, untrained network"
        used = [
            text
            for text, value in (
                ("training windows", self.training),
                ("decoded windows", self.decoding),
                ("filling", self.filling),
            )
            if value == "oracle"
        ]
        return f"ORACLE for {' and '.join(used)} only"


ORACLE_SPLIT = Variant("oracle", "oracle", "oracle")
NO_ORACLE = Variant("whole take", "whole take", "nearest")
UNTRAINED = Variant("none", "oracle", "oracle")
MIXED = (
    UNTRAINED,
    Variant("oracle", "oracle", "nearest"),
    Variant("whole take", "oracle", "oracle"),
    Variant("whole take", "oracle", "nearest"),
    Variant("oracle", "whole take", "nearest"),
)
"""What is between the two: which use of the truth makes the difference, and whether training does."""

EVERY: Mapping[Preset, int] = {"full": 1, "small": 4, "tiny": 4}
"""Frames of the recording for one that the predictor sees."""


@dataclass(frozen=True, eq=False)
class Segmented:
    """A take as one variant segments it.

    Attributes:
        variant: Where the truth was used.
        linkage: How clusters were merged.
        labels: ``(R,)`` label of every frame of the recording; one that was matched to a class has the class's number.
        scores: Against the truth, over all frames of the recording.
        frames: ``(K,)`` frames of the recording that were decoded.
        states: ``(K, H)`` decoder states.
    """

    variant: Variant
    linkage: Linkage
    labels: NDArray[np.int64]
    scores: Scores
    frames: NDArray[np.int64]
    states: NDArray[np.float32]


def variants_of(oracle: bool, plain: bool, *, mixed: bool = False) -> tuple[Variant, ...]:
    """The variants asked for; the mixed ones come with both only, whose trainings they share."""
    asked = [variant for variant, wanted in ((ORACLE_SPLIT, oracle), (NO_ORACLE, plain)) if wanted]
    return (*asked, *(MIXED if mixed and oracle and plain else ()))


def segment_take(
    take: Take,
    settings: BaselineSettings,
    out: Path,
    variants: Sequence[Variant],
    *,
    linkages: Sequence[Linkage] = LINKAGES,
    loop: LoopSettings | None = None,
    progress: bool = True,
) -> tuple[Segmented, ...]:
    """Train on the take as the variants need it, cluster the decoder states into as many clusters as there are true
    classes, and score; for each variant every linkage.

    The two trainings are left in ``trained-oracle-split`` and ``trained-whole-take``; an interrupted one is gone on
    with, a finished one is used again.

    Raises:
        DataError: A true segment, or the take, is too short for the windows.
        TrainingError: Interrupted.
    """
    models = {
        windows: _trained(take, settings, out, windows, loop, progress=progress)
        for windows in dict.fromkeys(variant.training for variant in variants)
    }
    clustered = {
        pair: _clustered(models[pair[0]], take, pair[1], linkages)
        for pair in dict.fromkeys((variant.training, variant.decoding) for variant in variants)
    }
    return tuple(
        _judged(take, variant, linkage, labels, states)
        for variant in variants
        for states, by_linkage in (clustered[variant.training, variant.decoding],)
        for linkage, labels in by_linkage.items()
    )


def _clustered(
    model: TiedSeq2Seq, take: Take, windows: Windows, linkages: Sequence[Linkage]
) -> tuple[States, dict[Linkage, NDArray[np.int64]]]:
    states = decode_spans(model, take.frames, take.spans if windows == "oracle" else ((0, len(take.frames)),))
    return states, {linkage: merge_tree(states.states, linkage).into(take.classes) for linkage in linkages}


def _judged(take: Take, variant: Variant, linkage: Linkage, labels: NDArray[np.int64], states: States) -> Segmented:
    if variant.filling == "oracle":
        filled = fill_per_span(labels, states.frames, len(take.frames), take.spans)
    else:
        filled = fill_nearest(labels, states.frames, len(take.frames))
    whole = take.at_own_rate(filled)
    return Segmented(
        variant,
        linkage,
        _plain(named(take.labels, whole), take.classes),
        score(take.labels, whole),
        states.frames * take.every,
        states.states,
    )


def save_take(take: Take, segmented: Sequence[Segmented], folder: Path) -> None:
    """Leave scores as ``take.json``, and labels and states as ``take.npz``."""
    arrays: dict[str, NDArray[np.generic]] = {}
    rows = []
    for place, one in enumerate(segmented):
        arrays |= {f"labels_{place}": one.labels, f"frames_{place}": one.frames}
        # The linkages of one variant share their states.
        first = next(i for i, other in enumerate(segmented) if other.variant == one.variant)
        if first == place:
            arrays[f"states_{place}"] = one.states.astype(np.float16)
        rows.append(
            {
                "name": one.variant.name,
                "uses_truth": one.variant.oracle,
                "variant": asdict(one.variant),
                "linkage": one.linkage,
                "scores": asdict(one.scores),
                "states": first,
            }
        )
    with (folder / f".{STATES}").open("wb") as file:
        np.savez_compressed(file, **arrays)  # type: ignore[arg-type]  # its stub takes the arrays for its own options
    (folder / f".{STATES}").replace(folder / STATES)
    about = {"take": take.name, "every": take.every, "classes": take.classes, "frames": take.recording.n_frames}
    write_atomically(folder / RESULT, (json.dumps(about | {"segmented": rows}, indent=1) + "\n").encode())


def load_segmented(folder: Path) -> tuple[str, tuple[Segmented, ...]]:
    """The take's number, and what `save_take` left.

    Raises:
        DataError: There is nothing.
    """
    if not (folder / RESULT).is_file():
        raise DataError(f"{folder}: has no {RESULT}; make it with `kineseg-train baseline take`")
    raw = json.loads((folder / RESULT).read_text())
    with np.load(folder / STATES) as arrays:
        segmented = tuple(
            Segmented(
                Variant(**row["variant"]),
                row["linkage"],
                arrays[f"labels_{place}"],
                Scores(**row["scores"]),
                arrays[f"frames_{place}"],
                arrays[f"states_{row['states']}"].astype(np.float32),
            )
            for place, row in enumerate(raw["segmented"])
        )
    return raw["take"], segmented


def _trained(
    take: Take, settings: BaselineSettings, out: Path, windows: Training, loop: LoopSettings | None, *, progress: bool
) -> TiedSeq2Seq:
    """The predictor, trained on windows that keep to true segments or on windows of the whole take, or not at all."""
    clips = [take.frames[first:last] for first, last in take.spans] if windows == "oracle" else [take.frames]
    chosen = loop or LoopSettings(settings.iterations, settings.validate_every)
    chosen = replace(chosen, iterations=settings.iterations, validate_every=settings.validate_every)
    task = TiedTask(clips, settings, seed=chosen.seed, about={"take": take.name, "windows": windows})
    if windows == "none":
        return task.predictor.eval()
    folder = out / ("trained-oracle-split" if windows == "oracle" else "trained-whole-take")
    train(task, chosen, folder, resume=True, progress=progress)
    return task.predictor.cpu()


def _plain(labels: NDArray[np.int64], classes: int) -> NDArray[np.int64]:
    """Labels without a class, below 0 so far, get the numbers after the classes'."""
    return np.where(labels < 0, classes - 1 - labels, labels)
