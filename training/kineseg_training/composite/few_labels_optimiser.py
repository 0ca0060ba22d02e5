"""Which learning rate and how many steps the classifiers of `few_labels` are trained with, and why.

The paper does not say. Chosen is what suits the classifier that starts *at random*, so that whatever is left to chance
favours the side that pretraining is compared with; and it is chosen on takes held out of the training clips, so that
the test clips are not seen before the comparison itself.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch
from tqdm import tqdm

from kineseg_training.composite.classifier import TrainingSettings, train_classifier
from kineseg_training.composite.few_labels import classifier
from kineseg_training.composite.few_labels_data import Recognition, bvh_recognition, cmu_recognition, draw_labelled
from kineseg_training.composite.few_labels_exhibit import PAPER
from kineseg_training.composite.few_labels_results import score
from kineseg_training.composite.few_labels_settings import ALL, PRESETS, FewLabelsSettings
from kineseg_training.data import LabelledClip
from kineseg_training.exhibit import Exhibit, Place, Table
from kineseg_training.files import write_atomically

_RATES = (3e-4, 1e-3, 3e-3)
_STEPS = (50, 100, 200)
_LABELS = (2, 8, ALL)
_SEEDS = 3
_FIRST_SEED = 500_000  # far from those of the experiment that these settings are for
# Of the only clip of an action that can be halved, the share to train on; the rest is held out.
_FIRST_PART = 0.6


def few_labels_optimiser(place: Place) -> Exhibit:
    """Balanced accuracy on held-out training takes, from a random start, for each learning rate and number of steps.

    Raises:
        DataError: A data folder is not there.
    """
    settings = PRESETS[place.preset]
    tiny = place.preset == "tiny"
    rates, steps, labels = (_RATES[-2:], (1, 2), (2,)) if tiny else (_RATES, _STEPS, _LABELS)
    sets = [
        held_out(cmu_recognition(place.needs_cmu(), settings.window)),
        held_out(bvh_recognition(place.needs_bvh(), settings.window)),
    ]
    path = place.out / "scores.json"
    scores: dict[str, list[float]] = json.loads(path.read_text()) if path.is_file() else {}
    cases = [
        (data, n, rate, _FIRST_SEED + 1000 * place.seed + seed)
        for data in sets
        for n in labels
        for rate in rates
        for seed in range(_SEEDS)
    ]
    found: dict[tuple[str, int, float], list[list[float]]] = {}
    for data, n, rate, seed in tqdm(cases, disable=not place.progress, desc="classifiers"):
        name = f"{data.clips.fingerprint} {settings.hidden} {n} {rate} {seed} {steps}"
        if name not in scores:
            scores[name] = _course(data, n, rate, seed, steps, settings, place.device)
            write_atomically(path, json.dumps(scores, indent=1).encode())
        found.setdefault((data.name, n, rate), []).append(scores[name])
    return _exhibit(place, settings, rates, steps, {key: np.mean(runs, axis=0) for key, runs in found.items()})


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


def _course(
    data: Recognition,
    labels: int,
    rate: float,
    seed: int,
    steps: tuple[int, ...],
    settings: FewLabelsSettings,
    device: str,
) -> list[float]:
    """Balanced accuracy after each of the numbers of steps."""
    # Too few windows of an action for so many labels: what there is.
    least = int(np.bincount(data.pool.labels).min())
    rows = draw_labelled(data.pool, data.clips.actions, min(labels, least) or None, seed)
    labelled = data.pool.rows(rows)
    made = classifier(data, None, settings, seed).to(device)
    frames = torch.from_numpy(data.test.frames).to(device)
    course: list[float] = []

    def judge(step: int) -> None:
        if step in steps:
            named = made.probabilities(frames).argmax(dim=1).cpu().numpy()
            course.append(score(data.test.labels, named, np.ones(len(named), dtype=bool)).balanced)

    how = TrainingSettings(iterations=max(steps), learning_rate=rate)
    train_classifier(made, labelled.frames, labelled.labels, how, seed, judge)
    return course


def _exhibit(
    place: Place,
    settings: FewLabelsSettings,
    rates: tuple[float, ...],
    steps: tuple[int, ...],
    found: Mapping[tuple[str, int, float], np.ndarray[tuple[int], np.dtype[np.float64]]],
) -> Exhibit:
    cases = list(dict.fromkeys((name, n) for name, n, _ in found))
    rows: list[tuple[str | float | int, ...]] = []
    means: dict[tuple[float, int], float] = {}
    for rate in rates:
        for number, count in enumerate(steps):
            cells = [100 * float(found[name, n, rate][number]) for name, n in cases]
            means[rate, count] = float(np.mean(cells))
            rows.append((f"{rate:g}", count, *cells, means[rate, count]))
    best = max(means, key=lambda key: means[key])
    used = (settings.training.learning_rate, settings.training.iterations)
    text = f"Best on average: {best[1]} steps at {best[0]:g} ({means[best]:.1f} %)."
    if used in means:
        text += f" Used by few-labels: {used[1]} steps at {used[0]:g} ({means[used]:.1f} %)."
    heads = [f"{name}, {'all' if n == ALL else n} labels" for name, n in cases]
    return Exhibit(
        title="Learning rate and steps of the action classifier",
        paper=PAPER,
        command=f"kineseg-train composite few-labels-optimiser {place.out.name} --preset {place.preset}",
        findings=(text,),
        agreement="not compared",
        verdict="The paper does not give them; they are chosen for the classifier that starts at random.",
        tables=(
            Table(
                ("learning rate", "steps", *heads, "mean"),
                tuple(rows),
                f"Balanced accuracy, %, of a classifier of {settings.hidden} units started at random, on takes held "
                f"out of the training clips; mean over {_SEEDS} seeds. The test clips of the comparison are not used.",
            ),
        ),
        figures={"best learning rate": best[0], "best steps": float(best[1])},
    )
