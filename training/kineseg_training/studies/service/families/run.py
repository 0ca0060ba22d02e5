"""The exhibit: every family behind the real server, on the annotated takes: segments, prediction, cost, and names."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import kineseg
import numpy as np
from kineseg.motion import Recording
from matplotlib.figure import Figure

from kineseg_training.default.recipe import shipped_bundle
from kineseg_training.export.step import read_bundle
from kineseg_training.files import EVAL_VARIABLE, find_beside, write_atomically
from kineseg_training.server_process import running_server
from kineseg_training.studies.exhibit import Exhibit, Picture, RunContext, Table
from kineseg_training.studies.families import FAMILIES, family_bundle
from kineseg_training.studies.service.evaluate import evaluate
from kineseg_training.studies.service.faults.detect import load_takes
from kineseg_training.studies.service.faults.run import NAMES

_STREAMS = (1, 64)
_STEPS = 60
_ROUNDS = 5
# Actions of the takes that the recogniser has been trained on, by the names of both.
_SAME = {"walk": "walking", "walking": "walking", "run": "running", "jump": "jumping"}
_JUMPS = "jump"


@dataclass(frozen=True)
class Named:
    """How the segments of the takes were named.

    Attributes:
        known_s: Seconds of actions that the recogniser knows.
        right, wrong: Shares of these under the right and under a wrong name; the rest had none.
        unknown_s: Seconds of other actions.
        kept_unknown: Share of these without a name.
    """

    known_s: float
    right: float
    wrong: float
    unknown_s: float
    kept_unknown: float


def in_service(context: RunContext) -> Exhibit:
    """Run the bundle of every family in the service on the takes of subject 86.

    Raises:
        DataError: There are no takes.
        EvaluationError: No folder with the annotation, or the server did not start.
    """
    cmu = context.needs_cmu()
    eval_dir = find_beside(Path(__file__), "eval", EVAL_VARIABLE)
    bundles = {"shipped": shipped_bundle()} | {family: family_bundle(context, family) for family in FAMILIES}
    scores: dict[str, Mapping[str, float]] = {}
    for model, bundle in bundles.items():
        file = context.out / f"{model}.json"
        if not file.is_file():
            with TemporaryDirectory() as scratch:
                mean = dict(evaluate(bundle, cmu, eval_dir, Path(scratch)).takes["mean"])
            write_atomically(file, json.dumps(mean).encode())
        scores[model] = json.loads(file.read_text())
    costs = step_costs(bundles)
    named = names_of(bundles["stgcn"], load_takes(cmu / "subject_86"))
    draw_segments(context.out / "segments.png", scores)
    return _exhibit(context, bundles, scores, costs, named)


def step_costs(bundles: Mapping[str, Path]) -> dict[str, dict[int, float]]:
    """Seconds of one step of the graph alone, for 1 and for 64 streams: medians of rounds taken in turns."""
    steps = {name: read_bundle(path).step for name, path in bundles.items()}
    rounds: dict[str, dict[int, list[float]]] = {name: {n: [] for n in _STREAMS} for name in steps}
    rng = np.random.default_rng(0)
    for _ in range(_ROUNDS):
        for name, step in steps.items():
            for n in _STREAMS:
                frames, state = rng.standard_normal((n, step.n_channels), dtype=np.float32), step.initial(n)
                _, state = step(frames, state)
                began = time.perf_counter()
                for _ in range(_STEPS):
                    _, state = step(frames, state)
                rounds[name][n].append((time.perf_counter() - began) / _STEPS)
    return {name: {n: float(np.median(times)) for n, times in by_n.items()} for name, by_n in rounds.items()}


def names_of(bundle: Path, takes: list[Recording]) -> Named:
    """What a recogniser calls the segments that the service finds, against the annotation."""
    known = right = wrong = unknown = kept = 0.0
    with running_server(bundle) as address, kineseg.Client(address) as client:
        for take in takes:
            assert take.truth is not None  # the annotation lies beside the take
            named = client.segment(take, decisions="final").names()
            ends = (*take.truth.boundaries[1:], take.n_frames)
            for start, end, name in zip(take.truth.boundaries, ends, take.truth.names, strict=True):
                action = "jumping" if name.startswith(_JUMPS) else _SAME.get(name, "")
                names, seconds = named[start:end], (end - start) / take.rate
                if action:
                    known += seconds
                    right += seconds * float(np.mean(names == action))
                    wrong += seconds * float(np.mean((names != action) & (names != "")))
                else:
                    unknown += seconds
                    kept += seconds * float(np.mean(names == ""))
    return Named(known, right / max(known, 1e-9), wrong / max(known, 1e-9), unknown, kept / max(unknown, 1e-9))


def draw_segments(path: Path, scores: Mapping[str, Mapping[str, float]]) -> None:
    """Bars of the common figures, a group a model."""
    shown = {"bf1@0.5s": "boundary F1 at 0.5 s", "mof": "frames right (MoF)", "ari": "ARI", "covering": "covering"}
    figure = Figure(figsize=(9, 4), layout="constrained")
    axes = figure.subplots()
    width = 0.8 / len(shown)
    for at, (key, label) in enumerate(shown.items()):
        left = np.arange(len(scores)) + (at - (len(shown) - 1) / 2) * width
        bars = axes.bar(left, [100 * row[key] for row in scores.values()], width * 0.92, label=label)
        axes.bar_label(bars, fmt="%.0f", fontsize="x-small")
    axes.set_xticks(range(len(scores)), [NAMES[model].replace(" (", "\n(") for model in scores])
    axes.set(ylim=(0, 110), ylabel="%, mean of six takes")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(fontsize="small", ncols=4, loc="upper center", frameon=False, bbox_to_anchor=(0.5, 1.12))
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=120, metadata={"Software": None})
    write_atomically(path, content.getvalue())


def _exhibit(
    context: RunContext,
    bundles: Mapping[str, Path],
    scores: Mapping[str, Mapping[str, float]],
    costs: Mapping[str, Mapping[int, float]],
    named: Named,
) -> Exhibit:
    best = max(FAMILIES, key=lambda model: scores[model]["bf1@0.5s"])
    gap = 100 * (scores["shipped"]["bf1@0.5s"] - scores[best]["bf1@0.5s"])
    metrics = {model: read_bundle(path).manifest.metrics for model, path in bundles.items()}
    findings = (
        f"Behind the same segmenter, whose settings and classifiers were made for the shipped embedding (posture and "
        f"speed in a learned metric), the embeddings of the papers' models reach a boundary F1 of "
        f"{_listed({m: 100 * scores[m]['bf1@0.5s'] for m in FAMILIES})} on the six annotated takes; the shipped one "
        f"{100 * scores['shipped']['bf1@0.5s']:.0f}.",
        f"The recogniser names {100 * named.right:.0f} % of the {named.known_s:.0f} s of actions that it knows "
        f"(walking, running, jumping; in takes that it was not trained on) rightly and "
        f"{100 * named.wrong:.0f} % wrongly; of the {named.unknown_s:.0f} s of others, {100 * named.kept_unknown:.0f} "
        "% stay unknown.",
        "A step of 64 streams costs "
        f"{_listed({m: costs[m][64] / costs['shipped'][64] for m in FAMILIES}, '.1f')} times what the "
        "shipped graph costs, measured in turns.",
    )
    rows = []
    for model in bundles:
        figures = metrics[model]
        ahead = figures.get("held_out_one_step"), figures.get("held_out_zero_velocity_one_step")
        rows.append(
            (
                NAMES[model],
                *(f"{100 * scores[model][key]:.1f}" for key in ("bf1@0.5s", "mof", "ari", "covering")),
                f"{ahead[0]:.3f} ({ahead[1]:.3f})" if ahead[0] is not None else "-",
                *(f"{costs[model][n] / costs['shipped'][n]:.1f}" for n in _STREAMS),
            )
        )
    return Exhibit(
        title="Every family behind the service",
        paper="Su & Shlizerman 2019",
        command=f"kineseg-train report OUT --only in-service --preset {context.preset}",
        findings=findings,
        agreement="agrees" if gap <= 0 else "partly" if gap < 10 else "disagrees",
        verdict=(
            "Claim: states of a recurrent network, in few dimensions, are what to segment by. Here the best of the "
            f"papers' models ({NAMES[best]}) comes to {100 * scores[best]['bf1@0.5s']:.0f} boundary F1 online, posture "
            f"and speed to {100 * scores['shipped']['bf1@0.5s']:.0f}."
        ),
        pictures=(
            Picture(
                "segments.png",
                "Online segmentation of the six annotated takes of subject 86 through the real server, with the bundle "
                "of each family: same segmenter, same settings, no number of classes given.",
            ),
        ),
        tables=(
            Table(
                (
                    "model",
                    "bF1 at 0.5 s",
                    "MoF",
                    "ARI",
                    "covering",
                    "error one frame ahead (nothing moves)",
                    "cost of a step, 1 stream",
                    "64 streams",
                ),
                tuple(rows),
                "Per cent on the takes; mean squared error of the next frame on held-out clips in normalised channels, "
                "with that of repeating the last frame; cost of the graph alone on one thread, as a multiple of the "
                "shipped one's.",
            ),
        ),
        figures={
            **{f"bF1, {model}": 100 * row["bf1@0.5s"] for model, row in scores.items()},
            "named rightly, %": 100 * named.right,
            "kept unknown, %": 100 * named.kept_unknown,
        },
    )


def _listed(values: Mapping[str, float], form: str = ".0f") -> str:
    return ", ".join(f"{value:{form}} ({NAMES[model]})" for model, value in values.items())
