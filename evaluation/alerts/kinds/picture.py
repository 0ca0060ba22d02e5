"""A picture of one example: what was sent, when it went wrong, and what was emitted about it."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
from kineseg_cli.show.colors import ALARM, PALETTE
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from evaluation.alerts.kinds.examples import EXAMPLES
from evaluation.alerts.kinds.lines import Line, lines_of
from evaluation.alerts.kinds.show import Shown

_INK, _SOFT, _PALE = "#1F2933", "#616E7C", "#CBD2D9"
_SHADE = "#E4E7EB"
_DPI = 110
_COLORS = 48
"""A few colours make a small file; what is drawn has fewer."""
_BEFORE_S, _AFTER_S = 3.0, 1.5
_AT_ONCE_S = 0.05
_LEGEND_HIGH = 0.3
"""Room above the lines, times their range."""
_FAULT_LANE, _ANOMALY_LANE, _LANE_HIGH = 1.0, 0.0, 0.56


def save(shown: Shown, path: Path) -> None:
    """Draws it; equal examples give equal bytes.

    Args:
        shown: With an anomaly that was called what it is.
        path: Of the PNG.
    """
    over = shown.cleared
    assert over is not None, "only what was found is drawn"
    faulty = shown.faulty
    span_s = (faulty.start_s - _BEFORE_S, max(faulty.stop_s, over.time_s) + _AFTER_S)
    figure = Figure(figsize=(7.6, 3.0))
    FigureCanvasAgg(figure)
    path_axes, lanes = figure.subplots(2, 1, sharex=True, height_ratios=(3.0, 1.0))
    lines = lines_of(faulty, EXAMPLES[shown.kind].lines, span_s)
    _draw_lines(path_axes, lines)
    _draw_lanes(lanes, shown)
    raised = shown.history[0]
    for axes in (path_axes, lanes):
        axes.axvspan(faulty.start_s, faulty.stop_s, color=_SHADE, linewidth=0, zorder=0)
        axes.axvline(raised.time_s, color=ALARM, linewidth=1.0, linestyle=(0, (3, 2)), zorder=3)
        axes.spines[["top", "right"]].set_visible(False)
        axes.spines[:].set_color(_PALE)
        axes.tick_params(colors=_SOFT, labelsize=8, length=2)
    path_axes.set_title(f"{shown.kind.value}: “{over.event.text}”", loc="left", fontsize=10, color=_INK)
    name = "" if raised.event.kind is shown.kind else f" as {raised.event.kind.value}"
    late_s = raised.time_s - faulty.start_s
    when = "at once" if late_s < _AT_ONCE_S else f"{late_s:.1f} s after it began"
    lanes.annotate(
        f"▼ raised{name} {when}", (1.0, -0.42), color=ALARM, fontsize=8,
        xycoords="axes fraction", ha="right", va="top",
    )  # fmt: skip
    path_axes.set_xlim(*span_s)
    path_axes.tick_params(labelbottom=False)
    figure.align_ylabels()
    figure.subplots_adjust(left=0.115, right=0.985, top=0.9, bottom=0.16, hspace=0.1)
    path.parent.mkdir(parents=True, exist_ok=True)
    drawn = BytesIO()
    figure.savefig(drawn, dpi=_DPI)
    pixels = Image.open(drawn).convert("RGB")
    pixels.quantize(_COLORS, dither=Image.Dither.NONE).save(path, optimize=True)


def _draw_lines(axes: Axes, lines: tuple[Line, ...]) -> None:
    for line, color in zip(lines, PALETTE, strict=False):
        if len(lines) == 1 and line.differs:
            axes.plot(line.clean_s, line.clean, color=_SOFT, linewidth=1.0, linestyle=(0, (1, 1.5)), label="as it was")
        axes.plot(line.times_s, line.values, color=color, linewidth=1.4, label=line.name, zorder=2)
        kept = np.isfinite(line.values)
        alone = kept & ~np.r_[False, kept[:-1]] & ~np.r_[kept[1:], False]
        axes.plot(line.times_s[alone], line.values[alone], ".", color=color, markersize=3)
    low, high = axes.get_ylim()
    axes.set_ylim(low, high + _LEGEND_HIGH * (high - low))
    axes.set_ylabel(", ".join(dict.fromkeys(line.unit for line in lines)), fontsize=8, color=_SOFT)
    axes.legend(
        loc="upper right", ncols=4, fontsize=8, frameon=False, labelcolor=_INK, borderpad=0.2, handlelength=1.6,
    )  # fmt: skip


def _draw_lanes(axes: Axes, shown: Shown) -> None:
    over, faulty, raised = shown.cleared, shown.faulty, shown.history[0]
    assert over is not None
    event = over.event
    bars = (
        (_FAULT_LANE, faulty.start_s, faulty.stop_s, _SOFT, ""),
        (_ANOMALY_LANE, event.since_s, event.since_s + shown.lasted_s, ALARM, event.kind.value),
    )
    for lane, start_s, stop_s, color, text in bars:
        axes.barh(lane, stop_s - start_s, _LANE_HIGH, left=start_s, color=color, zorder=2)
        axes.text(stop_s, lane, f" {text}", color=color, fontsize=8, va="center", ha="left", fontweight="bold")
    axes.plot(raised.time_s, _ANOMALY_LANE + 0.62, "v", color=ALARM, markersize=6, zorder=4, clip_on=False)
    axes.set_yticks((_ANOMALY_LANE, _FAULT_LANE), ("anomaly", "fault"))
    axes.set_ylim(-0.6, 1.6)
    axes.set_xlabel("seconds", fontsize=8, color=_SOFT, loc="left")
