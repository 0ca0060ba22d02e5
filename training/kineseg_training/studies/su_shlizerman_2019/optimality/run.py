"""Does the embedding tell when a model is trained enough? Cluster quality and dimension beside the losses, by size.

K. Su and E. Shlizerman (arXiv 1905.12176) propose to judge training by the embedding: how low-dimensional the states
are, and how well they gather by action. Here tied GRUs of several sizes are watched through training, and what would
have been kept by the loss and by the embedding (`early_stop`) is compared on takes that neither has seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from kineseg_training.data.labelled import cmu_actions
from kineseg_training.studies.embedding.early_stop import CROWDING
from kineseg_training.studies.exhibit import Exhibit, Picture, Place
from kineseg_training.studies.su_shlizerman_2019.optimality.look import looked_at, set_aside, watch
from kineseg_training.studies.su_shlizerman_2019.optimality.pictures import draw_course, draw_stages
from kineseg_training.studies.su_shlizerman_2019.optimality.report import judged
from kineseg_training.studies.su_shlizerman_2019.optimality.results import LOSS, SILHOUETTE, SWEEPS, rank_correlation
from kineseg_training.studies.su_shlizerman_2019.optimality.tables import correlations, optima, stops


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
    labels = looked_at(test, sweep, place.preset).labels
    draw_course(place.out / "optimality.png", watches, sweep.patience)
    draw_stages(place.out / "stages.png", shown, labels, test.actions)
    agreement, verdict, findings = judged(watches, sweep)
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
