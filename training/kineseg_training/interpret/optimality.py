"""Does the embedding tell when a model is trained enough? Cluster quality and dimension beside the losses, by size.

K. Su and E. Shlizerman (arXiv 1905.12176) propose to judge training by the embedding: how low-dimensional the states
are, and how well they gather by action. Here tied GRUs of several sizes are watched through training, and what would
have been kept by the loss and by the embedding (`early_stop`) is compared on takes that neither has seen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import spearmanr

from kineseg_training.baseline.task import TiedTask
from kineseg_training.baseline.trained import CANONICAL_PRESETS
from kineseg_training.data.labelled import LabelledClip, LabelledClips, LabelledWindows, cmu_actions, cut_labelled
from kineseg_training.errors import SettingsError
from kineseg_training.exhibit import Agreement, Exhibit, Picture, Place, Preset, Table
from kineseg_training.interpret.early_stop import CROWDING, WATCHED, Watched, crowding, spread_windows
from kineseg_training.interpret.optimality_picture import draw_course, draw_stages
from kineseg_training.interpret.projection import principal_components
from kineseg_training.interpret.separation import k_means, recognised, separation, silhouette
from kineseg_training.interpret.states import DECODER, ENCODER, balanced_windows, read_states
from kineseg_training.loop import LAST, Course, LoopSettings, Row, load_saved, train

LOSS, TEST_LOSS = "validation_loss", "test_loss"
SILHOUETTE, TRAIN_SILHOUETTE = "test_silhouette", "train_silhouette"
DIMENSION, K_MEANS = "effective_dimension", "kmeans_silhouette"
RECOGNISED = "test_recognised"


@dataclass(frozen=True)
class Sweep:
    """How the sizes are trained and watched.

    Attributes:
        hidden: Units of each model.
        iterations: Of each training; nothing stops it early.
        validate_every: Steps between two looks at the states.
        each: Windows of every action that are looked at, in training and in test clips.
        patience: Looks without anything better after which a training would have been stopped.
    """

    hidden: tuple[int, ...]
    iterations: int
    validate_every: int
    each: int
    patience: int

    def __post_init__(self) -> None:
        if len(self.hidden) < 1 or len(set(self.hidden)) < len(self.hidden) or min(self.hidden) < 2:
            raise SettingsError(f"hidden: name different numbers of units, 2 at least, got {self.hidden}")


SWEEPS: Mapping[Preset, Sweep] = {
    "tiny": Sweep((4, 8, 12), 20, 5, 4, 2),
    "small": Sweep((32, 128, 256), 1000, 50, 10, 4),
    "full": Sweep((64, 256, 1024), 10_000, 250, 40, 6),
}
# Numbers of clusters that are tried without labels.
_CLUSTERS = (2, 4, 8, 12)
# By how much what the embedding keeps may be worse than what the loss keeps, before we say that it is.
_SILHOUETTE_MARGIN, _LOSS_MARGIN = 0.01, 0.05


@dataclass(frozen=True, eq=False)
class Watch:
    """A size watched through training.

    Attributes:
        hidden: Units.
        course: A row a look.
        stages: ``(iteration, states)`` of the decoder in test windows, ``(N, T, H)`` float16, at every look.
    """

    hidden: int
    course: Course
    stages: tuple[tuple[int, NDArray[np.float16]], ...]

    def values(self, name: str) -> NDArray[np.float64]:
        """``(R,)``: a figure through training."""
        return np.array([row.figures[name] for row in self.course])

    @property
    def iterations(self) -> NDArray[np.int64]:
        """``(R,)``."""
        return np.array([row.iteration for row in self.course])

    def best(self, judge: str) -> int:
        """The row that is the best by a figure (lower is better)."""
        return int(np.argmin(self.values(judge)))

    def stop(self, judge: str, patience: int) -> tuple[int, int]:
        """(row kept, last row trained) if `loop.train` had gone by the figure with so much patience."""
        values = self.values(judge)
        for last in range(len(values)):
            kept = int(np.argmin(values[: last + 1]))
            if last - kept >= patience:
                return kept, last
        return int(np.argmin(values)), len(values) - 1


def optimality(place: Place, *, hidden: Sequence[int] | None = None, iterations: int | None = None) -> Exhibit:
    """Watch the embedding through the training of tied GRUs.

    Args:
        place: Where; trainings that are finished there are not done again.
        hidden: Units of each model; those of the preset if left out.
        iterations: Of each training; the preset's if left out.

    Raises:
        DataError: The clips are not there.
        SettingsError: A senseless size.
    """
    sweep = SWEEPS[place.preset]
    sweep = replace(sweep, hidden=tuple(hidden or sweep.hidden), iterations=iterations or sweep.iterations)
    training, test = cmu_actions(place.needs_cmu())
    kept, validation = set_aside(training)
    clips = kept, validation, test
    watches = [watch(size, sweep, clips, place) for size in sweep.hidden]

    shown = watches[len(watches) // 2]
    labels = _looked_at(test, sweep, place.preset).labels
    draw_course(place.out / "optimality.png", watches, sweep.patience)
    draw_stages(place.out / "stages.png", shown, labels, test.actions)
    agreement, verdict, findings = _judged(watches, sweep)
    sizes = ",".join(map(str, sweep.hidden))
    return Exhibit(
        title="When is a model trained enough? The embedding through training",
        paper="Su & Shlizerman 2019",
        command=f"kineseg-train interpret optimality OUT --preset {place.preset} --hidden {sizes}"
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
        tables=(_optima(watches), _correlations(watches), _stops(watches, sweep)),
        figures={
            f"{one.hidden} units, {name}": float(value)
            for one in watches
            for name, value in {
                "iteration of the best loss": one.iterations[one.best(LOSS)],
                "iteration of the best embedding": one.iterations[one.best(CROWDING)],
                "silhouette at the best loss": one.values(SILHOUETTE)[one.best(LOSS)],
                "silhouette at the best embedding": one.values(SILHOUETTE)[one.best(CROWDING)],
                "rank correlation of the embedding with the silhouette": _rank(
                    -one.values(CROWDING), one.values(SILHOUETTE)
                ),
            }.items()
        },
    )


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
    test_windows = _looked_at(test, sweep, place.preset)
    look = _look(
        task,
        unlabelled,
        _looked_at(kept, sweep, place.preset),
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


def _stage(folder: Path, iteration: int) -> Path:
    return folder / "states" / f"{iteration}.npy"


def _looked_at(clips: LabelledClips, sweep: Sweep, preset: Preset) -> LabelledWindows:
    return balanced_windows(clips, CANONICAL_PRESETS[preset].source, sweep.each)


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


def _optima(watches: Sequence[Watch]) -> Table:
    rows: list[tuple[str | float | int, ...]] = []
    for one in watches:
        for name, place in (
            ("validation loss", one.best(LOSS)),
            ("embedding, without labels", one.best(CROWDING)),
            ("embedding, test labels", int(np.argmax(one.values(SILHOUETTE)))),
            ("(last)", len(one.course) - 1),
        ):
            figures = one.course[place].figures
            rows.append(
                (
                    one.hidden,
                    name,
                    one.course[place].iteration,
                    figures[LOSS],
                    1.0 - figures[CROWDING],
                    figures[TEST_LOSS],
                    figures[TRAIN_SILHOUETTE],
                    figures[SILHOUETTE],
                    figures["test_davies_bouldin"],
                    figures["test_ari_kmeans"],
                    figures["test_ari_agglomerative"],
                    100.0 * figures[RECOGNISED],
                    figures["test_dimension"],
                )
            )
    return Table(
        (
            "units",
            "optimum of",
            "iteration",
            "validation loss",
            "silhouette by window",
            "test loss",
            "silhouette, training",
            "silhouette, test",
            "Davies-Bouldin",
            "ARI k-means",
            "ARI agglomerative",
            "recognised, %",
            "effective dimension",
        ),
        tuple(rows),
        "Where the validation loss and the embedding have their optima, and what the model is worth there. Losses are "
        "mean squared errors in normalised channels; separation is that of decoder states by action (from "
        "Davies-Bouldin on, in test clips). The embedding without labels is judged on validation clips by the "
        "silhouette of states by window; with test labels is what hindsight would have kept.",
    )


def _correlations(watches: Sequence[Watch]) -> Table:
    signs = {LOSS: -1.0, CROWDING: -1.0, DIMENSION: 1.0, K_MEANS: 1.0}
    words = {
        LOSS: "validation loss",
        CROWDING: "silhouette by window",
        DIMENSION: "effective dimension",
        K_MEANS: "silhouette of k-means clusters",
    }
    return Table(
        (
            "units",
            "figure, without labels",
            "with test silhouette",
            "with windows recognised",
            "with test loss",
            "optimum at",
        ),
        tuple(
            (
                one.hidden,
                words[name],
                _rank(sign * one.values(name), one.values(SILHOUETTE)),
                _rank(sign * one.values(name), one.values(RECOGNISED)),
                _rank(sign * one.values(name), -one.values(TEST_LOSS)),
                one.course[int(np.argmax(sign * one.values(name)))].iteration,
            )
            for one in watches
            for name, sign in signs.items()
        ),
        "Rank correlation (Spearman) through training of four figures that need no labels, on validation clips, with "
        "what counts on test clips: separation of actions, windows recognised, predicted frames. Every figure is taken "
        "so that 1 is full agreement; the last column tells where it would have had training end. The silhouette by "
        "window was chosen out of about a dozen figures for its correlation, in trial runs, with separation in these "
        "same test clips: this table shows it, and is no independent confirmation.",
    )


def _stops(watches: Sequence[Watch], sweep: Sweep) -> Table:
    rows: list[tuple[str | float | int, ...]] = []
    for one in watches:
        best_loss, best_silhouette = one.values(TEST_LOSS).min(), one.values(SILHOUETTE).max()
        for name, judge in (("loss", LOSS), ("embedding", CROWDING)):
            kept, last = one.stop(judge, sweep.patience)
            rows.append(
                (
                    one.hidden,
                    name,
                    one.course[last].iteration,
                    one.course[kept].iteration,
                    one.values(TEST_LOSS)[kept],
                    100.0 * (one.values(TEST_LOSS)[kept] / best_loss - 1.0),
                    one.values(SILHOUETTE)[kept],
                    one.values(SILHOUETTE)[kept] - best_silhouette,
                    100.0 * one.values(RECOGNISED)[kept],
                )
            )
    return Table(
        (
            "units",
            "--stop-by",
            "stopped after",
            "kept",
            "test loss",
            "above the best, %",
            "test silhouette",
            "from the best",
            "recognised, %",
        ),
        tuple(rows),
        f"What stopping would have kept and cost: iterations trained with a patience of {sweep.patience} looks, one "
        f"every {sweep.validate_every} iterations, the iteration whose parameters are kept, and how these do in test "
        f"clips, beside the best of all {sweep.iterations} iterations.",
    )


def _judged(watches: Sequence[Watch], sweep: Sweep) -> tuple[Agreement, str, tuple[str, ...]]:
    findings, tells = [], []
    for one in watches:
        loss, embedding = one.best(LOSS), one.best(CROWDING)
        at_loss, at_embedding = one.values(SILHOUETTE)[loss], one.values(SILHOUETTE)[embedding]
        cost = one.values(TEST_LOSS)[embedding] / one.values(TEST_LOSS)[loss] - 1.0
        tells.append(at_embedding >= at_loss - _SILHOUETTE_MARGIN and cost <= _LOSS_MARGIN)
        when = one.course[embedding].iteration - one.course[loss].iteration
        apart = f"{abs(when)} iterations {'later' if when > 0 else 'earlier'}" if when else "at the same moment"
        findings.append(
            f"{one.hidden} units: the validation loss is best after {one.course[loss].iteration} iterations; the "
            f"embedding, judged without labels, {apart}. Going by it changes the test loss by {cost:+.1%} and the "
            f"silhouette of test actions from {at_loss:.2f} to {at_embedding:.2f} (best of all: "
            f"{one.values(SILHOUETTE).max():.2f}, after {_iteration(one, one.values(SILHOUETTE).argmax())})."
        )
    dimension = [one.values("test_dimension") for one in watches]
    findings.append(
        "Effective dimension of the decoder states in test clips, before training, at its lowest, and at the end: "
        + "; ".join(
            f"{one.hidden} units {values[0]:.1f}, {values.min():.1f} after {_iteration(one, values.argmin())} "
            f"iterations, {values[-1]:.1f}"
            for one, values in zip(watches, dimension, strict=True)
        )
        + "."
    )
    others = {"effective dimension": DIMENSION, "silhouette of k-means clusters": K_MEANS}
    findings.append(
        "Parameters that other figures without labels would have kept, at their maximum: "
        + "; ".join(
            f"{one.hidden} units by the {words} those of iteration {_iteration(one, one.values(name).argmax())} "
            f"(test silhouette {one.values(SILHOUETTE)[one.values(name).argmax()]:.2f})"
            for one in watches
            for words, name in others.items()
        )
        + "."
    )
    follows = [[_rank(-one.values(name), one.values(SILHOUETTE)) for name in (CROWDING, LOSS)] for one in watches]
    ahead = sum(by_window > by_loss for by_window, by_loss in follows)
    findings.append(
        "Rank correlation with the silhouette of test actions, of the embedding without labels and of the validation "
        "loss: "
        + "; ".join(
            f"{one.hidden} units {by_window:.2f} and {by_loss:.2f}"
            for one, (by_window, by_loss) in zip(watches, follows, strict=True)
        )
        + f". The embedding follows it more closely than the loss does in {ahead} of {len(watches)} sizes."
    )
    kept = [[one.stop(judge, sweep.patience) for judge in (LOSS, CROWDING)] for one in watches]
    findings.append(
        f"Stopped with a patience of {sweep.patience}: "
        + "; ".join(
            f"{one.hidden} units by the loss after {one.course[by_loss[1]].iteration} iterations (test silhouette "
            f"{one.values(SILHOUETTE)[by_loss[0]]:.2f}), by the embedding after {one.course[by_state[1]].iteration} "
            f"({one.values(SILHOUETTE)[by_state[0]]:.2f})"
            for one, (by_loss, by_state) in zip(watches, kept, strict=True)
        )
        + "."
    )
    lower = sum(
        one.values(TEST_LOSS)[by_state[0]] < one.values(TEST_LOSS)[by_loss[0]]
        for one, (by_loss, by_state) in zip(watches, kept, strict=True)
    )
    after = sum(one.best(CROWDING) > one.best(LOSS) for one in watches)
    before = sum(one.best(CROWDING) < one.best(LOSS) for one in watches)
    agreement: Agreement = "agrees" if all(tells) else "partly" if any(tells) else "disagrees"
    return (
        agreement,
        "The embedding, without labels, keeps a model that tells test actions apart as well as the one kept by the "
        f"loss (silhouette at most {_SILHOUETTE_MARGIN} worse) at no more than {_LOSS_MARGIN:.0%} of test loss in "
        f"{sum(tells)} of {len(tells)} sizes; its optimum comes later than that of the loss in {after} and earlier in "
        f"{before}. Stopped with a patience of {sweep.patience}, it keeps the lower test loss of the two in {lower}.",
        tuple(findings),
    )


def _iteration(one: Watch, place: np.intp) -> int:
    return one.course[int(place)].iteration


def _rank(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Spearman's; 0 where one does not vary."""
    if np.ptp(a) == 0.0 or np.ptp(b) == 0.0:
        return 0.0
    return float(spearmanr(a, b)[0])
