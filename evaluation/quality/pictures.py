"""Pictures: one of each stream, one of each set, and how far confidence can be trusted."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from kineseg_cli.show.colors import ALARM, UNKNOWN, color_of, ink_on
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from evaluation.quality.calibration import BINS
from evaluation.quality.metrics import metrics_module
from evaluation.quality.results import ScoredStream, SetResult

_INK, _SOFT, _PALE = "#1F2933", "#616E7C", "#CBD2D9"
_WIDE_IN = 14.0


def save_stream(each: ScoredStream, path: Path) -> None:
    """True and final segments, provisional boundaries with their confidence and delay, and the surprise under them."""
    figure = _figure(3.6)
    bars, curve = figure.subplots(2, 1, sharex=True, height_ratios=(2.0, 1.0))
    _lanes(bars, each)
    _surprise(curve, each)
    figure.legend(handles=_legend(), loc="lower center", ncols=5, frameon=False, fontsize=8)
    figure.subplots_adjust(left=0.07, right=0.99, top=0.9, bottom=0.2, hspace=0.12)
    figure.savefig(path, dpi=80)


def save_set(result: SetResult, path: Path, most: int = 12) -> None:
    """The lanes of the set's streams, worst first if there are more than `most`."""
    shown = result.streams
    if len(shown) > most:
        shown = sorted(shown, key=lambda each: each.final.shares["bf1"])[:most]
    figure = _figure(1.25 * len(shown) + 0.6)
    for ax, each in zip(figure.subplots(len(shown), 1, squeeze=False)[:, 0], shown, strict=True):
        _lanes(ax, each)
    height = figure.get_figheight()
    figure.legend(handles=_legend(), loc="lower center", ncols=5, frameon=False, fontsize=8)
    figure.subplots_adjust(left=0.07, right=0.99, top=1 - 0.3 / height, bottom=0.6 / height, hspace=0.75)
    figure.savefig(path, dpi=70)


def save_confidence(results: Sequence[SetResult], path: Path) -> bool:
    """Share confirmed against confidence, a line a set; False if nothing was provisional."""
    known = [(result.name, result.reliability) for result in results if result.reliability]
    if not known:
        return False
    figure = Figure(figsize=(5.0, 4.6))
    FigureCanvasAgg(figure)
    ax = figure.subplots()
    ax.plot((0, 1), (0, 1), color=_PALE, linewidth=1, zorder=0)
    for i, (name, r) in enumerate(known):
        used = [b for b in range(BINS) if r.counts[b] >= 3]
        x, y = [r.confidence[b] for b in used], [r.confirmed[b] for b in used]
        label = f"{name} ({r.total}; error {r.error:.2f})"
        ax.plot(x, y, color=color_of(i), marker="osD^vPX*<>"[i % 10], markersize=4, linewidth=1, label=label)
    ax.set(xlim=(0, 1), ylim=(0, 1.02), xlabel="confidence when emitted", ylabel="share confirmed")
    ax.legend(fontsize=7, frameon=False, loc="upper left", title="set (provisional; error)", title_fontsize=7)
    ax.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(path, dpi=90)
    return True


def _figure(height: float) -> Figure:
    figure = Figure(figsize=(_WIDE_IN, height))
    FigureCanvasAgg(figure)
    return figure


