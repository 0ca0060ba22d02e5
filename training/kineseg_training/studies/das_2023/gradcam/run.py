"""Which joints the ST-GCN goes by, layer by layer: maps of two actions, and figures over all of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from kineseg.motion import CANONICAL_JOINTS
from numpy.typing import NDArray
from scipy.stats import rankdata

from kineseg_training.data import LabelledClips, cmu_actions
from kineseg_training.models.stgcn import STGCN
from kineseg_training.studies.das_2023.gradcam.maps import Activation, class_activations
from kineseg_training.studies.das_2023.gradcam.pictures import (
    activation_figure,
    profile_figure,
    write_animation,
    write_picture,
)
from kineseg_training.studies.das_2023.layers.families import untrained
from kineseg_training.studies.das_2023.trained import trained_stgcn
from kineseg_training.studies.exhibit import Agreement, Exhibit, Picture, RunContext, Table

Array = NDArray[np.float64]

_PAPER = "Das, Shekkizhar & Ortega 2023"
_LONGEST_S = 2.5  # of a clip that is looked at
_CLIPS = {"tiny": 2, "small": 4, "full": 12}  # of each action, for the figures over all
_RANDOM_NETWORKS = 3
_SURE = 0.5  # probability of an action whose map is drawn
_CLEAR = 0.1  # difference of correlations that is called one
_LITTLE = 0.3  # correlation that is called none

_ARMS = [i for i, joint in enumerate(CANONICAL_JOINTS) if joint.endswith(("shoulder", "elbow", "wrist"))]
_LEGS = [i for i, joint in enumerate(CANONICAL_JOINTS) if joint.endswith(("_hip", "knee", "ankle", "toe"))]

SAME, OTHER, RANDOM = "clips of one action", "clips of different actions", "trained and random network"


@dataclass(frozen=True, eq=False)
class Seen:
    """A clip and the maps of its own action at every layer.

    Attributes:
        frames: ``(T, 59)``.
        activations: One a layer.
    """

    frames: Array
    activations: tuple[Activation, ...]

    @property
    def action(self) -> str:
        """What is done in the clip."""
        return self.activations[0].action

    @property
    def probability(self) -> float:
        """That the network gives it."""
        return self.activations[0].probability

    def profile(self, place: int) -> Array:
        """``(V,)``: share of each joint in the map of a layer; zeros where the map is empty."""
        by_joint = self.activations[place].values.mean(axis=0)
        return np.asarray(by_joint / (by_joint.sum() or 1.0))


def gradcam(context: RunContext, *, animate: bool = True) -> Exhibit:
    """Maps of test clips by the network of `trained_stgcn`.

    Args:
        context: Where.
        animate: Also make a GIF of the moving body.

    Raises:
        DataError: There are no CMU clips.
    """
    model = trained_stgcn(context)
    _, test = cmu_actions(context.needs_cmu())
    seen = [
        Seen(clip, class_activations(model, clip, action)) for action, clip in _chosen(test, _CLIPS[context.preset])
    ]
    layers = model.layers
    by_action = {action: [one for one in seen if one.action == action] for action in test.actions}
    likeness = _likeness(model, by_action, context.seed)
    spread = [float(np.mean([_effective(one.profile(at)) for one in seen])) for at in range(len(layers))]

    first, second = _two_to_draw(by_action)
    shown = _early_middle_late(layers)
    pictures = []
    for one in (first, second):
        name = f"gradcam_{one.action}.png"
        maps = [one.activations[layers.index(layer)] for layer in shown]
        write_picture(context.out / name, activation_figure(one.frames, maps, test.rate))
        pictures.append(Picture(name, _caption(one, shown)))
    if animate:
        maps = [first.activations[layers.index(layer)] for layer in shown]
        write_animation(context.out / "gradcam.gif", first.frames, maps, test.rate)
        pictures.append(
            Picture(
                "gradcam.gif",
                f"The same clip of {_words(first.action)}, moving: each joint as large and as warm as it speaks "
                f"for the action at {', '.join(map(_words, shown))}.",
            )
        )
    write_picture(context.out / "gradcam_layers.png", profile_figure(likeness, layers, spread))
    pictures.append(Picture("gradcam_layers.png", _layers_caption(len(seen))))
    return _exhibit(context, layers, by_action, likeness, spread, tuple(pictures))


def _chosen(clips: LabelledClips, each: int) -> list[tuple[str, Array]]:
    """(action, the middle of a clip), at most `each` of an action, spread over its clips and over long ones."""
    length = round(_LONGEST_S * clips.rate)
    found = []
    for action in clips.actions:
        parts = []
        for clip in (clip for clip in clips.clips if clip.action == action):
            n_parts = min(each, max(1, len(clip.frames) // length))
            for part in np.array_split(clip.frames, n_parts):
                start = max(0, (len(part) - length) // 2)
                parts.append(part[start : start + length])
        chosen = np.unique(np.linspace(0, len(parts) - 1, min(each, len(parts))).round().astype(int))
        found += [(action, parts[i]) for i in chosen]
    return found


def _likeness(model: STGCN, by_action: Mapping[str, Sequence[Seen]], seed: int) -> dict[str, list[float]]:
    """Mean rank correlation of the joints' shares, at each layer, within and between actions; and of whole maps with
    those of networks of random weights, the sanity check of Adebayo et al. 2018."""
    everyone = [one for of_action in by_action.values() for one in of_action]
    found: dict[str, list[float]] = {SAME: [], OTHER: [], RANDOM: []}
    randoms = [untrained(model, seed + 1 + number) for number in range(_RANDOM_NETWORKS)]
    first = [of_action[0] for of_action in by_action.values()]
    others = [[class_activations(random, one.frames, one.action) for one in first] for random in randoms]
    for at in range(len(model.layers)):
        pairs = [(a, b) for a, b in combinations(everyone, 2)]
        found[SAME].append(_mean(_rank(a.profile(at), b.profile(at)) for a, b in pairs if a.action == b.action))
        found[OTHER].append(_mean(_rank(a.profile(at), b.profile(at)) for a, b in pairs if a.action != b.action))
        found[RANDOM].append(
            _mean(
                _rank(one.activations[at].values.ravel(), maps[at].values.ravel())
                for of_random in others
                for one, maps in zip(first, of_random, strict=True)
            )
        )
    return found


def _rank(a: Array, b: Array) -> float | None:
    """Spearman's correlation; None where one of the two is the same everywhere."""
    x, y = rankdata(a) - (len(a) + 1) / 2, rankdata(b) - (len(b) + 1) / 2
    size = np.sqrt((x @ x) * (y @ y))
    return float(x @ y / size) if size > 0.0 else None


