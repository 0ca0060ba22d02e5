"""The exhibit: which faults the models of all families find in real takes."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from kineseg_training.data.faults import BODY_FAULTS
from kineseg_training.default.recipe import shipped_bundle
from kineseg_training.files import write_atomically
from kineseg_training.studies.exhibit import Exhibit, Picture, Preset, RunContext, Table
from kineseg_training.studies.families import FAMILIES, family_bundle
from kineseg_training.studies.service.faults.detect import PER_MINUTE, Detection, Heard, detect, load_takes

_LIGHT_FROM = 0.55  # darker cells have light text
_PASSES: dict[Preset, int] = {"tiny": 1, "small": 3, "full": 8}
_TAKES: dict[Preset, tuple[str, ...] | None] = {"tiny": ("03",), "small": None, "full": None}
_MODELS: dict[Preset, tuple[str, ...]] = {
    "tiny": ("shipped", "su"),
    "small": ("shipped", *FAMILIES),
    "full": ("shipped", *FAMILIES),
}
NAMES = {
    "shipped": "shipped (GRU)",
    "su": "tied GRU (Su & Shlizerman)",
    "composite": "composite LSTM (Srivastava et al.)",
    "stgcn": "ST-GCN (Das et al.)",
}
_TRACE_S = 80.0


@dataclass(frozen=True)
class Trace:
    """The score of a stream over time.

    Attributes:
        times_s, scores: Of each of the model's frames.
        faults: Kind, start and stop of each.
        reported_s: When the service reported an anomaly.
    """

    times_s: Sequence[float]
    scores: Sequence[float]
    faults: Sequence[tuple[str, float, float]]
    reported_s: Sequence[float]


def draw_found(path: Path, detections: Mapping[str, Detection]) -> None:
    """Kinds of fault down, models across, per cent found in the cells."""
    kinds = [kind.name for kind in next(iter(detections.values())).kinds]
    shares = np.array(
        [[{k.name: k.detected_at_rate for k in d.kinds}[kind] for d in detections.values()] for kind in kinds]
    )
    figure = Figure(figsize=(2.2 + 1.7 * len(detections), 0.9 + 0.42 * len(kinds)), layout="constrained")
    axes = figure.subplots()
    axes.imshow(shares, cmap="YlGnBu", vmin=0.0, vmax=1.0, aspect="auto")
    for row, column in np.ndindex(*shares.shape):
        colour = "white" if shares[row, column] > _LIGHT_FROM else "black"
        axes.text(column, row, f"{100 * shares[row, column]:.0f}", ha="center", va="center", color=colour)
    axes.set_xticks(range(len(detections)), [name.replace(" (", "\n(") for name in detections], fontsize="small")
    axes.set_yticks(range(len(kinds)), kinds)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_title("faults found by the anomaly score, %", fontsize="medium")
    _save(figure, path)


def draw_traces(path: Path, traces: Mapping[str, Trace]) -> None:
    """One row a model."""
    figure = Figure(figsize=(10, 0.6 + 1.6 * len(traces)), layout="constrained")
    rows = np.atleast_1d(figure.subplots(len(traces), sharex=True))
    for axes, (name, trace) in zip(rows, traces.items(), strict=True):
        top = max(12.0, 1.15 * float(np.max(trace.scores, initial=0.0)))
        for kind, start_s, stop_s in trace.faults:
            axes.axvspan(start_s, max(stop_s, start_s + 0.3), color="#f6c6a8", lw=0)
            axes.text(start_s, top, f" {kind}", va="top", ha="left", fontsize="x-small")
        axes.plot(trace.times_s, trace.scores, color="#23527c", lw=0.8)
        axes.plot(trace.reported_s, [0.05 * top] * len(trace.reported_s), marker="^", ls="", color="#c0392b")
        axes.set(xlim=(0.0, trace.times_s[-1]), ylim=(0.0, top), ylabel="score")
        axes.set_title(name, fontsize="small", loc="left")
        axes.spines[["top", "right"]].set_visible(False)
    rows[-1].set_xlabel("time, s")
    _save(figure, path)


def _save(figure: Figure, path: Path) -> None:
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=120, metadata={"Software": None})
    write_atomically(path, content.getvalue())


def fault_detection(context: RunContext) -> Exhibit:
    """Put faults into the takes of subject 86 and see which the anomaly score of each model finds.

    Raises:
        DataError: There are no takes.
        EvaluationError: The server did not start.
    """
    takes = load_takes(context.needs_cmu() / "subject_86", _TAKES[context.preset])
    passes = _PASSES[context.preset]
    detections: dict[str, Detection] = {}
    traces: dict[str, Trace] = {}
    for model in _MODELS[context.preset]:
        file = context.out / f"{model}.json"
        if not file.is_file():
            bundle = shipped_bundle() if model == "shipped" else family_bundle(context, model)
            detection, heard = detect(bundle, takes, passes=passes, seed=context.seed)
            said = {"detection": detection.plain(), "trace": asdict(_trace(max(heard, key=_faults_shown)))}
            write_atomically(file, json.dumps(said).encode())
        said = json.loads(file.read_text())
        detections[NAMES[model]] = Detection.from_plain(said["detection"])
        traces[NAMES[model]] = Trace(**said["trace"])
    draw_found(context.out / "found.png", detections)
    draw_traces(context.out / "traces.png", traces)
    return _exhibit(context, detections, sum(take.duration_s for take in takes) / 60.0, passes)


def _faults_shown(heard: Heard) -> int:
    return sum(fault.stop_s <= _TRACE_S for fault in heard.scored.faults)


def _trace(heard: Heard) -> Trace:
    kept = heard.scored.times_s <= _TRACE_S
    return Trace(
        _short(heard.scored.times_s[kept]),
        _short(heard.scored.scores[kept]),
        [(fault.kind, fault.start_s, fault.stop_s) for fault in heard.scored.faults if fault.stop_s <= _TRACE_S],
        [time_s for time_s in heard.reported_s if time_s <= _TRACE_S],
    )


def _short(values: NDArray[np.float64]) -> list[float]:
    return [round(float(value), 3) for value in values]


def _exhibit(context: RunContext, detections: dict[str, Detection], minutes: float, passes: int) -> Exhibit:
    best = max(detections, key=lambda name: detections[name].overall(at_rate=True))
    worst = min(detections, key=lambda name: detections[name].overall(at_rate=True))
    rates = {name: 100 * detection.overall(at_rate=True) for name, detection in detections.items()}
    by_kind = {
        kind.name: max(
            (row.detected_at_rate, name)
            for name, detection in detections.items()
            for row in detection.kinds
            if row.name == kind.name
        )
        for kind in BODY_FAULTS
        if any(row.name == kind.name for detection in detections.values() for row in detection.kinds)
    }
    hidden = [name for name, (rate, _) in by_kind.items() if rate < 0.25]
    growing = [kind.name for kind in BODY_FAULTS if kind.grows]
    warned = [
        (row.warning_s, name, row.name)
        for name, detection in detections.items()
        for row in detection.kinds
        if row.name in growing and row.detected > 0 and row.warning_s > 0
    ]
    findings = [
        f"Faults of {len(by_kind)} kinds were put into the takes of subject 86 ({minutes:.1f} minutes, sent {passes} "
        f"times with faults and once without) and sent through the real server. At {PER_MINUTE} false alarms a minute, "
        f"{best} finds {rates[best]:.0f} % of them (mean over the kinds), {worst} {rates[worst]:.0f} %.",
        "Found by the service's own alarms, which do not depend on the model: "
        + "; ".join(
            f"{name} {100 * detection.overall():.0f} % with {detection.false_per_minute:.2f} false alarms a minute"
            for name, detection in detections.items()
        )
        + ".",
    ]
    if hidden:
        findings.append(
            f"No model finds a quarter of these by its score: {', '.join(hidden)}. Gaps and missing values are "
            "reported by the service as such."
        )
    if warned:
        longest = max(warned)
        findings.append(
            f"Of the faults that grow ({', '.join(growing)}), the longest median warning before the worst is "
            f"{longest[0]:.1f} s ({longest[1]}, {longest[2]})."
        )
    else:
        findings.append(f"Of the faults that grow ({', '.join(growing)}), none is reported before it is at its worst.")
    rows = [(kind, *(_cell(detection, kind) for detection in detections.values())) for kind in by_kind]
    rows.append(("mean", *(f"{rate:.0f}" for rate in rates.values())))
    table = Table(
        ("fault", *detections),
        tuple(rows),
        f"Faults found, per cent, at {PER_MINUTE} false alarms a minute; in brackets the median seconds from the alarm "
        "to the fault's end by the service's own alarms (for drift and tremor, which grow for 6 s, that is the "
        "warning time; negative: after it). Each kind was tried "
        f"{_span([row.trials for row in next(iter(detections.values())).kinds])} times.",
    )
    return Exhibit(
        title="Faults in real takes",
        paper="kineseg",
        command=f"kineseg-train report OUT --only faults --preset {context.preset}",
        findings=tuple(findings),
        agreement="not compared",
        verdict=f"The anomaly score of {best} finds the most faults; none of the papers measured this.",
        pictures=(
            Picture(
                "found.png",
                f"Share of the faults of each kind that the anomaly score of each model finds, at {PER_MINUTE} false "
                "alarms a minute. Faults were put into the joint positions of real takes; what is reported by gaps or "
                "missing values does not count.",
            ),
            Picture(
                "traces.png",
                "Anomaly score of each model over a take with faults (shaded, named), and the service's own alarms "
                "(triangles).",
            ),
        ),
        tables=(table,),
        figures={f"found at {PER_MINUTE}/min, {name}": rate for name, rate in rates.items()},
    )


def _span(counts: list[int]) -> str:
    return f"{min(counts)} to {max(counts)}" if min(counts) < max(counts) else str(min(counts))


def _cell(detection: Detection, kind: str) -> str:
    (row,) = (row for row in detection.kinds if row.name == kind)
    warning = "" if np.isnan(row.warning_s) else f" ({row.warning_s:.1f})"
    return f"{100 * row.detected_at_rate:.0f}{warning}"
