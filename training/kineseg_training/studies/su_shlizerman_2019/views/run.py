"""The embedding seen from outside: principal components of states, and how well they separate actions.

K. Su and E. Shlizerman (arXiv 1905.12176) find that the decoder states of a trained predictor lie in few dimensions,
and that there the actions come apart.
"""

from __future__ import annotations

from collections.abc import Sequence

from kineseg_training.data.labelled import cmu_actions
from kineseg_training.errors import SettingsError
from kineseg_training.studies.exhibit import Exhibit, Picture, Preset, RunContext
from kineseg_training.studies.families import SUBJECTS, check_subjects, subject
from kineseg_training.studies.states import umap_projection
from kineseg_training.studies.su_shlizerman_2019.views.report import (
    conclude,
    draw_separation,
    draw_trajectories,
    draw_variance,
    table,
)
from kineseg_training.studies.su_shlizerman_2019.views.results import SIZES, looked_at, windows_of


def views(
    context: RunContext, *, names: Sequence[str] = SUBJECTS, dimensions: Sequence[int] = (2, 3), umap: bool = False
) -> Exhibit:
    """Look at the states of several models side by side.

    Args:
        context: Where.
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
    train, test = cmu_actions(context.needs_cmu())
    found = looked_at([subject(name, context, train) for name in names], train, test, context)
    actions = test.actions
    labels = windows_of(test, context.preset).labels

    pictures = []
    for count in dict.fromkeys(dimensions):
        held_out = [view.components.project(view.held_out, count) for view in found]
        draw_trajectories(context.out / f"trajectories_{count}d.png", found, held_out, labels, actions, "component")
        pictures.append(Picture(f"trajectories_{count}d.png", _trajectory_caption(count, context.preset)))
        if umap:
            mapped = [umap_projection(view.held_out, count, context.seed) for view in found]
            draw_trajectories(context.out / f"umap_{count}d.png", found, mapped, labels, actions, "UMAP")
            pictures.append(Picture(f"umap_{count}d.png", _umap_caption(count)))
    draw_variance(context.out / "variance.png", found)
    draw_separation(context.out / "separation.png", found, 100.0 / len(actions))
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
    agreement, verdict, findings = conclude(found)
    flags = "" if tuple(names) == SUBJECTS else f" --models {','.join(names)}"
    return Exhibit(
        title="The embedding: states of encoders and decoders in few dimensions",
        paper="Su & Shlizerman 2019",
        command=f"kineseg-train interpret views OUT --preset {context.preset}{flags}" + (" --umap" if umap else ""),
        findings=findings,
        agreement=agreement,
        verdict=verdict,
        pictures=tuple(pictures),
        tables=(table(found, context.preset),),
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


def _trajectory_caption(count: int, preset: Preset) -> str:
    read, decoded, _ = SIZES[preset]
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
