"""One concatenation from end to end: train on it, cut it, cluster the states, score, and compare with simpler ways."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.cluster import KMeans

from kineseg_training.errors import DataError
from kineseg_training.loop import Course, LoopSettings, train
from kineseg_training.models.su_shlizerman import TiedSeq2Seq, decode
from kineseg_training.studies.exhibit import RunContext
from kineseg_training.studies.su_shlizerman_2019.clips.data import Concatenation
from kineseg_training.studies.su_shlizerman_2019.clusters import (
    LINKAGES,
    CutScores,
    Linkage,
    Scores,
    merge_tree,
    score,
    score_cuts,
    segment_means,
)
from kineseg_training.studies.su_shlizerman_2019.task import BaselineSettings, TiedTask

# A cut counts as found within a quarter of a second.
TOLERANCE_S = 0.25
# Cut where the error of a window is so many times the median window's. The authors' script has a constant (1) and
# their notes another one for every concatenation.
THRESHOLD = 3.0
OTHER_THRESHOLDS = (1.5, 2.0, 4.0, 6.0)
SINGLE_POSES, K_MEANS_POSES = "poses, single linkage", "poses, k-means"
UNTRAINED, ENCODER = "untrained network, decoder states", "encoder states"


@dataclass(frozen=True, eq=False)
class Cutting:
    """What one pass over T frames found.

    Attributes:
        cuts: First frames of the segments found, without the first.
        threshold: Above which mean squared error of a window a cut was made.
        starts: ``(W,)`` first frames of the windows, in order.
        errors: ``(W,)`` mean squared error of each.
        frames: ``(K,)`` the frames that were decoded before a cut, increasing.
        states: ``(K, H)`` decoder states that they were predicted from.
        frame_errors: ``(K,)`` mean absolute error of each.
        n_frames: T.
    """

    cuts: tuple[int, ...]
    threshold: float
    starts: NDArray[np.int64]
    errors: NDArray[np.float64]
    frames: NDArray[np.int64]
    states: NDArray[np.float32]
    frame_errors: NDArray[np.float64]
    n_frames: int

    def segment_of(self) -> NDArray[np.int64]:
        """``(K,)``: which of the segments found each decoded frame lies in."""
        return np.searchsorted(np.array(self.cuts, dtype=np.int64), self.frames, side="right")

    def fill(self, labels: NDArray[np.int64]) -> NDArray[np.int64]:
        """Labels of decoded frames ``(K,)`` to labels of all frames ``(T,)``.

        The frames that the predictor only reads at the beginning of a found segment get the label of the first decoded
        one there; where none was decoded, and at the end of the sequence, the label before goes on. No true boundary is
        used.
        """
        edges = np.array([0, *self.cuts, self.n_frames])
        segment = np.searchsorted(edges[1:-1], np.arange(self.n_frames), side="right")
        before = np.searchsorted(self.frames, np.arange(self.n_frames), side="right") - 1
        after = np.minimum(before + 1, len(self.frames) - 1)
        own = self.segment_of()
        here = (before >= 0) & (own[before] == segment)
        next_is_here = (own[after] == segment) & (after > before)
        chosen = np.where(here, before, np.where(next_is_here | (before < 0), after, before))
        return labels[chosen]


def window_errors(model: TiedSeq2Seq, frames: NDArray[np.floating], every: int) -> NDArray[np.float64]:
    """``(W,)``: mean squared error of normalised channels in windows that begin `every` frames apart.

    Args:
        model: In eval mode.
        frames: ``(T, C)`` channels, not normalised.
        every: Frames between starts.

    Raises:
        DataError: Fewer frames than a window.
    """
    clip = _normalised(model, frames)
    source, target = model.settings.source, model.settings.target
    starts = np.arange(0, len(clip) - source - target + 1, every)
    rows = torch.from_numpy(starts[:, None] + np.arange(source + target))
    windows = clip[rows]
    predicted = decode(model, windows[:, :source], target).predictions
    errors: NDArray[np.float64] = ((predicted - windows[:, source:].numpy()) ** 2).mean(axis=(1, 2), dtype=np.float64)
    return errors


def find_cuts(model: TiedSeq2Seq, frames: NDArray[np.floating], threshold: float) -> Cutting:
    """Go through the sequence in windows, so that from the S-th on each frame is predicted by one of them.

    Where the mean squared error of a window is above the threshold, a segment ends at the predicted frame with the
    largest mean absolute error; the states from there on are dropped and the next window starts there.

    Args:
        model: In eval mode.
        frames: ``(T, C)`` channels, not normalised.
        threshold: See `threshold_for`.

    Raises:
        DataError: Fewer frames than a window.
    """
    clip = _normalised(model, frames)
    source, target = model.settings.source, model.settings.target
    start, cuts = 0, []
    starts, errors, where, states, frame_errors = [], [], [], [], []
    while start + source + target <= len(clip):
        truth = clip[start + source : start + source + target].numpy()
        decoded = decode(model, clip[None, start : start + source], target)
        miss = decoded.predictions[0] - truth
        error, per_frame = float((miss**2).mean()), np.abs(miss).mean(axis=1)
        starts.append(start)
        errors.append(error)
        # Every frame is predicted by one window: this one's part ends where the next one's begins.
        kept = step = min(source, target)
        if error > threshold:
            kept = int(per_frame.argmax())
            step = source + kept
            cuts.append(start + step)
        where.append(start + source + np.arange(kept))
        states.append(decoded.states[0, :kept])
        frame_errors.append(per_frame[:kept])
        start += step
    return Cutting(
        tuple(cuts),
        threshold,
        np.array(starts),
        np.array(errors),
        np.concatenate(where),
        np.concatenate(states),
        np.concatenate(frame_errors).astype(np.float64),
        len(clip),
    )


def _normalised(model: TiedSeq2Seq, frames: NDArray[np.floating]) -> torch.Tensor:
    window = model.settings.source + model.settings.target
    if len(frames) < window:
        raise DataError(f"{len(frames)} frames are shorter than a window of {window}; read or predict fewer")
    raw = torch.from_numpy(np.asarray(frames, dtype=np.float32)).to(model.mean.device)
    return model.normalise(raw).cpu()


@dataclass(frozen=True, eq=False)
class CaseResult:
    """What was found in one concatenation of K actions.

    Attributes:
        sequence: The concatenation.
        cutting: The pass at `THRESHOLD`.
        labels: By linkage, ``(T,)`` labels of the clusters of decoder states, their number given.
        given: By linkage, scores of those.
        found: By linkage, number of clusters and scores where the number is not given but the distance is that of the
            widest gap.
        segments: By linkage, scores of clusters of the mean states of the segments found, their number given.
        cuts: By threshold, agreement of the cuts.
        others: By name, scores of simpler ways and of other states, the number of clusters given.
        course: Of the training.
    """

    sequence: Concatenation
    cutting: Cutting
    labels: Mapping[Linkage, NDArray[np.int64]]
    given: Mapping[Linkage, Scores]
    found: Mapping[Linkage, tuple[int, Scores]]
    segments: Mapping[Linkage, Scores]
    cuts: Mapping[float, CutScores]
    others: Mapping[str, Scores]
    course: Course


def run_case(sequence: Concatenation, settings: BaselineSettings, folder: Path, context: RunContext) -> CaseResult:
    """Train in `folder` (or go on with, or read, what is there) on the whole sequence, then do the rest.

    Raises:
        DataError: The sequence is shorter than a window.
        CheckpointError: The folder holds another run.
    """
    task = TiedTask([sequence.frames], settings, seed=context.seed)
    untrained = _states_without_cuts(task.predictor, sequence)
    loop = LoopSettings(settings.iterations, settings.validate_every, device=context.device, seed=context.seed)
    saved = train(task, loop, folder, resume=True, progress=context.progress)
    model = task.predictor
    true, number = sequence.labels(), len(sequence.actions)
    usual = float(np.median(window_errors(model, sequence.frames, settings.source)))
    cutting = find_cuts(model, sequence.frames, THRESHOLD * usual)
    tolerance = TOLERANCE_S * sequence.rate
    cuts = {THRESHOLD: score_cuts(sequence.boundaries(), cutting.cuts, tolerance)}
    for factor in OTHER_THRESHOLDS:
        again = find_cuts(model, sequence.frames, factor * usual)
        cuts[factor] = score_cuts(sequence.boundaries(), again.cuts, tolerance)
    labels, given, found, segments = {}, {}, {}, {}
    means, row = segment_means(cutting.states, cutting.segment_of())
    for method in LINKAGES:
        tree = merge_tree(cutting.states, method)
        labels[method] = cutting.fill(tree.into(number))
        given[method] = score(true, labels[method])
        free = tree.within(tree.gap())
        found[method] = len(np.unique(free)), score(true, cutting.fill(free))
        segments[method] = score(true, cutting.fill(merge_tree(means, method).into(number)[row]))
    others = {
        SINGLE_POSES: score(true, merge_tree(_poses(model, sequence), "single").into(number)),
        K_MEANS_POSES: score(true, _k_means(_poses(model, sequence), number, context.seed)),
        UNTRAINED: score(true, untrained.fill(merge_tree(untrained.states, "single").into(number))),
        ENCODER: score(true, merge_tree(_encoder_states(model, sequence), "single").into(number)),
    }
    return CaseResult(
        sequence, cutting, labels, given, found, segments, dict(sorted(cuts.items())), others, saved.course
    )


def _states_without_cuts(model: TiedSeq2Seq, sequence: Concatenation) -> Cutting:
    return find_cuts(model.eval(), sequence.frames, float("inf"))


@torch.no_grad()
def _encoder_states(model: TiedSeq2Seq, sequence: Concatenation) -> NDArray[np.float32]:
    """``(T, H)``: while reading the whole sequence."""
    clip = torch.from_numpy(_poses(model, sequence)).to(model.mean.device)
    states, _ = model.encode(clip[None])
    return states[0].cpu().numpy()


@torch.no_grad()
def _poses(model: TiedSeq2Seq, sequence: Concatenation) -> NDArray[np.float32]:
    """``(T, C)``."""
    frames = torch.from_numpy(sequence.frames.astype(np.float32)).to(model.mean.device)
    return model.normalise(frames).cpu().numpy()


def _k_means(frames: NDArray[np.float32], number: int, seed: int) -> NDArray[np.int64]:
    return np.asarray(KMeans(number, n_init=10, random_state=seed).fit_predict(frames), dtype=np.int64)
