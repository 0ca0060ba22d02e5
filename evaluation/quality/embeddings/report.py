"""Run the comparison and put it into a table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import ModuleType

import numpy as np
from kineseg_core.segmenter import SegmenterSettings
from kineseg_training.export.step import Step, read_bundle
from kineseg_training.studies.contrastive import Encoder
from numpy.typing import NDArray

from evaluation.quality.embeddings.candidates import Candidate, Embed, learn, learn_on
from evaluation.quality.embeddings.corpus import UNSEEN_SET, Material, both
from evaluation.quality.embeddings.score import EmbeddingStream, figures, means, towards_truth

Array = NDArray[np.float64]
Figures = Mapping[str, float]
ORACLE_METRIC = "oracle: metric learned on these streams' true segments"
ORACLE_HALF = "oracle: half the way to the true segment's mean"
_RESAMPLES = 2000


@dataclass(frozen=True, eq=False)
class EmbeddingResult:
    """One embedding.

    Attributes:
        name: For the table.
        streams: Figures by (set, stream), the mean over seeds.
        spread: Standard deviation over seeds of the mean bF1 over unseen streams; 0 with one seed.
    """

    name: str
    streams: Mapping[tuple[str, str], Figures]
    spread: float = 0.0

    def mean(self, figure: str, group: str) -> float:
        """Over the streams of one of `GROUPS`."""
        return float(np.nanmean([row[figure] for (name, _), row in self.streams.items() if GROUPS[group](name)]))

    def unseen(self, figure: str) -> float:
        """Over groups that nothing was learned from, each weighing the same."""
        return float(np.mean([self.mean(figure, group) for group in self.groups() if group != "takes"]))

    def groups(self) -> list[str]:
        """Groups that it has streams of."""
        return [group for group, holds in GROUPS.items() if any(holds(name) for name, _ in self.streams)]


def _tempo(name: str) -> float:
    return float(name.removeprefix("tempo-")) if name.startswith("tempo-") else 1.0


GROUPS: dict[str, Callable[[str], bool]] = {
    "takes": lambda name: name == "takes",
    "slower": lambda name: _tempo(name) < 1.0,
    "faster": lambda name: _tempo(name) > 1.0,
    "bvh": lambda name: name == "bvh",
    "generated": lambda name: name == UNSEEN_SET,
}


def compare(
    bundles: Sequence[Path],
    candidates: Sequence[Candidate],
    streams: Sequence[EmbeddingStream],
    cmu: Material,
    generated: Material,
    seeds: Sequence[int],
    steps: int,
    metrics: ModuleType,
) -> Iterator[EmbeddingResult]:
    """A row for each bundle and each candidate, and two for oracles, as they come.

    Args:
        bundles: Folders or ``.zip``.
        candidates: Embeddings to learn; the first one, without an encoder and of CMU clips alone, is what the oracle
            moves.
        streams: What to compare them on.
        cmu, generated: What they learn from.
        seeds: Of the encoders; embeddings without one are learned once.
        steps: Most batches of training.
        metrics: The module of metrics.
    """
    settings = SegmenterSettings()
    wide = both(cmu, generated)
    trained: dict[object, dict[object, Encoder]] = {True: {}, False: {}}

    def scored(embed: Embed) -> dict[tuple[str, str], Figures]:
        return {(s.set_name, s.name): figures(s, embed(s.frames), settings, metrics) for s in streams}

    for path in bundles:
        bundle = read_bundle(path)
        name = f"bundle {bundle.manifest.name} {bundle.manifest.version}"
        yield EmbeddingResult(name, scored(partial(_by_step, bundle.step)))
    for candidate in candidates:
        runs = [
            scored(learn(candidate, wide if candidate.generated else cmu, seed, steps, trained[candidate.generated]))
            for seed in (seeds if candidate.encoder is not None else seeds[:1])
        ]
        yield _over_seeds(candidate.name, runs)
    segments = [s.frames[a:b] for s in streams for a, b in s.segments() if b - a > 30]
    yield EmbeddingResult(ORACLE_METRIC, scored(learn_on(segments, cmu)))
    plain = learn(candidates[0], cmu, seeds[0], steps, trained[False])
    halved = {
        (s.set_name, s.name): figures(s, towards_truth(plain(s.frames), s, 0.5), settings, metrics) for s in streams
    }
    yield EmbeddingResult(ORACLE_HALF, halved)


def table(rows: Sequence[EmbeddingResult]) -> str:
    """Markdown. Differences are to the first row, with the standard error that a bootstrap over streams gives."""
    groups = rows[0].groups()
    head = ["embedding", *[f"{group}: bF1 / MoF" for group in groups], "unseen: bF1 (P/R)", "MoF", "MoF, true cuts",
            "bF1 - first row", "scatter %", "uneven", "settling s"]  # fmt: skip
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for row in rows:
        difference, error = paired(rows[0], row)
        seeds = f", seeds ± {row.spread:.1f}" if row.spread else ""
        cells = [
            row.name,
            *[f"{row.mean('bf1', group):.1f} / {row.mean('mof', group):.1f}" for group in groups],
            f"{row.unseen('bf1'):.1f} ({row.unseen('precision'):.0f}/{row.unseen('recall'):.0f})",
            f"{row.unseen('mof'):.1f}",
            f"{row.unseen('mof_true_cuts'):.1f}",
            "" if row is rows[0] else f"{difference:+.1f} ± {error:.1f}{seeds}",
            f"{row.unseen('scatter'):.0f}",
            f"{row.unseen('uneven'):.2f}",
            f"{row.unseen('settling_s'):.2f}",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def paired(first: EmbeddingResult, second: EmbeddingResult, figure: str = "bf1") -> tuple[float, float]:
    """Mean difference on unseen groups, second less first, and its standard error.

    A take counts once, whatever the number of its tempos: they are not independent.
    """
    clusters: dict[str, dict[tuple[bool, str], list[float]]] = {}
    for (set_name, name), row in first.streams.items():
        for group, holds in GROUPS.items():
            if group != "takes" and holds(set_name):
                change = second.streams[set_name, name][figure] - row[figure]
                own = clusters.setdefault(group, {})
                own.setdefault((set_name.startswith("tempo-"), name), []).append(change)
    values = [np.array([np.nanmean(each) for each in own.values()]) for own in clusters.values()]
    rng = np.random.default_rng(0)
    drawn = [np.mean([np.nanmean(rng.choice(each, len(each))) for each in values]) for _ in range(_RESAMPLES)]
    return float(np.mean([np.nanmean(each) for each in values])), float(np.std(drawn))


def _by_step(step: Step, frames: Array) -> Array:
    return np.asarray(step.run(frames).embedding, dtype=np.float64)


def _over_seeds(name: str, runs: Sequence[Mapping[tuple[str, str], Figures]]) -> EmbeddingResult:
    joined = {key: means([run[key] for run in runs]) for key in runs[0]}
    spread = float(np.std([EmbeddingResult(name, run).unseen("bf1") for run in runs])) if len(runs) > 1 else 0.0
    return EmbeddingResult(name, joined, spread)
