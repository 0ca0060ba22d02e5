"""What each part of the method buys: the segmenter with one thing changed, on seeds that nothing was tuned on.

    python -m evaluation.quality.ablation --into docs/method.md

The segmenter runs in this process on the embeddings of the shipped bundle.
"""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from kineseg_core.inference.bundle import load_bundle, packaged_bundle
from kineseg_core.segmenter import (
    SegmentEnd,
    Segmenter,
    SegmenterSettings,
    SegmentRetract,
    SegmentStart,
    SegmentUpdate,
)
from kineseg_training.default.boundary_classifiers.streams import embed
from numpy.typing import NDArray
from tqdm import tqdm

from evaluation.quality.errors import QualityError
from evaluation.quality.scores import Prediction, StreamScore, score_stream
from evaluation.quality.sets import SETS, Seeds, load
from evaluation.quality.stream import AnnotatedStream

Array = NDArray[np.float64]

BEGIN, END = "<!-- ablation -->", "<!-- /ablation -->"
DEFAULT = SegmenterSettings()
VARIANTS: dict[str, SegmenterSettings] = {
    "as shipped": DEFAULT,
    "final classifier not asked (every candidate is confirmed)": dataclasses.replace(DEFAULT, confirm_at=0.0),
    "the same, penalty 1.75 instead of 1.2": dataclasses.replace(DEFAULT, confirm_at=0.0, penalty=1.75),
    "the same, penalty 2.5": dataclasses.replace(DEFAULT, confirm_at=0.0, penalty=2.5),
    "unit of the penalty: median gain, not upper quartile": dataclasses.replace(
        DEFAULT, gain_quantile=0.5, penalty=2.4
    ),
    "kernel four times as wide": dataclasses.replace(DEFAULT, bandwidth=2.0),
    "latency 2 s": DEFAULT,
    "latency 8 s": DEFAULT,
}
LATENCY_S = {"latency 2 s": 2.0, "latency 8 s": 8.0}


@dataclass(frozen=True, eq=False)
class Embedded:
    """A stream as the segmenter sees it: embedding (T, E) and surprise (T,) at `rate` frames a second."""

    stream: AnnotatedStream
    embedding: Array
    surprise: Array
    rate: float


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse, run, print, write."""
    parser = argparse.ArgumentParser(prog="python -m evaluation.quality.ablation", description=__doc__)
    parser.add_argument(
        "--sets", nargs="+", default=["bvh", "generated"], choices=[k for k, v in SETS.items() if v.seeds]
    )
    parser.add_argument("--seeds", default="held-out", choices=["dev", "held-out"])
    parser.add_argument("--into", type=Path, help=f"write the table between {BEGIN} and {END} of this file")
    options = parser.parse_args(arguments)
    table = ablation(options.sets, options.seeds, VARIANTS)
    print(table)
    if options.into is not None:
        _insert(options.into, table)


def ablation(sets: Sequence[str], seeds: Seeds, variants: dict[str, SegmenterSettings]) -> str:
    """The table, in Markdown: a row each variant, the mean over streams of each set."""
    path = packaged_bundle()
    if path is None:
        raise QualityError("the service has no packaged bundle; make train-default writes it")
    bundle = load_bundle(path)
    embedded = {
        name: [Embedded(s, *embed(bundle, s.recording), bundle.frame_rate_hz) for s in load(name, seeds)]
        for name in tqdm(sets, desc="streams")
    }
    head = "".join(f" {name}: final bF1 (P/R) | MoF | provisional bF1 (P/R), delay |" for name in sets)
    lines = [f"| variant |{head}", "|---|" + "---:|---:|---:|" * len(sets)]
    for variant, settings in tqdm(variants.items(), desc="variants"):
        latency_s = LATENCY_S.get(variant, 4.0)
        cells = [_cells([resegment(e, settings, latency_s) for e in embedded[name]]) for name in sets]
        lines.append(f"| {variant} |{''.join(cells)}")
    return "\n".join(lines)


def resegment(embedded: Embedded, settings: SegmenterSettings, latency_s: float) -> tuple[StreamScore, StreamScore]:
    """(final, provisional) scores of one stream."""
    segmenter = Segmenter(settings, embedded.embedding.shape[1], embedded.rate, latency_s)
    confirmed: dict[int, tuple[int, int]] = {}
    first: dict[int, tuple[int, int]] = {}
    last = len(embedded.embedding) - 1
    labels = np.zeros(last + 1, dtype=np.int64)
    for now in range(last + 2):
        ended = now > last
        decisions = segmenter.finish() if ended else segmenter.update(
            embedded.embedding[now].astype(np.float32), float(embedded.surprise[now])
        )  # fmt: skip
        for decision in decisions:
            at = (getattr(decision, "index", 0), min(now, last))
            match decision:
                case SegmentStart():
                    first[decision.segment_id] = at
                    if decision.confirmed:
                        confirmed[decision.segment_id] = at
                case SegmentUpdate(confirmed=True):
                    confirmed[decision.segment_id] = at
                case SegmentEnd():
                    labels[decision.start : decision.end] = decision.label
                case SegmentRetract():
                    pass  # what was emitted wrongly still counts as emitted
    return _scored(embedded, confirmed.values(), labels), _scored(embedded, first.values(), None)


def _scored(embedded: Embedded, pairs: Iterable[tuple[int, int]], labels: NDArray[np.int64] | None) -> StreamScore:
    stream, scale = embedded.stream, embedded.stream.rate / embedded.rate
    in_frames = [(round(frame * scale), min(round(emitted * scale), stream.n_frames - 1)) for frame, emitted in pairs]
    if labels is not None:
        labels = labels[np.minimum(np.arange(stream.n_frames) / scale, len(labels) - 1).astype(np.int64)]
    return score_stream(stream, Prediction.of(in_frames, stream.n_frames, labels))


def _cells(scores: Sequence[tuple[StreamScore, StreamScore]]) -> str:
    final, provisional = zip(*scores, strict=True)
    delay = np.median([delay for score in provisional for delay in score.delays_s])
    return (
        f" {_mean(final, 'bf1')} ({_mean(final, 'precision')}/{_mean(final, 'recall')}) | {_mean(final, 'mof')} |"
        f" {_mean(provisional, 'bf1')} ({_mean(provisional, 'precision')}/{_mean(provisional, 'recall')}),"
        f" {delay:.1f} s |"
    )


def _mean(scores: Sequence[StreamScore], figure: str) -> str:
    return f"{100 * np.mean([score.shares[figure] for score in scores]):.0f}"


def _insert(path: Path, table: str) -> None:
    text = path.read_text()
    if BEGIN not in text or END not in text:
        raise QualityError(f"{path}: has no {BEGIN} ... {END} to write the table between")
    before, rest = text.split(BEGIN, 1)
    path.write_text(f"{before}{BEGIN}\n\n{table}\n\n{END}{rest.split(END, 1)[1]}")


if __name__ == "__main__":
    main()
