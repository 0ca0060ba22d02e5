"""What the encoder is asked for: to say what comes, and to put the frames of one action near each other."""

from __future__ import annotations

import torch
from torch import Tensor

# What lies further from the present, in standard deviations of a channel, is not worth more.
_FARTHEST = 4.0


def prediction_loss(ahead: Tensor, frames: Tensor, action: Tensor, horizons: tuple[int, ...], warm_up: int) -> Tensor:
    """Squared error of the change until each horizon, relative to that of predicting none, summed over horizons.

    What comes after a join cannot be known, so only targets within the action of the frame count.

    Args:
        ahead: ``(B, T, K, C)`` predicted changes.
        frames: ``(B, T, C)`` normalised channels.
        action: ``(B, T)``.
        horizons: K numbers of frames.
        warm_up: Frames at the start that do not count.
    """
    total = ahead.new_zeros(())
    for k, horizon in enumerate(horizons):
        change = (frames[:, horizon:] - frames[:, :-horizon]).clamp(-_FARTHEST, _FARTHEST)[:, warm_up:]
        counts = (action[:, horizon:] == action[:, :-horizon])[:, warm_up:]
        error = (ahead[:, :-horizon, k][:, warm_up:] - change)[counts].square().mean()
        total = total + error / change[counts].square().mean()
    return total


def contrastive_loss(
    points: Tensor, action: Tensor, kind: Tensor, time: Tensor, *, temperature: float, apart: int
) -> Tensor:
    """InfoNCE over frames (van den Oord, Li & Vinyals 2018; several positives as in Khosla et al. 2020).

    Positives are frames of the same action of the same stream at least `apart` frames away (that motion is smooth
    tells nothing about actions); negatives are frames of other actions, unless they are of the same kind: a walk in
    another stream is neither the same as this walk nor something else. Similarity is minus the squared distance over
    `temperature`, so distances have a unit, which a cosine would not give them.

    Args:
        points: ``(N, E)``.
        action: ``(N,)`` numbers that differ between streams too.
        kind: ``(N,)``; -1 is of no kind but its own.
        time: ``(N,)`` frame in its stream.
        temperature: Squared distance at which two frames begin to be told apart.
        apart: Frames.
    """
    similarity = torch.cdist(points, points).square() / -temperature
    same = action[:, None] == action
    positive = same & ((time[:, None] - time).abs() >= apart)
    negative = ~same & ((kind[:, None] != kind) | (kind < 0))
    score = similarity.masked_fill(~(positive | negative), -torch.inf)
    counts = positive.sum(dim=1)
    asked = (counts > 0) & negative.any(dim=1)
    if not asked.any():
        return points.new_zeros(())
    log_share = (score - torch.logsumexp(score, dim=1, keepdim=True))[asked]
    return -(log_share.masked_fill(~positive[asked], 0.0).sum(dim=1) / counts[asked]).mean()


def scatter_loss(points: Tensor, action: Tensor) -> tuple[Tensor, Tensor]:
    """How unequal the scatter of actions is, and how far the total variance is from 1.

    The first is the variance, over actions, of the logarithm of the variance within the action: actions that
    scatter alike need one threshold and not one each. The second keeps the whole from shrinking or growing (the
    variance term of VICReg; Bardes, Ponce & LeCun 2022).

    Args:
        points: ``(N, E)``.
        action: ``(N,)``.
    """
    logarithms = []
    for number in torch.unique(action):
        own = points[action == number]
        if len(own) > 3:
            logarithms.append(own.var(dim=0).sum().clamp(min=1e-6).log())
    unequal = torch.stack(logarithms).var() if len(logarithms) > 1 else points.new_zeros(())
    return unequal, (points.var(dim=0).sum() - 1.0).square()
