"""The embedding seen from outside: principal components of states, and how well they tell actions apart.

K. Su and E. Shlizerman (arXiv 1905.12176) find that the decoder states of a trained predictor lie in few dimensions,
and that there the actions come apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kineseg_training.baseline.task import normalisation
from kineseg_training.data.labelled import LabelledClips, LabelledWindows, cmu_actions
from kineseg_training.errors import SettingsError
from kineseg_training.exhibit import Agreement, Exhibit, Picture, Place, Preset, Table
from kineseg_training.interpret.projection import Components, principal_components, umap_projection
from kineseg_training.interpret.separation import Separation, recognised, separation, silhouette
from kineseg_training.interpret.states import DECODER, ENCODER, POSE, Parts, balanced_windows, read_states
from kineseg_training.interpret.subjects import SUBJECTS, Subject, check_subjects, subject
from kineseg_training.interpret.views_picture import draw_separation, draw_trajectories, draw_variance

# Frames read, frames decoded, windows of each action. As many frames as the tied GRU is trained on.
_SIZES: dict[Preset, tuple[int, int, int]] = {"tiny": (16, 16, 4), "small": (16, 16, 14), "full": (16, 16, 40)}
# Low-dimensional we call what has an effective dimension of at most this share of the units.
_LOW = 0.1
_SHARE = 0.9
_IN_FEW = 3


@dataclass(frozen=True, eq=False)
class View:
    """The states of one part of one model.

    Attributes:
        subject: Whose.
        part: ``encoder``, ``decoder`` or ``pose``.
        components: Of the states in training windows.
        training: ``(N, T, F)`` states in windows of training clips.
        held_out: ``(M, T, F)`` in windows of test clips.
        separation: Of the held-out states by action.
        training_silhouette: Of the training states by action.
        few_silhouette: Of the held-out states in the first three components.
        window_silhouette: Of held-out windows, each as the mean of its states.
        recognised: Share of held-out windows whose nearest training window is of the same action.
    """

    subject: Subject
    part: str
    components: Components
    training: NDArray[np.float32]
    held_out: NDArray[np.float32]
    separation: Separation
    training_silhouette: float
    few_silhouette: float
    window_silhouette: float
    recognised: float

    @property
    def title(self) -> str:
        """Model and part."""
        return self.subject.title if self.part == POSE else f"{self.subject.title}, {self.part}"

    @property
    def units(self) -> int:
        """F, numbers in a state."""
        return int(self.held_out.shape[2])


def views(
    place: Place, *, names: Sequence[str] = SUBJECTS, dimensions: Sequence[int] = (2, 3), umap: bool = False
) -> Exhibit:
    """Look at the states of several models side by side.

    Args:
        place: Where.
        names: Of the models, of `SUBJECTS`.
        dimensions: Of the trajectories that are drawn: 2, 3 or both.
        umap: Draw them under UMAP too.

    Raises:
        SettingsError: A model or a number of dimensions that there is not, or UMAP is not installed.
        DataError: The clips are not there.
    """
    check_subjects(names)
    if not dimensions or not set(dimensions) <= {2, 3}:
        raise SettingsError(f"dimensions: 2 and 3 can be drawn, got {', '.join(map(str, dimensions)) or 'none'}")
    train, test = cmu_actions(place.needs_cmu())
    found = looked_at([subject(name, place, train) for name in names], train, test, place)
    actions = test.actions
    labels = _windows(test, place.preset).labels

    pictures = []
    for count in dict.fromkeys(dimensions):
        held_out = [view.components.project(view.held_out, count) for view in found]
        draw_trajectories(place.out / f"trajectories_{count}d.png", found, held_out, labels, actions, "component")
        pictures.append(Picture(f"trajectories_{count}d.png", _trajectory_caption(count, place.preset)))
        if umap:
            mapped = [umap_projection(view.held_out, count, place.seed) for view in found]
            draw_trajectories(place.out / f"umap_{count}d.png", found, mapped, labels, actions, "UMAP")
            pictures.append(Picture(f"umap_{count}d.png", _umap_caption(count)))
    draw_variance(place.out / "variance.png", found)
    draw_separation(place.out / "separation.png", found, 100.0 / len(actions))
    pictures += [
        Picture(
            "variance.png",
            "Share of the variance of the states in training windows that the first principal components hold (left), "
            "and the effective dimension: the participation ratio (sum of variances)^2 / (sum of their squares), which "
            "is the number of components if all hold the same (right).",
        ),
        Picture(
            "separation.png",
            "How well held-out states gather by action: mean silhouette of all states (more is better), "
            "Davies-Bouldin index (less is better), and the share of held-out windows whose nearest training window "
            "is of the same action (mean over the actions; chance is the dashed line).",
        ),
    ]
    agreement, verdict, findings = _judged(found)
    flags = "" if tuple(names) == SUBJECTS else f" --models {','.join(names)}"
    return Exhibit(
        title="The embedding: states of encoders and decoders in few dimensions",
        paper="Su & Shlizerman 2019",
        command=f"kineseg-train interpret views OUT --preset {place.preset}{flags}" + (" --umap" if umap else ""),
        findings=findings,
        agreement=agreement,
        verdict=verdict,
        pictures=tuple(pictures),
        tables=(_table(found, place.preset),),
        figures={
            f"{view.subject.name} {view.part} {name}": value
            for view in found
            for name, value in {
                "effective dimension": view.components.effective_dimension,
                "silhouette": view.separation.silhouette,
                "Davies-Bouldin": view.separation.davies_bouldin,
                "recognised": view.recognised,
            }.items()
        },
    )


def looked_at(subjects: Sequence[Subject], train: LabelledClips, test: LabelledClips, place: Place) -> list[View]:
    """A view of every part of every subject."""
    windows = _windows(train, place.preset), _windows(test, place.preset)
    decoded = _SIZES[place.preset][1]
    mean, scale = normalisation([clip.frames for clip in train.clips])
    found = []
    for one in subjects:
        training, held_out = (
            read_states(one.model, part.frames, decoded)
            if one.model is not None
            else {POSE: ((part.frames - mean) / scale).astype(np.float32)}
            for part in windows
        )
        found += [_view(one, part, training, held_out, *windows) for part in training]
    return found


def _windows(clips: LabelledClips, preset: Preset) -> LabelledWindows:
    read, _, each = _SIZES[preset]
    return balanced_windows(clips, read, each)


def _view(
    one: Subject, part: str, training: Parts, held_out: Parts, known: LabelledWindows, new: LabelledWindows
) -> View:
    seen, states = training[part], held_out[part]
    components = principal_components(seen)
    labels = np.repeat(new.labels, states.shape[1])
    flat = states.reshape(-1, states.shape[2])
    return View(
        one,
        part,
        components,
        seen,
        states,
        separation(flat, labels),
        silhouette(seen.reshape(-1, seen.shape[2]), np.repeat(known.labels, seen.shape[1])),
        silhouette(components.project(flat, min(_IN_FEW, len(components.axes))), labels),
        silhouette(states.mean(axis=1), new.labels),
        recognised(seen.mean(axis=1), known.labels, states.mean(axis=1), new.labels),
    )


def _table(found: Sequence[View], preset: Preset) -> Table:
    read, decoded, each = _SIZES[preset]
    return Table(
        (
            "states of",
            "units",
            "components for 90 %",
            "effective dimension",
            "silhouette, training",
            "silhouette, held out",
            "in 3 components",
            "of windows",
            "Davies-Bouldin",
            "ARI k-means",
            "ARI agglomerative",
            "recognised, %",
        ),
        tuple(
            (
                view.title,
                view.units,
                view.components.needed(_SHARE),
                view.components.effective_dimension,
                view.training_silhouette,
                view.separation.silhouette,
                view.few_silhouette,
                view.window_silhouette,
                view.separation.davies_bouldin,
                view.separation.ari_kmeans,
                view.separation.ari_agglomerative,
                100.0 * view.recognised,
            )
            for view in found
        ),
        f"States of {each} windows of each CMU action: {read} frames read (encoder), {decoded} decoded after them "
        "(decoder), every state labelled with the action. Components are those of the training windows; what is right "
        "of the training silhouette is of held-out clips. Recognised: windows whose nearest training window, each as "
        "the mean of its states, is of the same action (mean over the actions). Where an action has one test clip, "
        "its states are near each other for being of one take, too; only the last column is free of that.",
    )


def _judged(found: Sequence[View]) -> tuple[Agreement, str, tuple[str, ...]]:
    """Agreement, verdict and findings."""
    by_name = {(view.subject.name, view.part): view for view in found}
    trained = [view for view in found if view.part == DECODER and view.subject.name != "untrained"]
    if not trained:
        return "not compared", "No trained model was looked at.", ()
    findings = [
        f"{view.subject.title}: {view.components.needed(_SHARE)} of {view.units} components hold "
        f"{_SHARE:.0%} of the variance of the decoder states; their effective dimension is "
        f"{view.components.effective_dimension:.1f}, that of the encoder states "
        f"{by_name[view.subject.name, ENCODER].components.effective_dimension:.1f}."
        for view in trained
    ]
    controls = [by_name[key] for key in (("untrained", DECODER), ("pose", POSE)) if key in by_name]
    if controls:
        lowest = min(view.components.effective_dimension for view in trained)
        learned = all(view.components.effective_dimension > lowest for view in controls)
        findings.append(
            "Beside them, "
            + ", ".join(
                f"{view.title}: effective dimension {view.components.effective_dimension:.1f}" for view in controls
            )
            + f". {'Training lowers it.' if learned else 'So few dimensions are not the work of training.'}"
        )
    ranked = sorted(found, key=lambda view: -view.separation.silhouette)
    findings.append(
        "Held-out states by silhouette, best first: "
        + ", ".join(f"{view.title} {view.separation.silhouette:.2f}" for view in ranked)
        + "."
    )
    ranked = sorted(found, key=lambda view: -view.recognised)
    findings.append(
        "Held-out windows recognised by the nearest training window, best first: "
        + ", ".join(f"{view.title} {view.recognised:.0%}" for view in ranked)
        + "."
    )
    judged = by_name.get(("su", DECODER), trained[0])
    others = [
        (what, by_name[key].separation.silhouette)
        for key, what in (
            ((judged.subject.name, ENCODER), "its encoder states"),
            (("pose", POSE), "the poses read"),
            (("untrained", DECODER), "the decoder states of an untrained GRU"),
        )
        if key in by_name
    ]
    silhouette_here, dimension = judged.separation.silhouette, judged.components.effective_dimension
    low = dimension <= _LOW * judged.units
    better = [f"{what} ({value:.2f})" for what, value in others if silhouette_here > value]
    not_better = [f"{what} ({value:.2f})" for what, value in others if silhouette_here <= value]
    verdict = (
        f"Decoder states of the {judged.subject.title} {'lie' if low else 'do not lie'} in few dimensions (effective "
        f"dimension {dimension:.1f} of {judged.units} units); on held-out clips they tell actions apart (silhouette "
        f"{silhouette_here:.2f})"
    )
    verdict += f" better than {_listed(better)}" if better else ""
    verdict += f"{', but' if better else ''} not better than {_listed(not_better)}" if not_better else ""
    agreement: Agreement = "agrees" if low and not not_better else "partly" if low or better else "disagrees"
    return agreement, verdict + ".", tuple(findings)


def _listed(texts: Sequence[str]) -> str:
    return texts[0] if len(texts) == 1 else ", ".join(texts[:-1]) + " and " + texts[-1]


def _trajectory_caption(count: int, preset: Preset) -> str:
    read, decoded, _ = _SIZES[preset]
    return (
        f"States in windows of held-out clips, projected on the first {count} principal components of the states in "
        f"training windows of the same model and part. A line is a window: {read} states while reading (upper row), "
        f"{decoded} while going on without input (lower row); a dot marks its first state. Colours are actions."
    )


def _umap_caption(count: int) -> str:
    return (
        f"The same states under UMAP in {count} dimensions, which keeps neighbourhoods and not distances: every model "
        "and part mapped by itself, without labels."
    )
