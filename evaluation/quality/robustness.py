"""How far does the result change when the same motion comes under other circumstances?

python -m evaluation.quality.robustness
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

import kineseg
import numpy as np
from kineseg_core.inference.bundle import load_bundle, packaged_bundle
from kineseg_training.errors import EvaluationError
from kineseg_training.server_process import running_server
from tqdm import tqdm

from evaluation.quality.errors import QualityError
from evaluation.quality.metrics import metrics_module
from evaluation.quality.perturb import PERTURBATIONS
from evaluation.quality.robustness_compare import GRID_HZ, Result
from evaluation.quality.robustness_measure import Change, changes
from evaluation.quality.robustness_page import page
from evaluation.quality.sets import load
from evaluation.quality.stream import AnnotatedStream

# All takes, and of the others as many streams, so that each kind of motion counts the same.
CHOSEN: dict[str, tuple[str, ...]] = {
    "takes": ("01", "03", "05", "07", "09", "11"),
    "bvh": ("normal-0", "normal-1", "tired-0", "tired-1", "happy-0", "happy-1"),
    "generated": tuple(f"synthetic-{seed}" for seed in range(300, 306)),
}
_PAGE = Path(__file__).resolve().parents[2] / "docs" / "robustness.md"


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    names = tuple(perturbation.name for perturbation in PERTURBATIONS)
    parser = argparse.ArgumentParser(prog="python -m evaluation.quality.robustness", description=__doc__)
    parser.add_argument("--sets", nargs="+", choices=tuple(CHOSEN), default=tuple(CHOSEN), help="default: all")
    parser.add_argument("--only", nargs="+", choices=names, default=names, metavar="NAME", help=", ".join(names))
    parser.add_argument("--bundle", type=Path, default=packaged_bundle(), help="default: the one that is shipped")
    parser.add_argument("--out", type=Path, help="page to write; default: docs/robustness.md if all is measured")
    parser.add_argument("--json", type=Path, help="file for every figure of every stream")
    options = parser.parse_args(arguments)
    try:
        found = measure(options.bundle, options.sets, options.only)
    except (QualityError, EvaluationError, kineseg.KinesegError) as error:
        sys.exit(f"robustness: {error}")
    text = page(found, PERTURBATIONS, model=load_bundle(options.bundle).manifest)
    print(text)
    everything = set(options.only) == set(names) and set(options.sets) == set(CHOSEN)
    out = options.out or (_PAGE if everything else None)
    if out is not None:
        out.write_text(text, encoding="utf-8")
    if options.json is not None:
        options.json.write_text(json.dumps([asdict(change) for change in found], indent=1) + "\n", encoding="utf-8")


def measure(bundle: Path, sets: Sequence[str], only: Sequence[str]) -> list[Change]:
    """Every chosen stream under every circumstance named in `only`.

    Raises:
        QualityError: Data or metrics are not there.
        EvaluationError: The server did not start.
    """
    streams = [stream for name in sets for stream in load(name) if stream.name in CHOSEN[name]]
    chosen = [perturbation for perturbation in PERTURBATIONS if perturbation.name in only]
    against = partial(against_truth, metrics_module().evaluate)
    with running_server(bundle) as address, kineseg.Client(address) as client:
        running = changes(client, streams, chosen, against)
        return list(tqdm(running, total=len(streams) * len(chosen), unit="stream", disable=None))


def against_truth(
    evaluate: Callable[..., dict[str, object]], stream: AnnotatedStream, result: Result, tempo: float
) -> tuple[float, float]:
    """Boundary F1 at 0.5 s and mean over frames of a result, by the common metrics; shares.

    Args:
        evaluate: Of ``metrics.py``.
        stream: Whose truth it is.
        result: In the time in which the motion was played.
        tempo: How many times faster that was.
    """
    n = int(result.duration_s * GRID_HZ)
    per_frame = GRID_HZ / (stream.rate * tempo)
    frames = np.round(result.boundaries * GRID_HZ).astype(int)
    emitted = np.maximum(np.round(result.decided[1:] * GRID_HZ).astype(int), frames)
    prediction = {
        "fps": GRID_HZ,
        "n_frames": n,
        "boundaries": [{"frame": int(f), "emitted_frame": int(e)} for f, e in zip(frames, emitted, strict=True)],
        "labels": result.labels_at(np.arange(n) / GRID_HZ),
        "online": True,
    }
    assert stream.labels is not None  # of the sets in `CHOSEN`
    rows = np.minimum((np.arange(n) / per_frame).astype(int), stream.n_frames - 1)
    figures = evaluate(prediction, stream.truth * per_frame, stream.labels[rows])
    boundary, mof = figures["boundary"], figures["mof"]
    assert isinstance(boundary, dict)
    assert isinstance(mof, float)
    return float(boundary["0.5s"]["f1"]), mof


if __name__ == "__main__":
    main()
