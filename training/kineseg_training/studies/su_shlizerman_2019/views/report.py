"""What views of the embedding say about the paper: a table, findings in words, agreement, verdict."""

from __future__ import annotations

from collections.abc import Sequence

from kineseg_training.studies.embedding.states import DECODER, ENCODER, POSE
from kineseg_training.studies.exhibit import Agreement, Preset, Table
from kineseg_training.studies.su_shlizerman_2019.views.results import SIZES, View

# Low-dimensional we call what has an effective dimension of at most this share of the units.
_LOW = 0.1
_SHARE = 0.9


def table(found: Sequence[View], preset: Preset) -> Table:
    """Every view in figures."""
    read, decoded, each = SIZES[preset]
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


def judged(found: Sequence[View]) -> tuple[Agreement, str, tuple[str, ...]]:
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
