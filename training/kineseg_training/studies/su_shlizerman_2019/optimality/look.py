"""Train a size while watching it: what is looked at, at every validation, in its states and predictions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from kineseg_training.data.labelled import LabelledClip, LabelledClips, LabelledWindows, cut_labelled
from kineseg_training.loop import LAST, LoopSettings, Row, load_saved, train
from kineseg_training.studies.embedding.early_stop import CROWDING, WATCHED, Watched, crowding, spread_windows
from kineseg_training.studies.embedding.projection import principal_components
from kineseg_training.studies.embedding.separation import k_means, recognised, separation, silhouette
from kineseg_training.studies.embedding.states import DECODER, ENCODER, balanced_windows, read_states
from kineseg_training.studies.exhibit import Place, Preset
from kineseg_training.studies.su_shlizerman_2019.optimality.results import (
    DIMENSION,
    K_MEANS,
    RECOGNISED,
    TEST_LOSS,
    Sweep,
    Watch,
)
from kineseg_training.studies.su_shlizerman_2019.task import TiedTask
from kineseg_training.studies.su_shlizerman_2019.trained import CANONICAL_PRESETS

# Numbers of clusters that are tried without labels.
_CLUSTERS = (2, 4, 8, 12)


def set_aside(clips: LabelledClips) -> tuple[LabelledClips, LabelledClips]:
    """(to train on, to validate on): of every action with three clips or more, the last is to validate on."""
    count = {action: sum(clip.action == action for clip in clips.clips) for action in clips.actions}
    last = {clip.action: clip for clip in clips.clips if count[clip.action] >= 3}
    held_out: list[LabelledClip] = [clip for clip in clips.clips if last.get(clip.action) is clip]
    rest = tuple(clip for clip in clips.clips if last.get(clip.action) is not clip)
    return replace(clips, clips=rest), replace(clips, clips=tuple(held_out), actions=tuple(sorted(last)))


def watch(hidden: int, sweep: Sweep, clips: tuple[LabelledClips, LabelledClips, LabelledClips], place: Place) -> Watch:
    """Train one size to the end (or read what is finished), looking at its states at every validation.

    Args:
        hidden: Units.
        sweep: How.
        clips: To train on, to validate on, to test on.
        place: Its folder is ``tied-<hidden>`` in `place.out`.
    """
    settings = replace(CANONICAL_PRESETS[place.preset], hidden=hidden, iterations=sweep.iterations, batch=16)
    kept, validation, test = clips
    task = TiedTask(
        [clip.frames for clip in kept.clips],
        settings,
        validation=[clip.frames for clip in validation.clips],
        seed=place.seed,
        about={"looked_at": sweep.each},
    )
    folder = place.out / f"tied-{hidden}"
    read, decoded = settings.source, settings.target
    unlabelled = spread_windows([clip.frames for clip in validation.clips], read, WATCHED)
    test_windows = looked_at(test, sweep, place.preset)
    look = _look(
        task,
        unlabelled,
        looked_at(kept, sweep, place.preset),
        test_windows,
        cut_labelled(test, settings.window, 5),
        decoded,
    )

    def remember(row: Row) -> None:
        states = read_states(task.predictor, test_windows.frames, decoded)[DECODER]
        _stage(folder, row.iteration).parent.mkdir(parents=True, exist_ok=True)
        with _stage(folder, row.iteration).open("wb") as file:
            np.save(file, states.astype(np.float16))

    loop = LoopSettings(sweep.iterations, sweep.validate_every, device=place.device, seed=place.seed)
    finished = (folder / LAST).exists() and load_saved(folder / LAST).iteration >= sweep.iterations
    saved = train(
        Watched(task, look), loop, folder, resume=True, progress=place.progress and not finished, on_validation=remember
    )
    stages = tuple((row.iteration, np.load(_stage(folder, row.iteration))) for row in saved.course)
    return Watch(hidden, saved.course, stages)


def looked_at(clips: LabelledClips, sweep: Sweep, preset: Preset) -> LabelledWindows:
    """The windows of clips whose states are looked at, as many of every action."""
    return balanced_windows(clips, CANONICAL_PRESETS[preset].source, sweep.each)


def _stage(folder: Path, iteration: int) -> Path:
    return folder / "states" / f"{iteration}.npy"


def _look(
    task: TiedTask,
    validation: NDArray[np.float32],
    training: LabelledWindows,
    test: LabelledWindows,
    predicted: LabelledWindows,
    decoded: int,
) -> Callable[[], Mapping[str, float]]:
    """What is found out at every validation."""

    def look() -> Mapping[str, float]:
        model = task.predictor
        unlabelled = read_states(model, validation, decoded)[DECODER]
        found = {
            CROWDING: crowding(unlabelled),
            DIMENSION: principal_components(unlabelled).effective_dimension,
            K_MEANS: _without_labels(unlabelled.mean(axis=1)),
        }
        seen = {name: read_states(model, part.frames, decoded) for name, part in (("train", training), ("test", test))}
        for (name, states), labels in zip(seen.items(), (training.labels, test.labels), strict=True):
            decoder = states[DECODER]
            each = separation(decoder.reshape(-1, decoder.shape[2]), np.repeat(labels, decoder.shape[1]))
            found |= {
                f"{name}_silhouette": each.silhouette,
                f"{name}_davies_bouldin": each.davies_bouldin,
                f"{name}_ari_kmeans": each.ari_kmeans,
                f"{name}_ari_agglomerative": each.ari_agglomerative,
                f"{name}_dimension": principal_components(decoder).effective_dimension,
            }
            encoder = states[ENCODER]
            found[f"{name}_encoder_silhouette"] = silhouette(
                encoder.reshape(-1, encoder.shape[2]), np.repeat(labels, encoder.shape[1])
            )
        means = [states[DECODER].mean(axis=1) for states in seen.values()]
        found[RECOGNISED] = recognised(means[0], training.labels, means[1], test.labels)
        frames = model.normalise(torch.from_numpy(predicted.frames).to(model.mean.device))
        read = frames.shape[1] - decoded
        guess, _ = model(frames[:, :read], decoded)
        found[TEST_LOSS] = float((guess - frames[:, read:]).square().mean())
        return found

    return look


def _without_labels(points: NDArray[np.floating]) -> float:
    """Mean silhouette of k-means clusters, of as many as give the best."""
    return max(silhouette(points, k_means(points, k, 0)) for k in _CLUSTERS if k < len(points))
