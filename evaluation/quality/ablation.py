"""What each part of the method buys: the segmenter with one thing changed, on seeds that nothing was tuned on.

    python -m evaluation.quality.ablation --into docs/method.md

The segmenter runs in this process on the embeddings of the shipped bundle.
"""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from kineseg_core.boundary_network import OperatingPoint, packaged_network
from kineseg_core.inference.bundle import load_bundle, packaged_bundle
from kineseg_core.segmenter import SegmentEnd, SegmenterSettings, SegmentRetract, SegmentStart, SegmentUpdate
from numpy.typing import NDArray
from tqdm import tqdm

from evaluation.quality.errors import QualityError
from evaluation.quality.markers import insert
from evaluation.quality.scores import Prediction, StreamScore, score_stream
from evaluation.quality.segmented import Embedded, decisions
from evaluation.quality.sets import SETS, Seeds, load
from evaluation.quality.stream import AnnotatedStream

MARKER = "ablation"


@dataclass(frozen=True)
class Variant:
    """The segmenter with one thing changed.

    Attributes:
        point: The operating point.
        latency_s: Budget of final decisions.
        without_embedding: Posture stands for the model's embedding.
    """

    point: OperatingPoint = packaged_network().operating_point
    latency_s: float = 4.0
    without_embedding: bool = False


def _point(**changed: float) -> OperatingPoint:
    return dataclasses.replace(packaged_network().operating_point, **changed)  # type: ignore[arg-type]


VARIANTS: dict[str, Variant] = {
    "as shipped": Variant(),
    "threshold 0.2": Variant(packaged_network().operating_point.at(0.2)),
    "threshold 0.6": Variant(packaged_network().operating_point.at(0.6)),
    "never final early": Variant(_point(margin=1.0, surest=1.0)),
    "posture instead of the embedding": Variant(without_embedding=True),
    "latency 1 s": Variant(latency_s=1.0),
    "latency 2 s": Variant(latency_s=2.0),
}


@dataclass(frozen=True, eq=False)
class Scene:
    """A stream with its truth, and as the segmenter sees it."""

    stream: AnnotatedStream
    embedded: Embedded


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse, run, print, write."""
    parser = argparse.ArgumentParser(prog="python -m evaluation.quality.ablation", description=__doc__)
    parser.add_argument(
        "--sets", nargs="+", default=["bvh", "generated"], choices=[k for k, v in SETS.items() if v.seeds]
    )
    parser.add_argument("--seeds", default="held-out", choices=["dev", "held-out"])
    parser.add_argument("--into", type=Path, help=f"write the table into this page, at <!-- {MARKER} -->")
    options = parser.parse_args(arguments)
    table = ablation(options.sets, options.seeds, VARIANTS)
    print(table)
    if options.into is not None:
        insert(options.into, MARKER, table)


def ablation(sets: Sequence[str], seeds: Seeds, variants: Mapping[str, Variant]) -> str:
    """The table, in Markdown: a row each variant, the mean over streams of each set."""
    path = packaged_bundle()
    if path is None:
        raise QualityError("the service has no packaged bundle; make train-default writes it")
    bundle = load_bundle(path)
    scenes = {
        name: [Scene(stream, Embedded.of(bundle, stream.recording)) for stream in load(name, seeds)]
        for name in tqdm(sets, desc="streams")
    }
    head = "".join(f" {name}: final bF1 (P/R) | MoF | provisional bF1 (P/R), delay |" for name in sets)
    lines = [f"| variant |{head}", "|---|" + "---:|---:|---:|" * len(sets)]
    for name, variant in tqdm(variants.items(), desc="variants"):
        cells = [_cells([resegment(scene, variant) for scene in scenes[each]]) for each in sets]
        lines.append(f"| {name} |{''.join(cells)}")
    return "\n".join(lines)


def resegment(scene: Scene, variant: Variant) -> tuple[StreamScore, StreamScore]:
    """(final, provisional) scores of one stream."""
    embedded = scene.embedded
    if variant.without_embedding:
        embedded = dataclasses.replace(embedded, embedding=embedded.embedding[:, :0])
    confirmed: dict[int, tuple[int, int]] = {}
    first: dict[int, tuple[int, int]] = {}
    labels = np.zeros(len(embedded.frames), dtype=np.int64)
    given = decisions(embedded, SegmenterSettings(), point=variant.point, latency_s=variant.latency_s)
    for now, decision in given:
        at = (getattr(decision, "index", 0), now)
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
    return _scored(scene, confirmed.values(), labels), _scored(scene, first.values(), None)


def _scored(scene: Scene, pairs: Iterable[tuple[int, int]], labels: NDArray[np.int64] | None) -> StreamScore:
    stream, scale = scene.stream, scene.stream.rate / scene.embedded.rate
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


if __name__ == "__main__":
    main()
