"""Compare embeddings: ``python -m evaluation.quality.embeddings``. Prints a table; docs/embedding.md says of what."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import torch
from kineseg_core.inference.bundle import packaged_bundle
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from evaluation.quality import sets
from evaluation.quality.embeddings.candidates import CANDIDATES
from evaluation.quality.embeddings.corpus import UNSEEN_SET, cmu_material, generated_material, unseen_streams
from evaluation.quality.embeddings.report import EmbeddingResult, compare, table
from evaluation.quality.embeddings.score import EmbeddingStream
from evaluation.quality.errors import QualityError
from evaluation.quality.metrics import metrics_module

_SETS = ("takes", *(f"tempo-{tempo:g}" for tempo in sets.TEMPOS), "bvh", UNSEEN_SET)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run with `arguments`, those of the process unless given; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m evaluation.quality.embeddings", description=__doc__)
    parser.add_argument("--sets", nargs="+", choices=_SETS, default=_SETS, help="streams to compare on")
    parser.add_argument("--streams", type=int, default=1000, help="at most so many of each set")
    parser.add_argument("--only", nargs="+", default=[], help="candidates whose names contain one of these")
    parser.add_argument("--seeds", type=int, default=2, help="training runs of each encoder")
    parser.add_argument("--steps", type=int, default=300, help="batches of each training run")
    parser.add_argument("--minutes", type=int, default=20, help="generated motion to learn from")
    parser.add_argument("--bundle", type=Path, nargs="+", help="compare with these, not with the one that is shipped")
    parser.add_argument("--out", type=Path, help="write the table there too")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1):
            text = _run(options)
    except QualityError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(text)
    if options.out:
        options.out.write_text(text + "\n")
    return 0


def _run(options: argparse.Namespace) -> str:
    metrics = metrics_module()
    first, *others = CANDIDATES
    chosen = [first, *(c for c in others if not options.only or any(word in c.name for word in options.only))]
    scenes = [scene for name in options.sets for scene in _scenes(name)[: options.streams]]
    rows: list[EmbeddingResult] = []
    learned_from = cmu_material(), generated_material(options.minutes)
    for row in compare(
        _bundles(options.bundle), chosen, scenes, *learned_from, range(options.seeds), options.steps, metrics
    ):
        rows.append(row)
        print(f"{row.name}: bF1 {row.unseen('bf1'):.1f}, MoF {row.unseen('mof'):.1f}", file=sys.stderr, flush=True)
    return table(rows)


def _bundles(named: Sequence[Path] | None) -> Sequence[Path]:
    shipped = packaged_bundle()
    if named is None and shipped is None:
        raise QualityError("the service has no bundle of its own here; `make train-default` writes it")
    return named or [path for path in (shipped,) if path]


def _scenes(name: str) -> list[EmbeddingStream]:
    return [EmbeddingStream.of(stream) for stream in (unseen_streams(16) if name == UNSEEN_SET else sets.load(name))]


if __name__ == "__main__":
    sys.exit(main())
