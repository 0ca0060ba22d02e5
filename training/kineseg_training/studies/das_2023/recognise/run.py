"""The experiment `recognise`: how well the ST-GCN names CMU actions, how sure it is, and what it makes of others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax

from kineseg_training.data.labelled import LabelledClips, bvh_contents, cmu_actions, cut_labelled
from kineseg_training.data.splits import hold_out
from kineseg_training.models.stgcn import STGCN
from kineseg_training.studies.das_2023.recognise.pictures import draw_calibration, draw_confusion
from kineseg_training.studies.das_2023.scores import (
    KEPT,
    SAME_ACTION,
    Evaluated,
    Rejection,
    Reliability,
    balanced,
    evaluate,
    nearest_neighbour,
    pooled_features,
    recommended_threshold,
    rejection,
    reliability,
    similarity,
    without_known,
)
from kineseg_training.studies.das_2023.trained import PRESETS, trained_stgcn
from kineseg_training.studies.exhibit import Agreement, Exhibit, Picture, RunContext, Table

CONFUSION, CALIBRATION = "confusion.png", "calibration.png"


def recognise(context: RunContext) -> Exhibit:
    """Train the ST-GCN on the CMU actions, or load it, and evaluate it on clips of other takes.

    Raises:
        DataError: There are no CMU clips.
    """
    network = trained_stgcn(context)
    every = PRESETS[context.preset].every
    window = network.settings.window
    train, test = cmu_actions(context.needs_cmu())
    fit, validation = hold_out(train, window)

    result = evaluate(network, test, every)
    mean, scale = network.mean.double().numpy(), network.scale.double().numpy()
    nearest = nearest_neighbour(cut_labelled(train, window, every), result.windows, mean, scale)
    neighbour = balanced(nearest == result.windows.labels, result.windows.labels)
    chosen, truth, _ = result.of_clips()
    by_clip = [
        (int((chosen[truth == label] == label).sum()), int((truth == label).sum()))
        for label in range(len(result.actions))
    ]
    draw_confusion(context.out / CONFUSION, result.confusion(), result.actions, by_clip)

    believed = _believed(network, result)
    abroad = _Abroad.of(network, context, every) if context.bvh is not None else None
    probabilities = {"known actions, test takes": result.best}
    if abroad is not None:
        probabilities |= {
            "walking and running of the BVH set": abroad.same.best,
            "unknown actions": abroad.unknown.best,
        }
    threshold = float(network.unknown_below)
    draw_calibration(context.out / CALIBRATION, believed, probabilities, threshold)
    rejections = _rejections(network, fit, validation, result, abroad, every) if abroad is not None else []

    balanced_accuracy, clip_accuracy = result.balanced(), result.clip_accuracy()
    before, after = believed.values()
    per_action = _per_action(result, nearest == result.windows.labels, train, test, window)
    worst = min(per_action, key=lambda row: row[3])
    findings = [
        f"Of {len(result.windows)} test windows of {window / network.settings.rate:g} s from "
        f"{len(truth)} clips, {100 * result.right.mean():.0f}% are named rightly, {100 * balanced_accuracy:.0f}% with "
        f"each action counting as much as any other, and {100 * clip_accuracy:.0f}% of the clips. The nearest "
        f"neighbour by pooled poses names {100 * neighbour:.0f}% (actions alike), "
        + _compared(balanced_accuracy, neighbour)
        + f". The hardest action is {worst[0]} ({100 * worst[3]:.0f}% of its windows)."
        + (
            f" Of {', '.join(test.shared_takes)} there is one take only; its end is tested."
            if test.shared_takes
            else ""
        ),
        f"Probabilities: the expected calibration error on test windows is {before.error:.2f} before and "
        f"{after.error:.2f} after dividing the logits by {float(network.temperature):.2f}, fitted on held-out training "
        f"clips; so calibration on takes of the training set {_helps(before.error, after.error)} on other takes.",
    ]
    figures = {
        "window_accuracy": float(result.right.mean()),
        "balanced_accuracy": balanced_accuracy,
        "clip_accuracy": clip_accuracy,
        "nearest_neighbour_balanced_accuracy": neighbour,
        "temperature": float(network.temperature),
        "calibration_error_before": before.error,
        "calibration_error": after.error,
        "unknown_below": threshold,
    }
    tables = [
        Table(
            (
                "action",
                "training clips",
                "test windows",
                "named rightly",
                "nearest neighbour",
                "test clips",
                "clips right",
            ),
            tuple(
                (name, takes, count, share, near, all_, right)
                for (name, takes, count, share, near), (right, all_) in zip(per_action, by_clip, strict=True)
            ),
            "Share of the test windows of each action that are named rightly, by the network and by the nearest "
            "training window in mean and standard deviation of the poses, and clips by the mean of their windows' "
            "log-probabilities. Test clips are of other takes than training clips.",
        )
    ]
    if abroad is not None:
        best = max(rejections, key=lambda row: row.auroc)
        by_probability = rejections[0]
        findings += [
            f"People of another data set: {100 * abroad.same_accuracy:.0f}% of the BVH set's windows of walking and "
            f"running (actions alike) get the CMU action's name.",
            f"Unknown actions ({', '.join(abroad.unknown_actions)}): with the recommended threshold of "
            f"{threshold:.2f}, which keeps {100 * KEPT:.0f}% of held-out windows, {100 * by_probability.kept:.0f}% of "
            f"the test windows of known actions keep their name and {100 * by_probability.rejected:.0f}% of the "
            f"unknown ones are called unknown (area under the curve {by_probability.auroc:.2f}). Of the scores "
            f"compared, {best.score} does best (area {best.auroc:.2f}, {100 * best.rejected:.0f}% called unknown at "
            f"{100 * best.kept:.0f}% kept).",
        ]
        tables.append(_rejection_table(rejections))
        figures |= {
            "same_action_accuracy": abroad.same_accuracy,
            "known_kept": by_probability.kept,
            "unknown_rejected": by_probability.rejected,
            "unknown_auroc": by_probability.auroc,
            "best_auroc": best.auroc,
        }
    agreement, verdict = _verdict(balanced_accuracy, neighbour, len(result.actions))
    return Exhibit(
        title="Recognising the CMU actions with an ST-GCN",
        paper="Das, Shekkizhar & Ortega 2023",
        command=f"kineseg-train recognition recognise {context.out.name} --preset {context.preset}",
        findings=tuple(findings),
        agreement=agreement,
        verdict=verdict,
        pictures=(
            Picture(
                CONFUSION,
                "Windows of the test takes by true action (rows) and by what the ST-GCN calls them (columns): share of "
                f"the row, and number of windows. Windows of {window} frames, every {every} frames, from takes that "
                "were not trained on.",
            ),
            Picture(
                CALIBRATION,
                "Left: of the windows that were given a probability, the share named rightly; size of a point: share "
                "of the windows. The temperature was fitted on held-out training clips, the error is measured on test "
                "takes. Right: how sure the network is of windows of actions that it knows, of the same actions done "
                "by people of another data set, and of actions that it was never taught; dotted: the threshold that "
                f"keeps {100 * KEPT:.0f}% of held-out windows.",
            ),
        ),
        tables=tuple(tables),
        figures=figures,
    )


@dataclass(frozen=True, eq=False)
class _Abroad:
    """What the network makes of the BVH set: `same` actions under other names, and `unknown` ones."""

    same: Evaluated
    same_accuracy: float
    unknown: Evaluated
    unknown_actions: tuple[str, ...]

    @classmethod
    def of(cls, network: STGCN, context: RunContext, every: int) -> _Abroad:
        train, test = bvh_contents(context.needs_bvh(), network.settings.rate)
        length = network.settings.window
        # Nothing here was trained on, so that training and test clips alike may be used to evaluate it.
        long = [clip for clip in (*train.clips, *test.clips) if len(clip.frames) >= length]
        clips = LabelledClips(tuple(long), train.actions, train.channels, train.rate, train.fingerprint)
        same = evaluate(network, clips.only(sorted(SAME_ACTION)), every)
        names = sorted(SAME_ACTION)
        meant = np.array([network.settings.classes.index(SAME_ACTION[names[label]]) for label in same.windows.labels])
        unknown = without_known(clips, length)
        return cls(same, balanced(same.chosen == meant, meant), evaluate(network, unknown, every), unknown.actions)


def _believed(network: STGCN, result: Evaluated) -> dict[str, Reliability]:
    """Reliability before and after calibration."""
    plain = np.exp(log_softmax(result.log_probabilities * float(network.temperature), axis=1).max(axis=1))
    return {
        "as trained": reliability(plain, result.right),
        f"divided by {float(network.temperature):.2f}": reliability(result.best, result.right),
    }


def _rejections(
    network: STGCN, fit: LabelledClips, validation: LabelledClips, result: Evaluated, abroad: _Abroad, every: int
) -> list[Rejection]:
    """Probability, and nearness to training windows, each with a threshold from held-out windows."""
    held_out = cut_labelled(validation, network.settings.window, every)
    known, unknown = result.windows, abroad.unknown.windows
    taught = pooled_features(network, cut_labelled(fit, network.settings.window, every).frames)

    def near(frames: NDArray[np.float32]) -> NDArray[np.float64]:
        return similarity(pooled_features(network, frames), taught)

    by_probability = rejection(
        "probability of the chosen action",
        float(network.unknown_below),
        (result.best, known.labels),
        (abroad.unknown.best, unknown.labels),
    )
    by_nearness = rejection(
        "cosine with the nearest training window",
        recommended_threshold(near(held_out.frames), held_out.labels),
        (near(known.frames), known.labels),
        (near(unknown.frames), unknown.labels),
    )
    return [by_probability, by_nearness]


def _rejection_table(rows: list[Rejection]) -> Table:
    return Table(
        ("score", "threshold", "known kept", "unknown rejected", "area under the curve"),
        tuple((row.score, row.threshold, row.kept, row.rejected, row.auroc) for row in rows),
        f"Windows of actions that were never taught against test windows of known actions. Each threshold keeps "
        f"{100 * KEPT:.0f}% of the windows of held-out training clips; unknown actions had no part in choosing it.",
    )


def _per_action(
    result: Evaluated,
    nearest_right: NDArray[np.bool_],
    train: LabelledClips,
    test: LabelledClips,
    window: int,
) -> list[tuple[str, int, int, float, float]]:
    rows = []
    for label, action in enumerate(test.actions):
        of_action = result.windows.labels == label
        takes = sum(clip.action == action and len(clip.frames) >= window for clip in train.clips)
        rows.append(
            (
                action,
                takes,
                int(of_action.sum()),
                float(result.right[of_action].mean()),
                float(nearest_right[of_action].mean()),
            )
        )
    return rows


def _compared(ours: float, theirs: float) -> str:
    if abs(ours - theirs) < 0.02:
        return "about as many as the network"
    return f"{'fewer' if theirs < ours else 'more'} than the network"


def _helps(before: float, after: float) -> str:
    if abs(before - after) < 0.01:
        return "changes little"
    return "helps" if after < before else "does not help"


def _verdict(accuracy: float, neighbour: float, actions: int) -> tuple[Agreement, str]:
    claim = "The paper takes for granted that an ST-GCN recognises actions from skeletons"
    numbers = f"{100 * accuracy:.0f}% of windows of other takes ({100 / actions:.0f}% by chance)"
    if accuracy > max(neighbour, 2.0 / actions):
        return "agrees", f"{claim}; here it names {numbers}, more than the nearest neighbour by pooled poses."
    if accuracy > 2.0 / actions:
        return "partly", (
            f"{claim}; here it names {numbers}, with so few takes not more than the nearest neighbour by pooled poses "
            f"({100 * neighbour:.0f}%)."
        )
    return "disagrees", f"{claim}; here it names {numbers}."
