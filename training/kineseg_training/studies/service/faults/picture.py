"""Pictures of what was found: kinds of fault against models, and scores over time."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from kineseg_training.files import write_atomically
from kineseg_training.studies.service.faults.detect import Detection

_LIGHT_FROM = 0.55  # darker cells have light text


@dataclass(frozen=True)
class Trace:
    """The score of a stream over time.

    Attributes:
        times_s, scores: Of each of the model's frames.
        faults: Kind, start and stop of each.
        told_s: When the service told of an anomaly.
        threshold: Of the service; NaN if unknown.
    """

    times_s: Sequence[float]
    scores: Sequence[float]
    faults: Sequence[tuple[str, float, float]]
    told_s: Sequence[float]
    threshold: float


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
        if not np.isnan(trace.threshold):
            axes.axhline(trace.threshold, color="grey", ls="--", lw=0.8)
        axes.plot(trace.told_s, [0.05 * top] * len(trace.told_s), marker="^", ls="", color="#c0392b")
        axes.set(xlim=(0.0, trace.times_s[-1]), ylim=(0.0, top), ylabel="score")
        axes.set_title(name, fontsize="small", loc="left")
        axes.spines[["top", "right"]].set_visible(False)
    rows[-1].set_xlabel("time, s")
    _save(figure, path)


def _save(figure: Figure, path: Path) -> None:
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=120, metadata={"Software": None})
    write_atomically(path, content.getvalue())