def _lanes(ax: Axes, each: ScoredStream) -> None:
    """From top to bottom: what is true, what was final, what was provisional."""
    stream, rate = each.stream, each.stream.rate
    found = each.result.labels()
    edges = [0, *stream.truth[:, 1].astype(int).tolist(), stream.n_frames]
    for number, (start, end) in enumerate(pairwise(edges)):
        _bar(ax, 2, start / rate, end / rate, UNKNOWN if number % 2 else _PALE)
    if stream.labels is not None:
        names = _named(stream.labels, found)
        for start, end in pairwise(edges):
            label = int(stream.labels[start])
            color = color_of(names[label]) if label in names else UNKNOWN
            _bar(ax, 2, start / rate, end / rate, color, stream.actions[label].replace("_", " "))
    for segment in each.result.segments:
        end = min(segment.end_frame, stream.n_frames)
        _bar(ax, 1, segment.start_frame / rate, end / rate, color_of(segment.label), str(segment.label))
    for cut, emitted in zip(each.result.boundaries, each.result.decided_frames, strict=True):
        ax.plot((cut / rate, emitted / rate), (0.9, 0.9), color=_INK, linewidth=1.1, solid_capstyle="butt")
        ax.plot(emitted / rate, 0.9, color=_INK, marker="|", markersize=4)
    for a in each.result.provisional:
        gone = a.outcome == "retracted"
        color, height = (ALARM, a.confidence) if gone else (_INK, a.confidence)
        x, y = a.frame / rate, 0.75 * height
        ax.plot((x, x), (0, y), color=color, linewidth=0.8)
        ax.plot((x, a.decided_frame / rate), (y, y), color=color, linewidth=0.8)
        ax.plot(x, y, color=color, marker="x" if gone else "o", markersize=3.5, markerfacecolor="white")
    final, provisional = each.final, each.provisional
    title = (
        f"{stream.set_name} / {stream.name}: final bF1 {_cent(final.shares['bf1'])} after {_s(final.delay(0.5))}, "
        f"provisional bF1 {_cent(provisional.shares['bf1'])} (P {_cent(provisional.shares['precision'])}, "
        f"R {_cent(provisional.shares['recall'])}) after {_s(provisional.delay(0.5))}"
    )
    if "mof" in final.shares:
        title += f", MoF {_cent(final.shares['mof'])}"
    ax.set_title(title, fontsize=9, loc="left", color=_INK, pad=3)
    ax.set(xlim=(0, stream.n_frames / rate), ylim=(0, 3), yticks=(0.38, 1.5, 2.5))
    ax.set_yticklabels(("provisional", "final", "true"), fontsize=8)
    ax.tick_params(length=0, labelsize=8, colors=_SOFT)
    ax.spines[:].set_visible(False)


def _bar(ax: Axes, lane: int, start: float, end: float, color: str, text: str = "") -> None:
    ax.barh(lane + 0.5, end - start, 0.9, left=start, color=color, edgecolor="white", linewidth=1)
    if text:
        ax.text(
            (start + end) / 2, lane + 0.5, text, ha="center", va="center", fontsize=7, color=ink_on(color), clip_on=True
        )


def _surprise(ax: Axes, each: ScoredStream) -> None:
    rows = each.result.frame_results
    times = np.array([row.time_s for row in rows])
    surprise = np.array([row.surprise for row in rows])
    step = max(1, len(rows) // 3000)
    ax.semilogy(times[::step], np.maximum(surprise[::step], 1e-6), color=_SOFT, linewidth=0.6)
    low, high = np.quantile(np.maximum(surprise, 1e-6), (0.02, 0.999))  # the first frames know no past
    ax.set_ylim(low / 2, high * 2)
    for earliest, _, latest in each.stream.truth / each.stream.rate:
        ax.axvspan(earliest, latest, color=_PALE, alpha=0.6, linewidth=0)
    ax.set_ylabel("surprise", fontsize=8, color=_SOFT)
    ax.set_xlabel("seconds", fontsize=8, color=_SOFT)
    ax.tick_params(length=0, labelsize=8, colors=_SOFT)
    ax.spines[:].set_visible(False)


def _named(true: NDArray[np.int64], found: NDArray[np.int64]) -> dict[int, int]:
    """True action -> the label found that stands for it; actions without one are absent."""
    renamed = metrics_module().hungarian_map(true, found)
    return {int(name): int(found[np.flatnonzero(renamed == name)[0]]) for name in np.unique(renamed) if name >= 0}


def _legend() -> list[Line2D]:
    return [
        Line2D([], [], color=_INK, marker="|", linewidth=1.1, label="from a final boundary to when it was confirmed"),
        Line2D([], [], color=_INK, marker="o", markerfacecolor="white", linewidth=0.8,
               label="provisional (height: confidence; line: to when it was emitted)"),
        Line2D([], [], color=ALARM, marker="x", linewidth=0.8, label="provisional, retracted"),
    ]  # fmt: skip


def _cent(share: float) -> str:
    return f"{100 * share:.0f}"


def _s(delay: float | None) -> str:
    return "-" if delay is None else f"{delay:.1f} s"
