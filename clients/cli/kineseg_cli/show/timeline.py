"""The picture of a stream: poses, provisional and confirmed boundaries, segments, signal, surprise and embedding."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter, MaxNLocator

from kineseg_cli.show.agreement import TOLERANCE_S, BoundaryAgreement, compare_with_truth, naming
from kineseg_cli.show.colors import UNKNOWN, color_of, color_of_class, ink_on
from kineseg_cli.show.segment_versions import Bar, Boundary, ProvisionalReport
from kineseg_cli.show.signals import Figures, broken, figures, plane, rows_at, traces
from kineseg_cli.show.stream_history import StreamHistory
from kineseg_cli.show.wording import count, gap_fate

_INK, _SOFT, _FAINT, _PALE = "#1F2933", "#616E7C", "#E4E7EB", "#9AA5B1"
_WIDTH_IN = 15.0
_MOST_POINTS = 3000
_MANY = 60
_HOLLOW: dict[str, Any] = {
    "linestyle": "none", "marker": "o", "markersize": 5.5, "markerfacecolor": "white", "markeredgewidth": 1.3,
    "markeredgecolor": _INK, "clip_on": False,
}  # fmt: skip
_FULL: dict[str, Any] = _HOLLOW | {"markerfacecolor": _INK}
# Distinguished by shape as well as by colour.
_MARKS: dict[str, dict[str, Any]] = {
    "confirmed": _HOLLOW,
    "open": _HOLLOW | {"marker": "D", "markersize": 4.5},
    "retracted": _HOLLOW | {"marker": "x", "markersize": 5, "markeredgecolor": _SOFT},
}


def save(history: StreamHistory, path: Path) -> None:
    """Draw the stream and write it as PNG (or what else the suffix says).

    Raises:
        OSError: The file cannot be written.
        ValueError: The suffix is no picture format.
    """
    draw(history).savefig(path, dpi=130, facecolor="white")


def draw(history: StreamHistory) -> Figure:
    """The stream as a matplotlib figure; needs no display."""
    body = figures(history.recording, rows_at(history.recording, np.zeros(1))) is not None
    rows = [("poses", 1.5)] if body else []
    provisional = history.provisional
    rows += [("provisional", 0.62), ("confirmed", 0.2)] if provisional else []
    rows += [("found", 0.5)] + ([("known", 0.5)] if history.truth else []) + [("signal", 2.5), ("score", 1.25)]
    heading = 1.05 + (0.2 if history.truth else 0) + (0.22 if provisional else 0)
    height = 1.05 + heading + sum(share for _, share in rows)
    figure = Figure(figsize=(_WIDTH_IN, height))
    FigureCanvasAgg(figure)
    grid = figure.add_gridspec(
        len(rows), 2, width_ratios=(3.6, 1), height_ratios=[share for _, share in rows],
        left=0.105, right=0.98, top=1 - heading / height, bottom=0.62 / height, hspace=0.14, wspace=0.06,
    )  # fmt: skip
    end = _end(history)
    axes = {name: figure.add_subplot(grid[i, 0]) for i, (name, _) in enumerate(rows)}
    for name, ax in axes.items():
        ax.set_xlim(0, end)
        ax.spines[["top", "right", "left"]].set_visible(False)
        ax.spines["bottom"].set_color(_FAINT)
        ax.tick_params(axis="both", length=0, colors=_SOFT, labelsize=9)
        ax.set_yticks([])
        if name != "score":
            ax.tick_params(labelbottom=False)
            ax.spines["bottom"].set_visible(False)
    if body:
        _draw_poses(axes["poses"], history, end)
    if provisional:
        _draw_provisional(axes["provisional"], provisional)
        _draw_confirmed(axes["confirmed"], history.boundaries)
        _draw_key(figure, provisional, 1 - (heading - 0.26) / height)
    _draw_bars(axes["found"], history.bars(), [color_of(bar.label) for bar in history.bars()], end)
    named = any(bar.named for bar in history.bars())
    _row_name(axes["found"], "segments found", "name or number" if named else "number = action")
    if history.truth:
        names = naming(history)
        _draw_bars(
            axes["known"], history.truth, [color_of(names.get(bar.label, -1)) for bar in history.truth], end, soft=True
        )
        _row_name(axes["known"], "known truth", "never sent")
    _draw_signal(axes["signal"], history)
    _draw_score(axes["score"], history)
    boundaries = history.boundaries
    thick = 0.9 if len(boundaries) < 40 else 0.4 if len(boundaries) < 200 else 0.1
    for ax in (axes["signal"], axes["score"]):
        for boundary in boundaries:
            ax.axvline(boundary.time_s, color=_INK, linewidth=thick, alpha=0.55, zorder=3)
    side = grid[:, 1].subgridspec(2, 1, height_ratios=(1.6, 1), hspace=0.16)
    _draw_embedding(figure.add_subplot(side[0]), history)
    _draw_legend(figure.add_subplot(side[1]), history)
    _draw_heading(figure, history, height)
    return figure


def _end(history: StreamHistory) -> float:
    bars = history.bars()
    return max([1e-3, history.position_s, *(bar.end_s for bar in bars)])


def _row_name(ax: Axes, name: str, remark: str, shift: float = -10) -> None:
    """Name and remark to the left of a row, `shift` points from its edge."""
    for text, size, color, y in ((name, 10, _INK, 6), (remark, 8, _SOFT, -7)):
        ax.annotate(
            text, (0, 0.5), (shift, y), xycoords="axes fraction", textcoords="offset points", ha="right", va="center",
            fontsize=size, color=color,
        )  # fmt: skip


def _draw_bars(ax: Axes, bars: Sequence[Bar], colors: Sequence[str], end: float, *, soft: bool = False) -> None:
    ax.set_ylim(0, 1)
    seconds_per_inch = end / (_WIDTH_IN * 0.685)
    for bar, color in zip(bars, colors, strict=True):
        width = min(bar.end_s, end) - bar.start_s
        if width <= 0:
            continue
        # Edges of bars on a long recording must not be all that one sees of them.
        ax.add_patch(_box(bar, width, color, edge=min(1.6, 18 * width / seconds_per_inch), soft=soft))
        text = bar.name.replace("_", " ") + ("" if bar.confirmed else "?")
        size = 8.5 if soft else 11
        room = width / seconds_per_inch / (size * 0.0088)
        if len(text) > room:
            text = text[: int(room) - 1] + "…" if room >= 4 else ""
        ax.text(
            bar.start_s + width / 2, 0.48, text, ha="center", va="center", fontsize=size, clip_on=True,
            color=_INK if soft or not bar.confirmed else ink_on(color), fontweight="normal" if soft else "bold",
        )  # fmt: skip


def _box(bar: Bar, width: float, color: str, *, edge: float, soft: bool) -> Rectangle:
    """Filled, or hatched where the segment is provisional."""
    if bar.confirmed:
        return Rectangle(
            (bar.start_s, 0.04), width, 0.92, facecolor=color, edgecolor="white", linewidth=edge,
            alpha=0.62 if soft else 1.0,
        )  # fmt: skip
    return Rectangle((bar.start_s, 0.04), width, 0.92, facecolor="white", edgecolor=color, hatch="////", linewidth=edge)


def _draw_provisional(ax: Axes, segments: Sequence[ProvisionalReport]) -> None:
    """A hollow mark at each boundary as first reported, as high as its confidence, and a line to when that was."""
    ax.set_ylim(-0.08, 1.12)
    ax.set_yticks([0, 1], ["0%", "100%"])
    ax.yaxis.tick_right()
    ax.tick_params(axis="y", length=0, labelsize=7.5, labelcolor=_SOFT, pad=2)
    for share in (0.0, 0.5, 1.0):
        ax.axhline(share, color=_FAINT, linewidth=0.8, zorder=0)
    for outcome, mark in _MARKS.items():
        mine = [one for one in segments if one.outcome == outcome]
        starts = [Boundary(one.time_s, one.reported_s) for one in mine]
        _draw_reported(ax, starts, [one.confidence for one in mine], mark, crowd=len(segments))
    _row_name(ax, "provisional", _later(segments))


def _draw_confirmed(ax: Axes, boundaries: Sequence[Boundary]) -> None:
    """A full mark at each boundary, and a line to when it was confirmed."""
    ax.set_ylim(-1, 1)
    _draw_reported(ax, boundaries, [0.0] * len(boundaries), _FULL, crowd=len(boundaries))
    _row_name(ax, "confirmed", _later(boundaries))


def _draw_reported(
    ax: Axes, boundaries: Sequence[Boundary], heights: Sequence[float], mark: dict[str, Any], *, crowd: int
) -> None:
    """Marks at boundaries, and lines to when they were reported; smaller where a crowd would hide one another."""
    share = max(0.3, min(1.0, _MANY / max(1, crowd)))
    times, ends = [one.time_s for one in boundaries], [one.reported_s for one in boundaries]
    color = _PALE if mark["marker"] == "x" else _INK
    ax.hlines(heights, times, ends, color=color, linewidth=1.0 * share, zorder=2)
    ax.plot(
        ends, heights, linestyle="none", marker="|", color=color, markersize=6 * share, markeredgewidth=1.2 * share,
        zorder=2,
    )  # fmt: skip
    sized = {key: share * mark[key] for key in ("markersize", "markeredgewidth")}
    ax.plot(times, heights, zorder=3, **mark | sized)


def _later(reported: Sequence[ProvisionalReport | Boundary]) -> str:
    return f"reported {np.median([one.delay_s for one in reported]):.1f} s later" if reported else "none yet"


def _draw_key(figure: Figure, provisional: Sequence[ProvisionalReport], y: float) -> None:
    """What the marks mean; only those that are drawn."""
    texts = {
        "confirmed": "provisional, later confirmed",
        "retracted": "provisional, later retracted",
        "open": "provisional, still open",
    }
    there = {one.outcome for one in provisional}
    entries = [(_MARKS[outcome], text) for outcome, text in texts.items() if outcome in there]
    entries.append((_FULL, "confirmed"))
    handles = [Line2D([], [], label=text, **marks) for marks, text in entries]
    handles.append(Line2D([], [], label="when it was reported", color=_INK, marker="|", linestyle="none", markersize=7))
    handles.append(Line2D([], [], label="height: confidence", linestyle="none"))
    figure.legend(
        handles=handles, loc="center left", bbox_to_anchor=(0.098, y), ncols=len(handles),
        frameon=False, fontsize=8, labelcolor=_SOFT, handletextpad=0.2, columnspacing=1.6, borderpad=0,
    )  # fmt: skip


def _draw_poses(ax: Axes, history: StreamHistory, end: float) -> None:
    """A filmstrip: the body at regular times, in the colour of the segment that it is in."""
    inches_wide, inches_high = _WIDTH_IN * 0.685, 1.5
    tall = 2.2  # body sizes from the floor to raised hands
    seconds_per_body = end / inches_wide * inches_high / tall
    times = np.arange(0.5, 1000) * seconds_per_body * 0.78
    times = times[(times < end - seconds_per_body * 0.3) & history.streamed(times)]
    shown = figures(history.recording, rows_at(history.recording, times)) if len(times) else None
    ax.set_ylim(-0.12, tall)
    _row_name(ax, "poses", "as sent")
    if shown is None:
        return
    for points, time, label in zip(shown.points, times, history.labels_at(times), strict=True):
        _draw_body(ax, shown, points, float(time), seconds_per_body, color_of(int(label)))


def _draw_body(ax: Axes, shown: Figures, points: np.ndarray, x: float, scale: float, color: str) -> None:
    for side, alpha, width in ((-1, 0.5, 1.5), (0, 1.0, 2.0), (1, 1.0, 1.7)):
        lines = [points[[a, b]] * [scale, 1.0] + [x, 0.0] for a, b, s in shown.bones if s == side]
        ax.add_collection(LineCollection(lines, colors=color, linewidths=width, alpha=alpha, capstyle="round"))
    head = points[shown.head]
    ax.plot(x + head[0] * scale, head[1], "o", color=color, markersize=4.2)


def _draw_signal(ax: Axes, history: StreamHistory) -> None:
    curves = traces(history.recording)
    times = history.recording.times() - history.recording.times()[0]
    step = max(1, len(times) // _MOST_POINTS)
    ax.set_ylim(0, len(curves))
    for row, trace in enumerate(reversed(curves)):
        drawn = broken(times[::step], row + 0.1 + 0.8 * trace.values[::step], history.breaks)
        ax.plot(*drawn, color="#3E6C94", linewidth=0.8)
        ax.axhline(row, color=_FAINT, linewidth=0.8)
    ax.set_yticks([row + 0.5 for row in range(len(curves))], [trace.name for trace in reversed(curves)], color=_INK)
    ax.tick_params(axis="y", pad=6, labelsize=9, labelcolor=_INK)
    for gap in history.gaps:
        ax.axvspan(gap.time_s, gap.time_s + gap.duration_s, color=_SOFT, alpha=0.3, linewidth=0)
        ax.text(
            gap.time_s + gap.duration_s / 2, len(curves) + 0.03, f"gap, {gap_fate(gap)}", color=_SOFT, fontsize=8,
            va="bottom", ha="center",
        )  # fmt: skip


def _draw_score(ax: Axes, history: StreamHistory) -> None:
    times, scores = np.array(history.outputs.times_s), np.array(history.outputs.anomaly_scores)
    top = 8.0
    if len(times):
        top = max(top, float(scores.max()) * 1.15)
        times, scores = broken(times, np.clip(scores, 0, None), history.breaks)
        ax.fill_between(times, 0, scores, color="#8A94A6", alpha=0.45, linewidth=0)
        ax.plot(times, scores, color="#52606D", linewidth=0.8)
    else:
        ax.text(0.5, 0.5, "not requested", transform=ax.transAxes, ha="center", va="center", color=_SOFT)
    ax.set_ylim(0, top)
    ax.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    ax.yaxis.tick_left()
    for anomaly in history.anomalies:
        until_s = history.position_s if anomaly.end_s is None else anomaly.end_s
        color = color_of_class(anomaly.about)
        ax.axvspan(anomaly.start_s, until_s, color=color, alpha=0.15, linewidth=0)
        ax.plot(anomaly.start_s, 0.93 * top, marker="v", color=color, markersize=8, zorder=5, clip_on=False)
        ax.annotate(
            anomaly.rule or anomaly.kind.replace("_", " "), (anomaly.start_s, 0.93 * top), (6, 0),
            textcoords="offset points", color=color, fontsize=8, va="center", zorder=6,
        )  # fmt: skip
    _row_name(ax, "surprise", "alarms in red", shift=-34)
    ax.xaxis.set_major_locator(MaxNLocator(12, steps=[1, 2, 2.5, 5, 10]))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g} s"))


def _draw_embedding(ax: Axes, history: StreamHistory) -> None:
    ax.set_xticks([])
    ax.set_yticks([])
    ax.spines[:].set_color(_FAINT)
    ax.set_title("the motion in the embedding space", loc="left", fontsize=10, color=_INK, pad=8)
    if len(history.outputs.embeddings) < 3:
        ax.text(0.5, 0.5, "not requested", transform=ax.transAxes, ha="center", va="center", color=_SOFT)
        return
    times = np.array(history.outputs.times_s)
    flat, share = plane(np.stack(history.outputs.embeddings).astype(np.float64), times)
    labels = history.labels_at(times)
    ax.plot(flat[:, 0], flat[:, 1], color=UNKNOWN, linewidth=0.5, alpha=0.45, zorder=1)
    step = max(1, len(times) // _MOST_POINTS)
    for label in history.labels:
        mine = flat[labels == label]
        ax.scatter(mine[::step, 0], mine[::step, 1], s=9, color=color_of(label), alpha=0.55, linewidths=0, zorder=2)
    for label in history.labels:
        mine = flat[labels == label]
        if len(mine):
            x, y = np.median(mine, axis=0)
            badge = {"boxstyle": "circle,pad=0.28", "facecolor": color_of(label), "edgecolor": "white"}
            ax.text(
                x, y, str(label), ha="center", va="center", fontsize=10, fontweight="bold", zorder=4,
                color=ink_on(color_of(label)), bbox=badge,
            )  # fmt: skip
    ax.margins(0.08)
    ax.set_xlabel(
        f"embedding, 2 of {len(history.outputs.embeddings[0])} dimensions ({share:.0%} of variance)",
        fontsize=8.5, color=_SOFT, labelpad=7,
    )  # fmt: skip


def _draw_legend(ax: Axes, history: StreamHistory) -> None:
    """One line for each action found: how often, how long, and what it is known as."""
    ax.set_axis_off()
    known = {bar.label: bar.name.replace("_", " ") for bar in reversed(history.truth)}
    names = {label: known[name] for name, label in naming(history).items()}
    labels = history.labels
    most = 12
    step = 1 / max(8, min(most, len(labels)) + (len(labels) > most))
    for row, label in enumerate(labels[:most]):
        y = 1 - (row + 0.5) * step
        mine = [bar for bar in history.bars() if bar.label == label]
        color = color_of(label)
        ax.text(
            0.03, y, str(label), transform=ax.transAxes, ha="center", va="center", fontsize=8.5, fontweight="bold",
            color=ink_on(color), bbox={"boxstyle": "round,pad=0.25", "facecolor": color, "edgecolor": "none"},
        )  # fmt: skip
        text = f"{count(len(mine), 'segment')}, {sum(bar.duration_s for bar in mine):.0f} s"
        text += f", {name}" if (name := history.name_of(label)) else ""
        text += f"  ≈ {names[label]}" if label in names else ""
        ax.text(0.09, y, text, transform=ax.transAxes, va="center", fontsize=9, color=_INK)
    if len(labels) > most:
        more = f"and {len(labels) - most} more"
        ax.text(0.09, 0.5 * step, more, transform=ax.transAxes, va="center", fontsize=9, color=_SOFT)


def _draw_heading(figure: Figure, history: StreamHistory, height: float) -> None:
    figure.text(0.02, 1 - 0.36 / height, history.title, fontsize=15, fontweight="bold", color=_INK, va="center")
    facts = [
        f"{_end(history):.1f} s at {history.recording.rate:g} fps",
        f"{count(len(history.bars()), 'segment')}, {count(len(history.labels), 'action')}",
    ]
    if history.model:
        facts.append(f"model {history.model} at {history.model_rate_hz:g} Hz")
    lines = [facts]
    if (agreement := compare_with_truth(history)) is not None:
        parts = [f"boundaries within {TOLERANCE_S:g} s of the known: {_in_words(agreement.confirmed)}"]
        if agreement.provisional is not None:
            parts.append(f"as first reported: {_in_words(agreement.provisional)}")
        lines.append([*parts, f"{agreement.accuracy:.0%} of time labelled right"])
    for row, line in enumerate(lines):
        y = 1 - (0.68 + 0.24 * row) / height
        figure.text(0.02, y, "   ·   ".join(line), fontsize=9.5, color=_SOFT, va="center")
    if history.synthetic:
        badge = figure.text(
            0.98, 1 - 0.36 / height, "synthetic motion: made by a program", fontsize=9.5, color="#7A4B00",
            ha="right", va="center",
        )  # fmt: skip
        badge.set_bbox({"boxstyle": "round,pad=0.45", "facecolor": "#FFF3D6", "edgecolor": "#E9C46A"})


def _in_words(agreement: BoundaryAgreement) -> str:
    delay = "" if agreement.delay_s is None else f", {agreement.delay_s:.1f} s later (median)"
    return f"{agreement.hits} of {agreement.known}, {agreement.found} reported, F1 {agreement.f1:.0%}{delay}"
