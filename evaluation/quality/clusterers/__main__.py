"""Compare clusterers: ``python -m evaluation.quality.clusterers``. Prints the tables of docs/labels.md."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Literal

import numpy as np
import structlog
from kineseg_core.inference.bundle import load_bundle, packaged_bundle
from kineseg_core.segmenter import SegmenterSettings

from evaluation.quality import sets
from evaluation.quality.clusterers.scenes import ClusteringStream, scenes
from evaluation.quality.clusterers.score import LabelScore, contenders, score
from evaluation.quality.errors import QualityError
from evaluation.quality.metrics import metrics_module

# Of bodies, whose actions somebody has named.
_SETS = (
    *(name for name in sets.SETS if sets.SETS[name].family in ("takes", "bvh", "cmu-clips", "generated")),
    "utkinect",
)
_BOUNDARIES: tuple[Literal["true", "found"], ...] = ("true", "found")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run with `arguments`, those of the process unless given; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m evaluation.quality.clusterers", description=__doc__)
    parser.add_argument("--sets", nargs="+", choices=_SETS, help="default: all that have such seeds")
    parser.add_argument("--seeds", choices=("dev", "held-out"), default="dev", help="of the sets that have any")
    parser.add_argument("--streams", type=int, default=1000, help="at most so many of each set")
    parser.add_argument("--bundle", type=Path, help="default: the one that comes with the service")
    parser.add_argument("--into", type=Path, help="put the tables into this page, in place of those that it has")
    options = parser.parse_args(arguments)
    try:
        page = _Page(options.into) if options.into else None
        text = _run(options)
    except QualityError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(text)
    if page:
        page.put(text)
    return 0


def _run(options: argparse.Namespace) -> str:
    path = options.bundle or packaged_bundle()
    if path is None:
        raise QualityError("no bundle comes with this service; give one with --bundle")
    bundle = load_bundle(path)
    calibration = bundle.manifest.calibration
    settings = SegmenterSettings.from_bundle(
        dict(calibration.segmenter),
        log_surprise_median=calibration.log_surprise_median,
        log_surprise_scale=calibration.log_surprise_scale,
    )
    metrics = metrics_module()
    held_out = options.seeds == "held-out"
    chosen = options.sets or [name for name in _SETS if not held_out or sets.SETS[name].seeds]
    by_set: dict[str, list[ClusteringStream]] = {}
    for name in chosen:
        by_set[name] = scenes(sets.load(name, options.seeds)[: options.streams], bundle, settings)
        print(f"{name}: {len(by_set[name])} streams", file=sys.stderr, flush=True)
    return "\n\n".join(_table(by_set, boundaries, settings, metrics) for boundaries in _BOUNDARIES)


def _table(
    by_set: dict[str, list[ClusteringStream]],
    boundaries: Literal["true", "found"],
    settings: SegmenterSettings,
    metrics: ModuleType,
) -> str:
    lines = [
        f"Boundaries: {boundaries}. MoF / ARI in per cent, mean over streams; labels for each true action.",
        "",
        f"| clusterer | {' | '.join(by_set)} | all sets | labels |",
        f"|---|{'---|' * (len(by_set) + 2)}",
    ]
    for name, give in contenders(settings).items():
        cells, rows = [], []
        for group in by_set.values():
            spans = [scene.true if boundaries == "true" else scene.found for scene in group]
            scores = [score(s, span, give(s, span), metrics) for s, span in zip(group, spans, strict=True)]
            rows.append(_mean(scores))
            cells.append(f"{rows[-1].mof:.0f} / {rows[-1].ari:.0f}")
        every = _mean(rows)
        cells += [f"{every.mof:.1f} / {every.ari:.1f}", f"{every.labels_per_action:.1f}"]
        lines.append(f"| {name} | {' | '.join(cells)} |")
        print(f"{boundaries}: {name}", file=sys.stderr, flush=True)
    return "\n".join(lines)


def _mean(scores: Sequence[LabelScore]) -> LabelScore:
    rows = np.array([(s.mof, s.ari, s.labels_per_action) for s in scores])
    return LabelScore(*rows.mean(axis=0).tolist())


class _Page:
    """A page with a place for the tables, between two comments."""

    _BEGIN, _END = "<!-- tables -->\n", "<!-- end of tables -->\n"

    def __init__(self, path: Path) -> None:
        self._path = path
        text = path.read_text() if path.is_file() else ""
        before, begin, rest = text.partition(self._BEGIN)
        _, end, after = rest.partition(self._END)
        if not begin or not end:
            raise QualityError(f"{path}: there is no {self._BEGIN.strip()} ... {self._END.strip()} in it; put them in")
        self._before, self._after = before + begin, end + after

    def put(self, tables: str) -> None:
        self._path.write_text(f"{self._before}\n{tables}\n\n{self._after}")


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    sys.exit(main())
