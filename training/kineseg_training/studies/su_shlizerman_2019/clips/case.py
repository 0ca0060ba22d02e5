"""One concatenation from end to end: train on it, cut it, cluster the states, score, and compare with simpler ways."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.cluster import KMeans

from kineseg_training.loop import Course, LoopSettings, train
from kineseg_training.models.su_shlizerman import TiedSeq2Seq
from kineseg_training.studies.exhibit import Place
from kineseg_training.studies.su_shlizerman_2019.clips.concatenate import Concatenation
from kineseg_training.studies.su_shlizerman_2019.clips.cutting import Cutting, find_cuts, window_errors
from kineseg_training.studies.su_shlizerman_2019.clustering import LINKAGES, Linkage, merge_tree, segment_means
from kineseg_training.studies.su_shlizerman_2019.presets import BaselineSettings
from kineseg_training.studies.su_shlizerman_2019.scores import CutScores, Scores, score, score_cuts
from kineseg_training.studies.su_shlizerman_2019.task import TiedTask

# A cut counts as found within a quarter of a second.
TOLERANCE_S = 0.25
# Cut where the error of a window is so many times the median window's. The authors' script has a constant (1) and
# their notes another one for every concatenation.
THRESHOLD = 3.0
OTHER_THRESHOLDS = (1.5, 2.0, 4.0, 6.0)

SINGLE_POSES, K_MEANS_POSES = "poses, single linkage", "poses, k-means"
UNTRAINED, ENCODER = "untrained network, decoder states", "encoder states"


@dataclass(frozen=True, eq=False)
class CaseResult:
    """What was found in one concatenation of K actions.

    Attributes:
        sequence: The concatenation.
        cutting: The pass at `THRESHOLD`.
        labels: By linkage, ``(T,)`` labels of the clusters of decoder states, their number told.
        told: By linkage, scores of those.
        found: By linkage, number of clusters and scores where the number is not told but the distance is that of the
            widest gap.
        segments: By linkage, scores of clusters of the mean states of the segments found, their number told.
        cuts: By threshold, agreement of the cuts.
        others: By name, scores of simpler ways and of other states, the number of clusters told.
        course: Of the training.
    """

    sequence: Concatenation
    cutting: Cutting
    labels: Mapping[Linkage, NDArray[np.int64]]
    told: Mapping[Linkage, Scores]
    found: Mapping[Linkage, tuple[int, Scores]]
    segments: Mapping[Linkage, Scores]
    cuts: Mapping[float, CutScores]
    others: Mapping[str, Scores]
    course: Course


def run_case(sequence: Concatenation, settings: BaselineSettings, folder: Path, place: Place) -> CaseResult:
    """Train in `folder` (or go on with, or read, what is there) on the whole sequence, then do the rest.

    Raises:
        DataError: The sequence is shorter than a window.
        CheckpointError: The folder holds another run.
    """
    task = TiedTask([sequence.frames], settings, seed=place.seed)
    untrained = _states_without_cuts(task.predictor, sequence)
    loop = LoopSettings(settings.iterations, settings.validate_every, device=place.device, seed=place.seed)
    saved = train(task, loop, folder, resume=True, progress=place.progress)
    model = task.predictor
    true, number = sequence.labels(), len(sequence.actions)
    usual = float(np.median(window_errors(model, sequence.frames, settings.source)))
    cutting = find_cuts(model, sequence.frames, THRESHOLD * usual)
    tolerance = TOLERANCE_S * sequence.rate
    cuts = {THRESHOLD: score_cuts(sequence.boundaries(), cutting.cuts, tolerance)}
    for factor in OTHER_THRESHOLDS:
        again = find_cuts(model, sequence.frames, factor * usual)
        cuts[factor] = score_cuts(sequence.boundaries(), again.cuts, tolerance)
    labels, told, found, segments = {}, {}, {}, {}
    means, row = segment_means(cutting.states, cutting.segment_of())
    for method in LINKAGES:
        tree = merge_tree(cutting.states, method)
        labels[method] = cutting.fill(tree.into(number))
        told[method] = score(true, labels[method])
        free = tree.within(tree.gap())
        found[method] = len(np.unique(free)), score(true, cutting.fill(free))
        segments[method] = score(true, cutting.fill(merge_tree(means, method).into(number)[row]))
    others = {
        SINGLE_POSES: score(true, merge_tree(_normalised(model, sequence), "single").into(number)),
        K_MEANS_POSES: score(true, _k_means(_normalised(model, sequence), number, place.seed)),
        UNTRAINED: score(true, untrained.fill(merge_tree(untrained.states, "single").into(number))),
        ENCODER: score(true, merge_tree(_encoder_states(model, sequence), "single").into(number)),
    }
    return CaseResult(
        sequence, cutting, labels, told, found, segments, dict(sorted(cuts.items())), others, saved.course
    )


def _states_without_cuts(model: TiedSeq2Seq, sequence: Concatenation) -> Cutting:
    return find_cuts(model.eval(), sequence.frames, float("inf"))


@torch.no_grad()
def _encoder_states(model: TiedSeq2Seq, sequence: Concatenation) -> NDArray[np.float32]:
    """``(T, H)``: while reading the whole sequence."""
    clip = torch.from_numpy(_normalised(model, sequence)).to(model.mean.device)
    states, _ = model.encode(clip[None])
    return states[0].cpu().numpy()


@torch.no_grad()
def _normalised(model: TiedSeq2Seq, sequence: Concatenation) -> NDArray[np.float32]:
    """``(T, C)``."""
    frames = torch.from_numpy(sequence.frames.astype(np.float32)).to(model.mean.device)
    return model.normalise(frames).cpu().numpy()


def _k_means(frames: NDArray[np.float32], number: int, seed: int) -> NDArray[np.int64]:
    return np.asarray(KMeans(number, n_init=10, random_state=seed).fit_predict(frames), dtype=np.int64)
