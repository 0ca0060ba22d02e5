"""Which of the six variants of the composite LSTM predicts motion best, and which gives it back best."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from kineseg_training.models.composite import CompositeLSTM
from kineseg_training.studies.exhibit import Agreement, Exhibit, Picture, RunContext, Table
from kineseg_training.studies.srivastava_2015.pictures import draw_ahead, draw_variants
from kineseg_training.studies.srivastava_2015.scores import (
    AVERAGE,
    STAYS,
    Errors,
    baseline_errors,
    evaluation_windows,
    model_errors,
    over_actions,
)
from kineseg_training.studies.srivastava_2015.sequences import RATE, PoseSequences, cmu_poses
from kineseg_training.studies.srivastava_2015.task import SIZES, CompositeTraining
from kineseg_training.studies.srivastava_2015.trained import BEST, VARIANTS, Variant, trained_composite, trained_variant

PAPER = "Srivastava, Mansimov & Salakhutdinov 2015"
_PREDICTORS = tuple(name for name, variant in VARIANTS.items() if variant.predict)
_FORCED = "composite, conditional, trained on true frames"
_PLAIN = "composite, conditional, takes as they are"
_DEEPER = "composite, conditional, {} layers"

Windows = Mapping[str, NDArray[np.float32]]
_COMPOSITE_HELPS = (("composite", "predict"), ("composite, conditional", "predict, conditional"))
_CONDITION_HELPS = (("predict, conditional", "predict"), ("composite, conditional", "composite"))
BEST_NAME = "composite, conditional"


@dataclass(frozen=True)
class _Run:
    """A model to train: its variant, way of training and depth, and whether motion is varied for it."""

    variant: Variant
    training: CompositeTraining
    layers: int = 1
    vary: bool = True


@dataclass(frozen=True)
class VariantError:
    """How well a variant does, in squared normalised channels, mean over the actions.

    Attributes:
        ahead: ``(runs, n)``, of its predictions, by frames ahead.
        back: ``(runs, S)``, of its reconstruction, by frames back; None if it has none.
        by_action: Of its predictions, mean over runs and frames.
    """

    ahead: NDArray[np.float64]
    back: NDArray[np.float64] | None
    by_action: Mapping[str, float]

    @property
    def future(self) -> NDArray[np.float64]:
        """``(runs,)``: of all predicted frames."""
        return np.asarray(self.ahead.mean(axis=1))

    @property
    def past(self) -> NDArray[np.float64] | None:
        """``(runs,)``: of all frames given back."""
        return None if self.back is None else np.asarray(self.back.mean(axis=1))


def variants(context: RunContext) -> Exhibit:
    """Train the six variants, each several times, and evaluate them on test takes.

    The encoder of a model that only reconstructs is evaluated by what it knows of the future: it is left as it is, and
    a decoder of the future, conditional if the model's is, is trained on it as long as the others were.
    """
    size = SIZES[context.preset]
    sequences, test = cmu_poses(context.needs_cmu())
    source, target = size.training.source, size.training.target
    windows = evaluation_windows(test, size.test_windows, source + target)
    runs = {name: _Run(variant, size.training) for name, variant in VARIANTS.items()}
    runs[_FORCED] = _Run(BEST, replace(size.training, forced=True))
    runs[_PLAIN] = _Run(BEST, size.training, vary=False)
    if size.layers > 1:
        runs[_DEEPER.format(size.layers)] = _Run(BEST, size.training, size.layers)
    plain, _ = cmu_poses(context.needs_cmu(), vary=False)
    scores = {name: _score(context, sequences if run.vary else plain, windows, name, run) for name, run in runs.items()}

    like = trained_composite(context, sequences)  # for its normalisation
    baselines = over_actions([baseline_errors(like, frames, source) for frames in windows.values()])
    still = {action: float(baseline_errors(like, frames, source)[STAYS].mean()) for action, frames in windows.items()}
    best = min(_PREDICTORS, key=lambda name: scores[name].future.mean())
    draw_variants(
        context.out / "variants.png",
        {name: score.future for name, score in scores.items()},
        {name: score.past for name, score in scores.items() if score.past is not None},
        {name: float(errors.mean()) for name, errors in baselines.items() if name != AVERAGE},
        float(baselines[AVERAGE].mean()),
    )
    draw_ahead(
        context.out / "ahead.png",
        {name: scores[name].ahead.mean(axis=0) for name in _PREDICTORS},
        {name: errors for name, errors in baselines.items() if name != AVERAGE},
        RATE,
        target,
    )
    agreement, verdict = agreement_and_verdict(scores, best)
    how = (
        f"Models of {size.hidden} units read {source} frames of canonical pose at {RATE:g} Hz and predict {target}; "
        f"{size.training.iterations} steps of Adam on the CMU training takes, {size.seeds} runs of each from other "
        f"initial weights and batches. Evaluated on {sum(len(frames) for frames in windows.values())} windows of the "
        f"test takes of {len(windows)} actions, every action counting the same, decoders on their own output; the unit "
        "is the square of a channel's deviation in the training takes."
    )
    return Exhibit(
        title="Six variants of the composite LSTM",
        paper=PAPER,
        command=f"kineseg-train composite variants OUT --preset {context.preset}",
        findings=_findings(scores, best, {name: float(errors.mean()) for name, errors in baselines.items()}, still),
        agreement=agreement,
        verdict=verdict,
        pictures=(
            Picture(
                "variants.png",
                "Error of prediction (left) and reconstruction (right) of each variant; a dot is a run, a bar their "
                f"mean, dashed lines need no model. {how} Those that only reconstruct predict through a decoder "
                "trained afterwards on their unchanged encoder (hollow dots).",
            ),
            Picture(
                "ahead.png",
                f"Error of the four variants that predict against how far ahead they predict, mean of the runs. {how}",
            ),
        ),
        tables=(
            _table(scores, baselines, how),
            Table(
                ("action", "windows", best, STAYS),
                tuple(
                    (action, len(frames), scores[best].by_action[action], still[action])
                    for action, frames in windows.items()
                ),
                "Prediction error action by action: the variant that predicts best, beside standing still.",
            ),
        ),
        figures={f"future error, {name}": float(score.future.mean()) for name, score in scores.items()}
        | {f"past error, {name}": float(score.past.mean()) for name, score in scores.items() if score.past is not None}
        | {f"error, {name}": float(errors.mean()) for name, errors in baselines.items()},
    )


def _score(context: RunContext, sequences: PoseSequences, windows: Windows, name: str, run: _Run) -> VariantError:
    """Train (or read) all runs of a variant and evaluate them."""
    source = run.training.source
    ahead, back, by_action = [], [], []
    for number in range(SIZES[context.preset].seeds):
        model, predictor = _trained(context, sequences, name, run, number)
        errors: dict[str, Errors] = {}
        for action, frames in windows.items():
            errors[action] = model_errors(predictor, frames, source)
            if model is not predictor:
                errors[action] |= model_errors(model, frames, source)
        mean = over_actions(list(errors.values()))
        ahead.append(mean["future"])
        by_action.append({action: float(found["future"].mean()) for action, found in errors.items()})
        if "past" in mean:
            back.append(mean["past"])
    return VariantError(
        np.stack(ahead),
        np.stack(back) if back else None,
        {action: float(np.mean([one[action] for one in by_action])) for action in windows},
    )


def _trained(
    context: RunContext, sequences: PoseSequences, name: str, run: _Run, number: int
) -> tuple[CompositeLSTM, CompositeLSTM]:
    """The model, and what predicts from its encoder: itself where it can."""
    if number == 0 and run == _Run(BEST, SIZES[context.preset].training):
        model = trained_composite(context, sequences)
    else:
        folder = context.out / "runs" / f"{name.replace(', ', '-').replace(' ', '_')}-{number}"
        model = trained_variant(
            context,
            sequences,
            run.variant,
            folder,
            layers=run.layers,
            seed=context.seed + number,
            training=run.training,
        )
    if run.variant.predict:
        return model, model
    variant = Variant(reconstruct=False, predict=True, conditional=run.variant.conditional)
    folder = folder.with_name(f"{folder.name}-then-predict")
    return model, trained_variant(
        context, sequences, variant, folder, seed=context.seed + number, training=run.training, frozen=model
    )


def _table(scores: Mapping[str, VariantError], baselines: Errors, how: str) -> Table:
    rows: list[tuple[str | float | int, ...]] = []
    for name, score in scores.items():
        past = "" if score.past is None else float(score.past.mean())
        spread = "" if score.past is None else float(np.ptp(score.past))
        label = name if VARIANTS.get(name, BEST).predict else f"{name} (a decoder on its encoder)"
        future = score.future
        rows.append(
            (label, float(future.mean()), float(np.ptp(future)), *_ends(score.ahead.mean(axis=0)), past, spread)
        )
    for name, errors in baselines.items():
        if name == AVERAGE:
            rows.append((name, "", "", "", "", float(errors.mean()), ""))
        else:
            rows.append((name, float(errors.mean()), "", *_ends(errors), "", ""))
    return Table(
        (
            "variant",
            "prediction error",
            "largest - smallest run",
            "first frame",
            "last frame",
            "reconstruction error",
            "largest - smallest run",
        ),
        tuple(rows),
        how,
    )


def _ends(errors: NDArray[np.float64]) -> tuple[float, float]:
    return float(errors[0]), float(errors[-1])


def _better(scores: Mapping[str, VariantError], one: str, other: str) -> tuple[bool, str]:
    """Whether one predicts better than the other on the mean of the runs, and by how much, in words."""
    a, b = scores[one].future, scores[other].future
    runs = int((a < b).sum())
    change = 100 * (b.mean() - a.mean()) / b.mean()
    words = f"{abs(change):.1f} % {'less' if change > 0 else 'more'} error, better in {runs} of {len(a)} runs"
    return change > 0, words


def _findings(
    scores: Mapping[str, VariantError], best: str, baselines: Mapping[str, float], still: Mapping[str, float]
) -> tuple[str, ...]:
    future = {name: float(scores[name].future.mean()) for name in scores}
    order = sorted(_PREDICTORS, key=lambda name: future[name])
    spread = max(float(np.ptp(scores[name].future)) for name in _PREDICTORS)
    gap = future[order[-1]] - future[order[0]]
    ahead = [action for action in still if scores[best].by_action[action] < still[action]]
    past = {name: float(score.past.mean()) for name, score in scores.items() if score.past is not None}
    said = [
        "Prediction error, best first: " + "; ".join(f"{name} {future[name]:.3f}" for name in order) + ". From best to "
        f"worst it is {gap:.3f}; "
        + (
            "with one run of each, nothing can be said of chance."
            if len(scores[best].future) == 1
            else f"runs of one variant differ by up to {spread:.3f}, so the order is "
            + ("more than chance." if gap > 2 * spread else "to be taken with care.")
        ),
        "Reconstructing too: " + "; ".join(_said(scores, pair) for pair in _COMPOSITE_HELPS) + ". "
        "Being given one's own output: " + "; ".join(_said(scores, pair) for pair in _CONDITION_HELPS) + ".",
        f"Standing still has an error of {baselines[STAYS]:.3f}: {best} is "
        + ("better" if future[best] < baselines[STAYS] else "worse")
        + f" over all, and better in {len(ahead)} of {len(still)} actions"
        + (f" ({', '.join(ahead)})." if ahead else "."),
        "An encoder that was only trained to reconstruct knows less of the future than one trained to predict: "
        if min(future[name] for name in future if name.startswith("reconstruct")) > future[order[0]]
        else "An encoder that was only trained to reconstruct knows as much of the future as one trained to predict: ",
        "Reconstruction error, best first: "
        + "; ".join(f"{name} {past[name]:.3f}" for name in sorted(past, key=lambda name: past[name]))
        + f"; the mean of the frames read, repeated, has {baselines[AVERAGE]:.3f}.",
        f"Trained on true frames in place of its own output (teacher forcing): {_said(scores, (_FORCED, BEST_NAME))}.",
        f"Trained on the takes as they are, only mirrored: {_said(scores, (_PLAIN, BEST_NAME))}; "
        f"{_past_said(scores, _PLAIN)}.",
    ]
    probes = [name for name in VARIANTS if not VARIANTS[name].predict]
    said[3] += "; ".join(f"{name} {future[name]:.3f}" for name in probes) + f", against {future[order[0]]:.3f}."
    said += [
        f"Depth: {_said(scores, (name, BEST_NAME))}; {_past_said(scores, name)}."
        for name in scores
        if name not in VARIANTS and name not in (_FORCED, _PLAIN)
    ]
    return tuple(said)


def _said(scores: Mapping[str, VariantError], pair: tuple[str, str]) -> str:
    return f"{pair[0]} against {pair[1]}: {_better(scores, *pair)[1]}"


def _past_said(scores: Mapping[str, VariantError], name: str) -> str:
    one, other = scores[name].past, scores[BEST_NAME].past
    assert one is not None  # both are composite
    assert other is not None
    return f"its reconstruction error is {one.mean():.3f} against {other.mean():.3f}"


def agreement_and_verdict(scores: Mapping[str, VariantError], best: str) -> tuple[Agreement, str]:
    composite = [_better(scores, *pair)[0] for pair in _COMPOSITE_HELPS]
    condition = [_better(scores, *pair)[0] for pair in _CONDITION_HELPS]
    agreement: Agreement = "partly"
    if best == BEST_NAME and all(composite) and all(condition):
        agreement = "agrees"
    elif not any(composite) and not any(condition):
        agreement = "disagrees"
    words = {True: "holds", False: "does not hold here"}
    return agreement, (
        "Claimed: to reconstruct too makes a better predictor, so does being given one's own output, and the "
        f"conditional composite model predicts best. Found: the first {_of_two(composite)}, the second "
        f"{_of_two(condition)}, the third {words[best == BEST_NAME]} (best: {best})."
    )


def _of_two(held: list[bool]) -> str:
    return ("holds in neither comparison", "holds in one of two comparisons", "holds in both comparisons")[sum(held)]
