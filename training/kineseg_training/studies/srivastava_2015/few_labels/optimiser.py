"""Which learning rate and how many steps the classifiers of `few_labels` are trained with, and why.

The paper does not say. Chosen is what suits the classifier that starts *at random*, so that whatever is left to chance
favours the side that pretraining is compared with; and it is chosen on takes held out of the training clips, so that
the test clips are not seen before the comparison itself.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from itertools import product
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from kineseg_training.data import LabelledClip
from kineseg_training.files import write_atomically
from kineseg_training.studies.exhibit import Exhibit, RunContext, Table
from kineseg_training.studies.srivastava_2015.few_labels.data import (
    Recognition,
    bvh_recognition,
    cmu_recognition,
    draw_labelled,
)
from kineseg_training.studies.srivastava_2015.few_labels.report import PAPER
from kineseg_training.studies.srivastava_2015.few_labels.results import Trained, score
from kineseg_training.studies.srivastava_2015.few_labels.run import classifier
from kineseg_training.studies.srivastava_2015.few_labels.task import (
    ALL,
    PRESETS,
    FewLabelsSettings,
    TrainingSettings,
    train_classifier,
)

# Learning rates and numbers of steps: of the whole classifier, and of the readout alone.
_GRIDS: Mapping[Trained, tuple[tuple[float, ...], tuple[int, ...]]] = {
    "all": ((3e-4, 1e-3, 3e-3), (50, 100, 200)),
    "readout": ((1e-3, 3e-3, 1e-2, 3e-2), (50, 100, 200, 400)),
}
_TINY_GRID = ((1e-3, 1e-2), (1, 2))
_LABELS = (2, 8, ALL)
_SEEDS = 3
_FIRST_SEED = 500_000  # far from those of the experiment that these settings are for
# Of the only clip of an action that can be halved, the share to train on; the rest is held out.
_FIRST_PART = 0.6


def few_labels_optimiser(context: RunContext) -> Exhibit:
    """Balanced accuracy on held-out training takes, from a random start, for each learning rate and number of steps.

    Raises:
        DataError: A data folder is not there.
    """
    settings = PRESETS[context.preset]
    tiny = context.preset == "tiny"
    sets = [
        held_out(cmu_recognition(context.needs_cmu(), settings.window)),
        held_out(bvh_recognition(context.needs_bvh(), settings.window)),
    ]
    path = context.out / "scores.json"
    scores: dict[str, list[float]] = json.loads(path.read_text()) if path.is_file() else {}
    cases = [
        Case(trained, data.name, n, rate, grid[1])
        for trained, whole in _GRIDS.items()
        for grid in (_TINY_GRID if tiny else whole,)
        for rate in grid[0]
        for data in sets
        for n in (_LABELS[:1] if tiny else _LABELS)
    ]
    by_name = {data.name: data for data in sets}
    found: dict[Case, list[list[float]]] = {case: [] for case in cases}
    for case, seed in tqdm([*product(cases, range(_SEEDS))], disable=not context.progress, desc="classifiers"):
        data, drawn = by_name[case.recognised], _FIRST_SEED + 1000 * context.seed + seed
        name = f"{case} {drawn} {settings.hidden} {data.clips.fingerprint}"
        if name not in scores:
            scores[name] = _course(data, case, drawn, settings, context.device)
            write_atomically(path, json.dumps(scores, indent=1).encode())
        found[case].append(scores[name])
    return _exhibit(context, settings, {case: np.mean(runs, axis=0) for case, runs in found.items()})


class Case(NamedTuple):
    """What is tried: `labels` windows of every class, `rate` for as long as the last of `steps`."""

    trained: Trained
    recognised: str
    labels: int
    rate: float
    steps: tuple[int, ...]


def held_out(data: Recognition) -> Recognition:
    """The same actions, tested on the last training clip of each, or on the end of the only one."""
    train: list[LabelledClip] = []
    test: list[LabelledClip] = []
    for action in data.clips.actions:
        clips = [clip for clip in data.clips.clips if clip.action == action and len(clip.frames) >= data.length]
        if len(clips) > 1:
            train += clips[:-1]
            test += clips[-1:]
        else:
            turn = round(_FIRST_PART * len(clips[0].frames))
            train.append(replace(clips[0], frames=clips[0].frames[:turn]))
            test.append(replace(clips[0], frames=clips[0].frames[turn:]))
    parts = [replace(data.clips, clips=tuple(clips)) for clips in (train, test)]
    return Recognition(data.name, parts[0], parts[1], data.length)


def _course(data: Recognition, case: Case, seed: int, settings: FewLabelsSettings, device: str) -> list[float]:
    """Balanced accuracy after each of the numbers of steps."""
    # Without the held-out clips some actions have fewer windows than are asked for: then what there is.
    least = int(np.bincount(data.pool.labels).min())
    rows = draw_labelled(data.pool, data.clips.actions, min(case.labels, least) or None, seed)
    labelled = data.pool.rows(rows)
    made = classifier(data, None, settings, seed).to(device)
    frames = torch.from_numpy(data.test.frames).to(device)
    course: list[float] = []

    def look(step: int) -> None:
        named = made.probabilities(frames).argmax(dim=1).cpu().numpy()
        course.append(score(data.test.labels, named, np.ones(len(named), dtype=bool)).balanced)

    how = TrainingSettings(iterations=max(case.steps), learning_rate=case.rate, readout_only=case.trained == "readout")
    train_classifier(made, labelled.frames, labelled.labels, how, seed, look_at=case.steps, look=look)
    return course


def _exhibit(context: RunContext, settings: FewLabelsSettings, found: Mapping[Case, NDArray[np.float64]]) -> Exhibit:
    """`found`: of each case, balanced accuracy after each of its numbers of steps."""
    columns = list(dict.fromkeys((case.recognised, case.labels) for case in found))
    rows: list[tuple[str | float | int, ...]] = []
    findings: list[str] = []
    figures: dict[str, float] = {}
    for trained, used in (("all", settings.training), ("readout", settings.readout_training)):
        means: dict[tuple[float, int], float] = {}
        here = {case: course for case, course in found.items() if case.trained == trained}
        for rate, steps in dict.fromkeys((case.rate, case.steps) for case in here):
            courses = [course for case, course in here.items() if case.rate == rate]
            for step, *cells in zip(steps, *courses, strict=True):
                means[rate, step] = 100 * float(np.mean(cells))
                rows.append((trained, f"{rate:g}", step, *(100 * float(cell) for cell in cells), means[rate, step]))
        best = max(means, key=lambda key: means[key])
        text = f"Trained {trained}: best on average {best[1]} steps at {best[0]:g} ({means[best]:.1f} %)"
        own = (used.learning_rate, used.iterations)
        text += f"; few-labels uses {own[1]} steps at {own[0]:g}"
        findings.append(text + (f" ({means[own]:.1f} %)." if own in means else "."))
        figures |= {f"{trained}, best learning rate": best[0], f"{trained}, best steps": float(best[1])}
    heads = [f"{name}, {'all' if n == ALL else n} labels" for name, n in columns]
    return Exhibit(
        title="Learning rate and steps of the action classifier",
        paper=PAPER,
        command=f"kineseg-train composite few-labels-optimiser {context.out.name} --preset {context.preset}",
        findings=tuple(findings),
        agreement="not compared",
        verdict="The paper does not give them; they are chosen for the classifier that starts at random.",
        tables=(
            Table(
                ("trained", "learning rate", "steps", *heads, "mean"),
                tuple(rows),
                f"Balanced accuracy, %, of a classifier of {settings.hidden} units started at random, on takes held "
                f"out of the training clips; mean over {_SEEDS} seeds. The test clips of the comparison are not used.",
            ),
        ),
        figures=figures,
    )
