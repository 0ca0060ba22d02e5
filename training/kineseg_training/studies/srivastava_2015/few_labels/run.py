"""Does unsupervised pretraining help to recognise actions when few windows are labelled?

Srivastava, Mansimov and Salakhutdinov 2015 (arXiv 1502.04681) found that it does, the more the fewer the labels, and
also when the pretraining is on other data. Here a classifier that starts from the encoder of a composite LSTM is
compared with one that starts at random, for several numbers of labels, two data sets to recognise and three to pretrain
on. Nothing else differs between the two: the same seed gives both the same labelled windows, the same readout and the
same order of windows, so that the difference is one of pairs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.neighbors import KNeighborsClassifier
from tqdm import tqdm

from kineseg_training.data import LabelledWindows
from kineseg_training.loop import LoopSettings, train
from kineseg_training.models.classifier import ClassifierSettings, LSTMClassifier
from kineseg_training.models.composite import CompositeLSTM, CompositeSettings
from kineseg_training.studies.exhibit import Exhibit, RunContext
from kineseg_training.studies.srivastava_2015.few_labels.data import (
    Recognition,
    bvh_recognition,
    cmu_recognition,
    draw_labelled,
    generated_sequences,
    pooled,
)
from kineseg_training.studies.srivastava_2015.few_labels.report import exhibit
from kineseg_training.studies.srivastava_2015.few_labels.results import NEAREST, RANDOM, Key, Results, Scores, score
from kineseg_training.studies.srivastava_2015.few_labels.task import PRESETS, FewLabelsSettings, train_classifier
from kineseg_training.studies.srivastava_2015.sequences import PoseSequences
from kineseg_training.studies.srivastava_2015.task import CompositeTask

RESULTS_FILE = "results.jsonl"
_SEEDS_APART = 1000  # so that neighbouring seeds of the experiment share no run


def few_labels(context: RunContext, settings: FewLabelsSettings | None = None) -> Exhibit:
    """Train and compare all classifiers; what is in `context.out` already is not done again.

    Raises:
        DataError: A data folder is not there, or windows are longer than the clips of an action.
        SettingsError: More labelled windows of a class than there are.
        CheckpointError: `context.out` holds results of other settings.
    """
    settings = settings or PRESETS[context.preset]
    sets = [
        cmu_recognition(context.needs_cmu(), settings.window),
        bvh_recognition(context.needs_bvh(), settings.window),
    ]
    for data in sets:
        for labels in settings.labels:
            draw_labelled(data.pool, data.clips.actions, labels or None, 0)  # too many: say so before any training
    sources: dict[str, PoseSequences] = {data.name: data.unlabelled for data in sets}
    sources["generated"] = generated_sequences(settings.generated_minutes)
    recipe = {
        "settings": asdict(settings),
        "data": {data.name: [data.clips.fingerprint, data.test_clips.fingerprint] for data in sets},
        "sources": {name: sequences.fingerprint for name, sequences in sources.items()},
        "seed": context.seed,
    }
    encoders = {name: pretrain(context, name, sequences, settings) for name, sequences in sources.items()}
    results = Results(context.out / RESULTS_FILE, recipe)
    keys = [key for data in sets for key in keys_of(data.name, tuple(encoders), settings)]
    by_name = {data.name: data for data in sets}
    for key in tqdm(keys, disable=not context.progress, desc="classifiers"):
        if key not in results:
            results.add(key, run(by_name[key.recognised], key, encoders, settings, context))
    return exhibit(context, settings, sets, tuple(encoders), results)


def keys_of(recognised: str, sources: tuple[str, ...], settings: FewLabelsSettings) -> Iterator[Key]:
    """Every classifier of one data set; seeds come last, so that each number of labels is complete early."""
    for labels in settings.ordered:
        for seed in range(settings.seeds):
            yield Key(recognised, NEAREST, "all", labels, seed)
            for start in (RANDOM, *sources):
                yield Key(recognised, start, "all", labels, seed)
                yield Key(recognised, start, "readout", labels, seed)


def pretrain(context: RunContext, name: str, sequences: PoseSequences, settings: FewLabelsSettings) -> CompositeLSTM:
    """The composite LSTM trained on one source, or what is finished or begun of it in ``context.out/pretrained``."""
    task = CompositeTask(
        CompositeSettings(sequences.inputs, settings.hidden, window=settings.window),
        sequences,
        settings.pretraining,
        context.seed,
    )
    iterations = settings.pretraining.iterations
    every = iterations // 10 if iterations >= 100 else iterations
    loop = LoopSettings(iterations, every, device=context.device, seed=context.seed)
    train(task, loop, context.out / "pretrained" / name, resume=True, progress=context.progress)
    return task.network


def classifier(
    data: Recognition, start: CompositeLSTM | None, settings: FewLabelsSettings, seed: int
) -> LSTMClassifier:
    """Not trained yet: the readout at random in any case, the LSTM at random if `start` is None."""
    classes = len(data.clips.actions)
    made = ClassifierSettings(data.pool.frames.shape[2], classes, settings.hidden)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        fresh = LSTMClassifier(made)
    fresh.set_normalisation(*data.unlabelled.normalisation())
    if start is not None:
        fresh.start_from(start)
    return fresh


def run(
    data: Recognition, key: Key, encoders: Mapping[str, CompositeLSTM], settings: FewLabelsSettings, context: RunContext
) -> Scores:
    """Label, train, and name the test windows."""
    seed = _SEEDS_APART * context.seed + key.seed
    labelled = data.pool.rows(draw_labelled(data.pool, data.clips.actions, key.labels or None, seed))
    if key.start == NEAREST:
        named = nearest(data, labelled)
    else:
        made = classifier(data, encoders.get(key.start), settings, seed).to(context.device)
        how = settings.readout_training if key.trained == "readout" else settings.training
        train_classifier(made, labelled.frames, labelled.labels, how, seed)
        frames = torch.from_numpy(data.test.frames).to(context.device)
        named = made.probabilities(frames).argmax(dim=1).cpu().numpy()
    return score(data.test.labels, named, data.own_take)


def nearest(data: Recognition, labelled: LabelledWindows) -> NDArray[np.int64]:
    """``(N,)``: each test window gets the name of the labelled one that is nearest in mean and deviation."""
    mean, scale = data.unlabelled.normalisation()
    train_features, test_features = (pooled((part.frames - mean) / scale) for part in (labelled, data.test))
    neighbours = KNeighborsClassifier(n_neighbors=1).fit(train_features, labelled.labels)
    return np.asarray(neighbours.predict(test_features), dtype=np.int64)