def _mean(values: Iterable[float | None]) -> float:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else 0.0


def _effective(profile: Array) -> float:
    """Joints that a map spreads over: the exponential of the entropy of their shares."""
    positive = profile[profile > 0.0]
    return float(np.exp(-(positive * np.log(positive)).sum())) if len(positive) else 0.0


def _early_middle_late(layers: Sequence[str]) -> tuple[str, ...]:
    """The first, the middle and the last block."""
    blocks = layers[1:]
    return tuple(dict.fromkeys((blocks[0], blocks[len(blocks) // 2], blocks[-1])))


def _two_to_draw(by_action: Mapping[str, Sequence[Seen]]) -> tuple[Seen, Seen]:
    """Of the actions that are recognised, the two whose last maps are least alike; of each its surest clip."""
    best = [max(of_action, key=lambda one: one.probability) for of_action in by_action.values()]
    sure = [one for one in best if one.probability > _SURE and one.activations[-1].values.any()]
    if len(sure) < 2:
        sure = sorted(best, key=lambda one: one.probability)[-2:]

    def overlap(pair: tuple[Seen, Seen]) -> float:
        return float(np.minimum(pair[0].profile(-1), pair[1].profile(-1)).sum())

    return min(combinations(sure, 2), key=overlap)


def _exhibit(
    context: RunContext,
    layers: Sequence[str],
    by_action: Mapping[str, Sequence[Seen]],
    likeness: Mapping[str, Sequence[float]],
    spread: Sequence[float],
    pictures: tuple[Picture, ...],
) -> Exhibit:
    third = max(1, len(layers) // 3)
    early, late = slice(1, 1 + third), slice(-third, None)
    early_other, late_other = (float(np.mean(likeness[OTHER][part])) for part in (early, late))
    early_same, late_same = (float(np.mean(likeness[SAME][part])) for part in (early, late))
    random = float(np.mean(likeness[RANDOM][late]))
    settles = late_same > early_same + _CLEAR
    general = early_other > late_other + _CLEAR
    agreement: Agreement = "agrees" if settles and general else "partly" if settles or general else "disagrees"
    findings = (
        f"Clips of one action agree {_compared(late_same, early_same)} late than early on which joints speak for it: "
        f"the joints' shares correlate by {late_same:.2f} in the last third of the layers and by {early_same:.2f} in "
        f"the first. Clips of different actions agree {_compared(late_other, early_other)} late than early, "
        f"{late_other:.2f} and {early_other:.2f}.",
        f"A map spreads over {spread[1]:.1f} joints' worth after the first block and over {spread[-1]:.1f} after the "
        f"last, of {len(CANONICAL_JOINTS)}.",
        f"Sanity check: maps of the last layers correlate by {random:.2f} with those of networks of random weights"
        + (": they show what was learnt." if abs(random) < _LITTLE else ", so part of them is there without learning."),
    )
    return Exhibit(
        title="Which joints speak for an action, layer by layer (L-STG-GradCAM)",
        paper=_PAPER,
        command=f"kineseg-train interpret gradcam OUT --preset {context.preset}",
        findings=findings,
        agreement=agreement,
        verdict=(
            "The paper: early layers respond to motion in general, late ones to the joints that make the action. Here "
            + (
                "late layers settle on joints of the action"
                if settles
                else "late layers settle on no joints of the action"
            )
            + (", and" if settles == general else ", but")
            + (" early ones are alike for all actions" if general else " early ones are not alike for all actions")
            + f" (correlation of the joints' shares within and between actions: {early_same:.2f} and {early_other:.2f} "
            f"early, {late_same:.2f} and {late_other:.2f} late)."
        ),
        pictures=pictures,
        tables=(_table(layers, by_action),),
        figures={
            "early_within_action": early_same,
            "late_within_action": late_same,
            "early_between_actions": early_other,
            "late_between_actions": late_other,
            "random_network": random,
            "joints_first_block": spread[1],
            "joints_last_block": spread[-1],
        },
    )


def _table(layers: Sequence[str], by_action: Mapping[str, Sequence[Seen]]) -> Table:
    rows: list[tuple[str | float | int, ...]] = []
    for action, clips in by_action.items():
        last = np.mean([one.profile(-1) for one in clips], axis=0)
        first = np.mean([one.profile(1) for one in clips], axis=0)
        top = np.argsort(last)[::-1][:3]
        rows.append(
            (
                _words(action),
                len(clips),
                float(np.mean([one.probability for one in clips])),
                ", ".join(_words(CANONICAL_JOINTS[joint]) for joint in top) if last.any() else "none",
                *(float(100.0 * profile[limbs].sum()) for profile in (first, last) for limbs in (_ARMS, _LEGS)),
            )
        )
    return Table(
        (
            "action",
            "clips",
            "probability",
            "joints that speak for it most (last block)",
            "arms, first block (%)",
            "legs, first block (%)",
            "arms, last block (%)",
            "legs, last block (%)",
        ),
        tuple(rows),
        "Test clips of each action by the maps of its own class: mean probability that the network gives it, the "
        "joints with the largest share after the last block, and the share of arms and of legs after the first and "
        f"the last ({layers[1]} and {layers[-1]}). Of the {len(CANONICAL_JOINTS)} joints {len(_ARMS)} are of arms and "
        f"{len(_LEGS)} of legs.",
    )


def _caption(one: Seen, shown: Sequence[str]) -> str:
    return (
        f"What speaks for “{_words(one.action)}” in a test clip of it (probability {one.probability:.2f}), after an "
        f"early, a middle and a late block ({', '.join(map(_words, shown))}). Left: the body, each joint as large and "
        "as warm as its activation; right: the same for all joints and times, triangles at the moments drawn. By "
        "L-STG-GradCAM: the layer's feature maps weighted by the mean gradient of the action's score, negative parts "
        "cut off; each layer relative to its own largest value."
    )


def _layers_caption(n_clips: int) -> str:
    return (
        f"Maps of {n_clips} test clips of all actions over the layers. Left: how alike the joints' shares in the maps "
        "of two clips are, of one action and of different ones, and how alike whole maps of the trained network and of "
        f"networks of random weights are (mean over {_RANDOM_NETWORKS}; near zero is what a sound method shows). "
        "Right: over how many joints a map spreads (exponential of the entropy of their shares)."
    )


def _compared(late: float, early: float) -> str:
    return "more" if late > early + _CLEAR else "less" if late < early - _CLEAR else "no more"


def _words(name: str) -> str:
    return name.replace("_", " ").replace("block", "block ")
