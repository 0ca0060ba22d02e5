"""Does the embedding show when a model is trained enough? Cluster quality and dimension beside the losses, by size.

K. Su and E. Shlizerman (arXiv 1905.12176) propose to follow training by the embedding: how low-dimensional the states
are, and how well they gather by action. Here tied GRUs of several sizes are watched through training, and what would
have been kept by the loss and by the embedding (`early_stop`) is compared on takes that neither has seen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from kineseg_training.data.labelled import LabelledClip, LabelledClips, LabelledWindows, cmu_actions, cut_labelled
from kineseg_training.loop import LAST, CourseRow, LoopSettings, load_saved, train
from kineseg_training.studies.early_stop import CROWDING, WATCHED, Watched, crowding, spread_windows
from kineseg_training.studies.exhibit import Exhibit, Picture, Preset, RunContext
from kineseg_training.studies.states import (
    DECODER,
    ENCODER,
    balanced_windows,
    k_means,
    principal_components,
    read_states,
    recognised,
    separation,
    silhouette,
)
from kineseg_training.studies.su_shlizerman_2019.optimality.report import conclude, draw_course, draw_stages
from kineseg_training.studies.su_shlizerman_2019.optimality.results import (
    DIMENSION,
    K_MEANS,
    LOSS,
    RECOGNISED,
    SILHOUETTE,
    SWEEPS,
    TEST_LOSS,
    Sweep,
    Watch,
    correlations,
    optima,
    rank_correlation,
    stops,
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


def watch(
    hidden: int, sweep: Sweep, clips: tuple[LabelledClips, LabelledClips, LabelledClips], context: RunContext
) -> Watch:
    """Train one size to the end (or read what is finished), looking at its states at every validation.

    Args:
        hidden: Units.
        sweep: How.
        clips: To train on, to validate on, to test on.
        context: Its folder is ``tied-<hidden>`` in `context.out`.
    """
    settings = replace(CANONICAL_PRESETS[context.preset], hidden=hidden, iterations=sweep.iterations, batch=16)
    kept, validation, test = clips
    task = TiedTask(
        [clip.frames for clip in kept.clips],
        settings,
        validation=[clip.frames for clip in validation.clips],
        seed=context.seed,
        about={"looked_at": sweep.each},
    )
    folder = context.out / f"tied-{hidden}"
    read, decoded = settings.source, settings.target
    unlabelled = spread_windows([clip.frames for clip in validation.clips], read, WATCHED)
    test_windows = looked_at(test, sweep, context.preset)
    look = _look(
        task,
        unlabelled,
        looked_at(kept, sweep, context.preset),
        test_windows,
        cut_labelled(test, settings.window, 5),
        decoded,
    )

    def remember(row: CourseRow) -> None:
        states = read_states(task.predictor, test_windows.frames, decoded)[DECODER]
        _stage(folder, row.iteration).parent.mkdir(parents=True, exist_ok=True)
        with _stage(folder, row.iteration).open("wb") as file:
            np.save(file, states.astype(np.float16))

    loop = LoopSettings(sweep.iterations, sweep.validate_every, device=context.device, seed=context.seed)
    finished = (folder / LAST).exists() and load_saved(folder / LAST).iteration >= sweep.iterations
    saved = train(
        Watched(task, look),
        loop,
        folder,
        resume=True,
        progress=context.progress and not finished,
        on_validation=remember,
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


def optimality(context: RunContext, *, hidden: Sequence[int] | None = None, iterations: int | None = None) -> Exhibit:
    """Watch the embedding through the training of tied GRUs.

    Args:
        context: Where; trainings that are finished there are not done again.
        hidden: Units of each model; those of the preset if left out.
        iterations: Of each training; the preset's if left out.

    Raises:
        DataError: The clips are not there.
        SettingsError: A senseless size.
    """
    sweep = SWEEPS[context.preset]
    sweep = replace(sweep, hidden=tuple(hidden or sweep.hidden), iterations=iterations or sweep.iterations)
    training, test = cmu_actions(context.needs_cmu())
    kept, validation = set_aside(training)
    clips = kept, validation, test
    watches = [watch(size, sweep, clips, context) for size in sweep.hidden]

    shown = watches[len(watches) // 2]
    labels = looked_at(test, sweep, context.preset).labels
    draw_course(context.out / "optimality.png", watches, sweep.patience)
    draw_stages(context.out / "stages.png", shown, labels, test.actions)
    agreement, verdict, findings = conclude(watches, sweep)
    sizes = ",".join(map(str, sweep.hidden))
    return Exhibit(
        title="When is a model trained enough? The embedding through training",
        paper="Su & Shlizerman 2019",
        command=f"kineseg-train interpret optimality OUT --preset {context.preset} --hidden {sizes}"
        + (f" --iterations {iterations}" if iterations else ""),
        findings=findings,
        agreement=agreement,
        verdict=verdict,
        pictures=(
            Picture(
                "optimality.png",
                "Tied GRUs of several sizes through training, a column each. Top: mean squared error of the predicted "
                "frames in training, validation and test clips. Middle: mean silhouette of decoder states, by action "
                "in training and test clips, and by window, without labels, in validation clips. Bottom: effective "
                "dimension of the decoder states. Vertical lines: what the validation loss would keep (dashed), and "
                "what the embedding would keep, without labels (solid).",
            ),
            Picture(
                "stages.png",
                f"Decoder states of the model of {shown.hidden} units in windows of test clips before training, early "
                "in it, at the two optima and at its end, on the first two principal components of each moment. A line "
                "is a window, a dot its first state, a colour an action.",
            ),
        ),
        tables=(optima(watches), correlations(watches), stops(watches, sweep)),
        figures={
            f"{one.hidden} units, {name}": float(value)
            for one in watches
            for name, value in {
                "iteration of the best loss": one.iterations[one.best(LOSS)],
                "iteration of the best embedding": one.iterations[one.best(CROWDING)],
                "silhouette at the best loss": one.values(SILHOUETTE)[one.best(LOSS)],
                "silhouette at the best embedding": one.values(SILHOUETTE)[one.best(CROWDING)],
                "rank correlation of the embedding with the silhouette": rank_correlation(
                    -one.values(CROWDING), one.values(SILHOUETTE)
                ),
            }.items()
        },
    )
