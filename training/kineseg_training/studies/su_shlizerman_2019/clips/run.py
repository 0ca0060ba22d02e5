"""Case (i) of Su & Shlizerman: clips of several actions after one another are cut and clustered without labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from kineseg_training.studies.exhibit import Agreement, Exhibit, Picture, Preset, RunContext, Table
from kineseg_training.studies.su_shlizerman_2019.clips.case import (
    ENCODER,
    K_MEANS_POSES,
    OTHER_THRESHOLDS,
    SINGLE_POSES,
    THRESHOLD,
    TOLERANCE_S,
    UNTRAINED,
    CaseResult,
    run_case,
)
from kineseg_training.studies.su_shlizerman_2019.clips.data import ActionFiles, choose, concatenate, find_actions
from kineseg_training.studies.su_shlizerman_2019.clips.pictures import draw_cuts, draw_scores, draw_states
from kineseg_training.studies.su_shlizerman_2019.clusters import LINKAGES
from kineseg_training.studies.su_shlizerman_2019.task import PRESETS, BaselineSettings

# The paper shows clusters that match the actions all but perfectly; here that means:
NEAR_PERFECT = 0.95
# Better than a simpler way by more than so much ARI is better.
_BETTER = 0.02


@dataclass(frozen=True)
class Case:
    """A concatenation, and how its predictor is trained.

    Attributes:
        actions: Named, or none to draw them.
        number: How many to draw.
        total: Appearances; 0 for one each.
        root: Keep translation and rotation of the root, as the published experiments do.
        adversarial: Train against the adversaries.
        reread: Whether the encoder reads the frame that the decoder begins with.
    """

    actions: tuple[str, ...] = ()
    number: int = 3
    total: int = 0
    root: bool = True
    adversarial: bool = False
    reread: bool = True


_THREE = Case(("walking", "running", "jumping"))
_REPEATED = replace(_THREE, total=6)
# What the paper shows; then what is changed about it.
PUBLISHED: Mapping[str, Case] = {
    "3 actions": _THREE,
    "3 actions, 6 clips": _REPEATED,
    "5 actions": Case((*_THREE.actions, "soccer", "basketball")),
}
_SEVEN = {"7 actions": Case((*_THREE.actions, "soccer", "basketball", "directing_traffic", "basketball_signal"))}
VARIATIONS: Mapping[str, Case] = {
    "3 actions, 6 clips, adversaries": replace(_REPEATED, adversarial=True),
    "3 actions, 6 clips, without root": replace(_REPEATED, root=False),
    "3 actions, 6 clips, last frame read once": replace(_REPEATED, reread=False),
}
_CASES: Mapping[Preset, Mapping[str, Case]] = {
    "tiny": {"3 actions": _THREE},
    "small": {**PUBLISHED, **VARIATIONS},
    "full": {**PUBLISHED, **_SEVEN, **VARIATIONS},
}


def clips(
    context: RunContext,
    cases: Mapping[str, Case] | None = None,
    *,
    folder: Path | None = None,
    settings: BaselineSettings | None = None,
    command: str = "kineseg-train baseline clips OUT",
) -> Exhibit:
    """Cut and cluster concatenated clips, offline and with the number of actions given, as the paper does.

    Args:
        context: Where to work; its preset chooses settings and cases.
        cases: By name, instead of those of the preset.
        folder: Clips in the CMU or the Human3.6M text layout, instead of the place's.
        settings: Instead of those of the preset.
        command: That makes this.

    Raises:
        DataError: No clips, or one is shorter than a window.
        SettingsError: An unknown action, or fewer than two.
    """
    files = find_actions(folder or context.needs_cmu())
    settings = settings or PRESETS[context.preset]
    if cases is None:
        cases = _CASES[context.preset]
    results = {name: _run(case, files, settings, context.out / _slug(name), context) for name, case in cases.items()}
    shown = {name: results[name] for name in list(results)[:2]}
    draw_cuts(shown, context.out / "clips_cuts.png")
    draw_states(dict(list(results.items())[:3]), context.out / "clips_states.png")
    draw_scores(results, context.out / "clips_scores.png")
    published = {name: result for name, result in results.items() if name in PUBLISHED} or results
    agreement = _agreement(published)
    return Exhibit(
        title=f"Concatenated {files.layout.name} clips, cut and clustered offline",
        paper="Su & Shlizerman 2019",
        command=command,
        findings=tuple(_findings(results, published)),
        agreement=agreement,
        verdict=_verdict(agreement, published),
        pictures=_pictures(list(shown), settings),
        tables=(_clusters(results), _simpler(results), _cuts(results)),
        figures={
            f"{_slug(name)}_{method}_{figure}": value
            for name, result in results.items()
            for method in LINKAGES
            for figure, value in vars(result.given[method]).items()
        },
    )


def _run(case: Case, files: ActionFiles, settings: BaselineSettings, folder: Path, context: RunContext) -> CaseResult:
    actions = choose(files, case.actions, case.number, context.seed)
    sequence = concatenate(
        files, actions, case.total or len(actions), context.seed, shortest=settings.window, root=case.root
    )
    return run_case(sequence, replace(settings, adversarial=case.adversarial, reread=case.reread), folder, context)


def _findings(results: Mapping[str, CaseResult], published: Mapping[str, CaseResult]) -> list[str]:
    findings = []
    for name, result in published.items():
        given, cut = result.given["single"], result.cuts[THRESHOLD]
        findings.append(
            f"{name} ({result.sequence.frames.shape[0] / result.sequence.rate:.0f} s): decoder states, single linkage, "
            f"number of clusters given: ARI {given.ari:.2f}, AMI {given.ami:.2f}, V-measure {given.v_measure:.2f}, MoF "
            f"{given.mof:.2f}. Cuts: {len(result.cutting.cuts)} found, {len(result.sequence.boundaries())} true, F1 "
            f"{cut.f1:.2f} within {TOLERANCE_S} s."
        )
    for method in LINKAGES:
        gains = {
            name: r.given[method].ari - max(r.others[SINGLE_POSES].ari, r.others[K_MEANS_POSES].ari)
            for name, r in results.items()
        }
        better = sum(gain > _BETTER for gain in gains.values())
        worse = sum(gain < -_BETTER for gain in gains.values())
        findings.append(
            "Against the better of two ways that need no network (poses by single linkage or k-means), decoder states "
            f"by {method} linkage are better in {better} of {len(gains)} cases, worse in {worse}, and equal within "
            f"{_BETTER} ARI in the others; the differences are {_listed(gains)}."
        )
    untrained = {name: r.given["single"].ari - r.others[UNTRAINED].ari for name, r in results.items()}
    findings.append(
        "Training changes the ARI of decoder states, against the same network before training, by "
        f"{_listed(untrained)}."
    )
    base = results.get("3 actions, 6 clips")
    for name in VARIATIONS:
        if base is not None and name in results:
            other, change = results[name], results[name].given["single"].ari - base.given["single"].ari
            findings.append(
                f"{name}: ARI {other.given['single'].ari:.2f} ({change:+.2f} against the published way), cuts F1 "
                f"{other.cuts[THRESHOLD].f1:.2f} ({other.cuts[THRESHOLD].f1 - base.cuts[THRESHOLD].f1:+.2f}), "
                f"validation loss {other.course[-1].figures['validation_loss']:.3f} "
                f"({other.course[-1].figures['validation_loss'] - base.course[-1].figures['validation_loss']:+.3f})."
            )
    means = {
        factor: sum(r.cuts[factor].f1 for r in results.values()) / len(results)
        for factor in sorted((THRESHOLD, *OTHER_THRESHOLDS))
    }
    best = max(means, key=lambda factor: means[factor])
    findings.append(
        "Mean F1 of the cuts over the cases, by threshold in medians of the window error: "
        + ", ".join(f"{factor:g}: {value:.2f}" for factor, value in means.items())
        + f". The one used is {THRESHOLD:g}"
        + (", the best." if best == THRESHOLD else f"; the best would have been {best:g}.")
    )
    return findings


def _listed(differences: Mapping[str, float]) -> str:
    # Adding zero makes "-0.00" of a rounded difference "+0.00".
    return ", ".join(f"{round(value, 2) + 0.0:+.2f} ({name})" for name, value in differences.items())


def _agreement(results: Mapping[str, CaseResult]) -> Agreement:
    near = [result.given["single"].ari >= NEAR_PERFECT for result in results.values()]
    return "agrees" if all(near) else "partly" if any(near) else "disagrees"


def _verdict(agreement: Agreement, results: Mapping[str, CaseResult]) -> str:
    near = [name for name, result in results.items() if result.given["single"].ari >= NEAR_PERFECT]
    poses = [
        name
        for name, result in results.items()
        if max(result.others[SINGLE_POSES].ari, result.others[K_MEANS_POSES].ari) >= NEAR_PERFECT
    ]
    return (
        "The claim is that decoder states of concatenated clips fall into one cluster for each action; they do all but "
        f"perfectly (ARI of at least {NEAR_PERFECT}, single linkage, number given) in {len(near)} of {len(results)} "
        f"concatenations{' (' + '; '.join(near) + ')' if near else ''}, and poses alone do in {len(poses)}"
        f"{' (' + '; '.join(poses) + ')' if poses else ''}."
    )


def _clusters(results: Mapping[str, CaseResult]) -> Table:
    rows: list[tuple[str | float | int, ...]] = []
    for name, result in results.items():
        for method in LINKAGES:
            given, segments = result.given[method], result.segments[method]
            number, free = result.found[method]
            rows.append(
                (
                    name,
                    method,
                    len(result.sequence.actions),
                    given.ari,
                    given.ami,
                    given.v_measure,
                    given.mof,
                    segments.ari,
                    number,
                    free.ari,
                    free.mof,
                )
            )
    return Table(
        (
            "concatenation",
            "linkage",
            "clusters given",
            "ARI",
            "AMI",
            "V",
            "MoF",
            "ARI of segment means",
            "clusters by gap",
            "ARI by gap",
            "MoF by gap",
        ),
        tuple(rows),
        "Agglomerative clusters (cosine distance) of decoder states against true actions, over all frames. Offline, "
        "and with the number of actions given, but for the last three columns, where the distance of the widest gap "
        "between merges decides. Segment means: the mean state of each segment found is clustered instead of every "
        "state. Frames that are only read get the label of the first state decoded in their found segment.",
    )


def _simpler(results: Mapping[str, CaseResult]) -> Table:
    ways = (ENCODER, UNTRAINED, SINGLE_POSES, K_MEANS_POSES)
    return Table(
        ("concatenation", "decoder states", *ways),
        tuple(
            (name, result.given["single"].ari, *(result.others[way].ari for way in ways))
            for name, result in results.items()
        ),
        "ARI of the decoder states (single linkage, number given) beside the states of the encoder while it reads the "
        "whole sequence, the decoder states of the same network before training, and the normalised poses themselves.",
    )


def _cuts(results: Mapping[str, CaseResult]) -> Table:
    factors = sorted((THRESHOLD, *OTHER_THRESHOLDS))
    return Table(
        (
            "concatenation",
            "true cuts",
            "found",
            "precision",
            "recall",
            *(f"F1 at {factor:g} medians" for factor in factors),
            "iterations",
            "validation loss",
        ),
        tuple(
            (
                name,
                len(result.sequence.boundaries()),
                len(result.cutting.cuts),
                result.cuts[THRESHOLD].precision,
                result.cuts[THRESHOLD].recall,
                *(result.cuts[factor].f1 for factor in factors),
                result.course[-1].iteration,
                result.course[-1].figures["validation_loss"],
            )
            for name, result in results.items()
        ),
        f"Cuts where the error of a window is above the threshold, in medians of the window error ({THRESHOLD:g} is "
        f"used, for the first columns too), matched to true ones within {TOLERANCE_S} s.",
    )


def _pictures(shown: Sequence[str], settings: BaselineSettings) -> tuple[Picture, ...]:
    made = (
        f"A GRU of {settings.hidden} units was trained for {settings.iterations} iterations on the whole sequence, "
        f"{settings.source} frames read and {settings.target} predicted, without any label."
    )
    return (
        Picture(
            "clips_cuts.png",
            f"Where the predictor is surprised ({'; '.join(shown)}): mean squared error of each window, the threshold "
            f"({THRESHOLD:g} medians), the cuts made and the true boundaries. Below, the true actions and the clusters "
            "of decoder states by single and by average linkage, their number given, each cluster in the colour of the "
            f"action that it is named for, grey if for none. {made}",
        ),
        Picture(
            "clips_states.png",
            "Decoder states of the first concatenations on their two main axes (PCA), coloured by the true action. "
            f"{made}",
        ),
        Picture(
            "clips_scores.png",
            "Adjusted Rand index of clusters against true actions for each concatenation: decoder states, those of the "
            f"same network before training, and poses; the number of clusters is given. {made}",
        ),
    )


def _slug(name: str) -> str:
    return name.replace(",", "").replace(" ", "_")
