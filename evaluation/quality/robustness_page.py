"""The page on robustness, out of the figures."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from kineseg.v1.bundle_pb2 import BundleManifest

from evaluation.quality.perturb import EPISODE_S, EVERY_S, Perturbation
from evaluation.quality.robustness_measure import Change

_INTRODUCTION = """# Robustness of the result

The same motion under other circumstances, through the real server: how far do boundaries and labels change? Written by
`python -m evaluation.quality.robustness` with the model {name} {version}.

{streams} streams ({sets}) are segmented as they
are, and again under each circumstance. **kept** is the share of the boundaries of the first result that have a partner
within 0.5 s in the second, **F1** counts additional boundaries too,
**worst** is the lowest F1 of one stream, **ARI** compares the labels over time. **bF1** and **MoF** say by how many
points the mean against the truth changes. All in per cent; final decisions, default latency, times of the motion as it
is played. A stream has five to fifteen boundaries, so that one that moves is seen at once.

"""
_REMARKS = """
What to know of some:

- *turned, moved, size*: the canonical pose is relative to the body. *mirrored*: the embedding was learned from each
  clip and its mirror image; distances between mirror images are those between the originals.
- *rate*: frames are brought to the model's rate, by means from faster sources and by interpolation from slower ones.
- *dropped*: frames are left out at random; the service fills them, and the canonical pose takes speeds across the hole,
  by frame numbers or capture times. *jitter-stamps*: the clock is wrong, not the capture; *jitter-capture*: frames are
  captured off the beat, and their times are right.
- *joint-lost*, *joint-frozen*: a wrist, elbow, knee or ankle, another each time, {episode:g} s in every {every:g} s. A
  joint that is lost (NaN) keeps its place relative to the body, and `missing_values` events report it. One that is
  *frozen* in the room while the body walks on looks like strange motion: of the two a source had better send NaN.
- *tempo*: this is another motion, whose actions take longer or shorter against the fixed times of the method.

`tests/evaluation/quality/test_robustness.py` bounds this on generated streams.
"""


def page(changes: Sequence[Change], perturbations: Sequence[Perturbation], *, model: BundleManifest) -> str:
    """The page as Markdown."""
    sets = list(dict.fromkeys(change.stream[0] for change in changes))
    streams = {change.stream for change in changes}
    counted = ", ".join(f"{sum(stream[0] == name for stream in streams)} of the set `{name}`" for name in sets)
    introduction = _INTRODUCTION.format(name=model.name, version=model.version, streams=len(streams), sets=counted)
    remarks = _REMARKS.format(episode=EPISODE_S, every=EVERY_S)
    return introduction + "\n".join(_table(changes, perturbations, sets)) + "\n" + remarks


def _table(changes: Sequence[Change], perturbations: Sequence[Perturbation], sets: Sequence[str]) -> list[str]:
    names = ["circumstance", "", "kept", "F1", "worst", "ARI", "bF1", "MoF", *(f"F1 {name}" for name in sets)]
    rows = ["| " + " | ".join(names) + " |", "|---|---|" + "---:|" * (len(names) - 2)]
    for perturbation in perturbations:
        these = [change for change in changes if change.perturbation == perturbation.name]
        if not these:
            continue
        cells = [
            perturbation.name,
            perturbation.what,
            f"{_mean(these, lambda c: c.agreement.kept):.1f}",
            f"{_mean(these, lambda c: c.agreement.f1):.1f}",
            f"{100.0 * min(change.agreement.f1 for change in these):.0f}",
            f"{_mean(these, lambda c: c.agreement.ari):.1f}",
            f"{_mean(these, lambda c: c.bf1 - c.bf1_before):+.1f}",
            f"{_mean(these, lambda c: c.mof - c.mof_before):+.1f}",
        ]
        for name in sets:
            own = [change for change in these if change.stream[0] == name]
            cells.append(f"{_mean(own, lambda c: c.agreement.f1):.1f}" if own else "-")
        rows.append("| " + " | ".join(cells) + " |")
    return rows


def _mean(changes: Sequence[Change], value: Callable[[Change], float]) -> float:
    return 100.0 * float(np.mean([value(change) for change in changes]))
