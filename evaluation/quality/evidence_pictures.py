"""Draws what `evidence_record` kept of a stretch of a stream."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import pairwise
from pathlib import Path

import numpy as np
from kineseg_cli.show.colors import ALARM, color_of, ink_on
from kineseg_core.blocks import BLOCK_S
from kineseg_core.boundary_network import OperatingPoint
from kineseg_core.boundary_network.layout import EDGES, FUTURE, PAST
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from numpy.typing import NDArray
from PIL import Image

from evaluation.quality.errors import QualityError
from evaluation.quality.evidence_record import Emitted, Record, block_at

_INK, _SOFT, _PALE, _PAPER = "#1F2933", "#616E7C", "#CBD2D9", "#FFFFFF"
_NEAR_TO_FAR = "cividis"  # made for the colour-blind
_VIEWS = ("embedding", "posture and speed", "speed")
_SHOWN_VIEW = 1
_EDGES_S = EDGES * BLOCK_S


@dataclass(frozen=True)
class Stretch:
    """What of a stream is drawn.

    Attributes:
        first, last: Blocks [first, last).
        boundary: The block of a true boundary that is looked at closely.
    """

    first: int
    last: int
    boundary: int

    @classmethod
    def of(cls, record: Record, start_s: float, seconds: float, near_s: float) -> Stretch:
        """The stretch, and in it the true boundary nearest to `near_s` around which everything is there.

        Raises:
            QualityError: There is no such boundary.
        """
        first, last = block_at(start_s), min(block_at(start_s + seconds), len(record.blocks))
        seen = [
            block for block in map(block_at, record.truth_s)
            if first + PAST <= block <= last - FUTURE and block in record.boundaries
        ]  # fmt: skip
        if not seen:
            reason = f"no true boundary has {PAST * BLOCK_S:g} s before it and {FUTURE * BLOCK_S:g} s after it there"
            raise QualityError(f"{start_s:g} to {start_s + seconds:g} s of {record.stream.name}: {reason}")
        return cls(first, last, min(seen, key=lambda block: abs(block - block_at(near_s))))

    @property
    def span_s(self) -> tuple[float, float]:
        """Where it begins and ends, seconds."""
        return self.first * BLOCK_S, self.last * BLOCK_S


def save_distances(record: Record, stretch: Stretch, path: Path) -> None:
    """Above, how far apart moments lie in each view; below, one boundary of it as the network is given it."""
    figure = Figure(figsize=(14.0, 10.0))
    FigureCanvasAgg(figure)
    axes = figure.subplots(2, 3)
    for view, (ax, name) in enumerate(zip(axes[0], _VIEWS, strict=True)):
        _matrix(ax, record, stretch, view)
        ax.set_title(name, fontsize=11, loc="left", color=_INK, pad=22)
    _close_up(axes[1], record, stretch)
    figure.subplots_adjust(left=0.03, right=0.99, top=0.94, bottom=0.1, hspace=0.3, wspace=0.1)
    _near_and_far(figure)
    drawn = BytesIO()
    figure.savefig(drawn, dpi=75)
    # Noise takes much room: with 256 colours the picture looks the same and is a third as large.
    with Image.open(drawn) as image:
        image.convert("RGB").quantize(256, Image.Quantize.MAXCOVERAGE).save(path, optimize=True)


def save_decisions(record: Record, point: OperatingPoint, stretch: Stretch, path: Path) -> None:
    """How likely a segment begins at each moment, at each lag; under it truth and what was decided."""
    figure = Figure(figsize=(14.0, 6.0))
    FigureCanvasAgg(figure)
    axes = figure.subplots(len(record.lags) + 1, 1, sharex=True, height_ratios=(*(1.0 for _ in record.lags), 1.6))
    for ax, lag in zip(axes, record.lags, strict=False):
        _probability(ax, record, point, lag, last=lag == record.lags[-1])
    _decisions(axes[-1], record, stretch)
    axes[-1].set(xlim=stretch.span_s, xlabel="seconds")
    figure.legend(handles=_legend(), loc="lower center", ncols=4, frameon=False, fontsize=9)
    figure.subplots_adjust(left=0.11, right=0.88, top=0.97, bottom=0.15, hspace=0.18)
    figure.savefig(path, dpi=75)


def _matrix(ax: Axes, record: Record, stretch: Stretch, view: int) -> None:
    logs = record.log_distances(view, stretch.first, stretch.last)
    start, end = stretch.span_s
    _image(ax, logs, (start, end, end, start))
    begin = stretch.boundary * BLOCK_S + _EDGES_S[0]
    length = _EDGES_S[-1] - _EDGES_S[0]
    ax.add_patch(Rectangle((begin, begin), length, length, fill=False, edgecolor=_PAPER, linewidth=1.6))
    _actions(ax, record, stretch)
    _quiet(ax)
    ax.set_xlabel("seconds", fontsize=9, color=_SOFT)


def _close_up(axes: Sequence[Axes], record: Record, stretch: Stretch) -> None:
    """The square around one boundary, with the pieces laid over it, and what becomes of them."""
    at = stretch.boundary
    logs = record.log_distances(_SHOWN_VIEW, at + EDGES[0], at + EDGES[-1])
    low, high = _EDGES_S[0], _EDGES_S[-1]
    _image(axes[0], logs, (low, high, high, low))
    given = record.boundaries[at].maps[2 * _SHOWN_VIEW : 2 * _SHOWN_VIEW + 2]
    for ax, values in zip(axes[1:], given, strict=True):
        low_value, high_value = np.quantile(given, (0.02, 0.98))
        ax.pcolormesh(_EDGES_S, _EDGES_S, values, cmap=_NEAR_TO_FAR, vmin=low_value, vmax=high_value)
        ax.set(xlim=(low, high), ylim=(high, low))
        ax.set_aspect("equal")
    for ax in axes:
        for edge in _EDGES_S[1:-1]:
            ax.axvline(edge, color=_PAPER, linewidth=0.4, alpha=0.7)
            ax.axhline(edge, color=_PAPER, linewidth=0.4, alpha=0.7)
        ax.axvline(0.0, color=_PAPER, linewidth=2.0)
        ax.axhline(0.0, color=_PAPER, linewidth=2.0)
        _quiet(ax)
        ax.set_xlabel("seconds from the candidate", fontsize=9, color=_SOFT)
    titles = (
        f"the white square, cut into {len(EDGES) - 1} pieces",
        "between two pieces: mean distance",
        "distance to the other piece's nearest moment",
    )
    for ax, title in zip(axes, titles, strict=True):
        ax.set_title(title, fontsize=11, loc="left", color=_INK)


def _image(ax: Axes, logs: NDArray[np.float64], extent: tuple[float, float, float, float]) -> None:
    low, high = np.quantile(logs[np.isfinite(logs)], (0.02, 0.98))
    ax.imshow(logs, cmap=_NEAR_TO_FAR, vmin=low, vmax=high, extent=extent, interpolation="nearest")


def _actions(ax: Axes, record: Record, stretch: Stretch) -> None:
    """The true actions, as a lane above a matrix."""
    start, end = stretch.span_s
    for begin, finish, label in _segments(record):
        left, right = max(begin, start), min(finish, end)
        if left >= right:
            continue
        color = color_of(label)
        bar = Rectangle(
            (left, 1.01), right - left, 0.05, transform=ax.get_xaxis_transform(), clip_on=False, facecolor=color,
            edgecolor=_PAPER, linewidth=1,
        )  # fmt: skip
        ax.add_patch(bar)
        ax.text((left + right) / 2, 1.035, record.stream.actions[label].replace("_", " "), ha="center", va="center",
                fontsize=7, color=ink_on(color), transform=ax.get_xaxis_transform())  # fmt: skip


def _segments(record: Record) -> list[tuple[float, float, int]]:
    """True segments: from, to, action."""
    stream = record.stream
    assert stream.labels is not None  # of a generated stream
    edges = [0.0, *record.truth_s, stream.n_frames / stream.rate]
    return [(start, end, int(stream.labels[round(start * stream.rate)])) for start, end in pairwise(edges)]


def _probability(ax: Axes, record: Record, point: OperatingPoint, lag: int, *, last: bool) -> None:
    times = np.arange(len(record.blocks)) * BLOCK_S
    curve = record.curve(lag)
    ax.fill_between(times, curve, color=color_of(0), alpha=0.35, linewidth=0)
    ax.plot(times, curve, color=color_of(0), linewidth=1.0)
    for time in record.truth_s:
        ax.axvline(time, color=_PALE, linewidth=1.2, zorder=0)
    early = min(point.final + point.margin, point.surest)
    least, name = (
        (point.provisional, "provisional") if lag == record.lags[0]
        else (point.final, "final") if last else (early, "final early")
    )  # fmt: skip
    ax.axhline(least, color=ALARM, linewidth=1.0, linestyle=(0, (4, 3)))
    ax.text(1.008, least, f"{name} from {least:.2f}", transform=ax.get_yaxis_transform(), va="center", fontsize=9,
            color=ALARM)  # fmt: skip
    ax.set(ylim=(0, 1.05), yticks=(0, 0.5, 1))
    ax.set_ylabel(f"seen {lag * BLOCK_S:g} s later", fontsize=9, color=_INK, rotation=0, ha="right", va="center",
                  labelpad=14)  # fmt: skip
    _quiet(ax)


def _decisions(ax: Axes, record: Record, stretch: Stretch) -> None:
    """Lanes, from top to bottom: what is true, provisional, final."""
    for begin, finish, label in _segments(record):
        color = color_of(label)
        ax.barh(2.5, finish - begin, 0.8, left=begin, color=color, edgecolor=_PAPER, linewidth=1)
        ax.text((begin + finish) / 2, 2.5, record.stream.actions[label].replace("_", " "), ha="center", va="center",
                fontsize=8, color=ink_on(color), clip_on=True)  # fmt: skip
    start, end = stretch.span_s
    for each in (one for one in record.provisional if start <= one.time_s < end):
        if each.retracted_s is None:
            _decision(ax, 1.5, each, _INK, "o", _PAPER)
            continue
        ax.plot((each.emitted_s, each.retracted_s), (1.15, 1.15), color=ALARM, linewidth=1.2, linestyle=":")
        _decision(ax, 1.15, each, ALARM, "x", ALARM)
    for each in (one for one in record.final if start <= one.time_s < end):
        _decision(ax, 0.4, each, _INK, "o", _INK)
    ax.set(ylim=(0, 3), yticks=(0.5, 1.5, 2.5))
    ax.set_yticklabels(("final", "provisional", "true"), fontsize=9)
    _quiet(ax)


def _decision(ax: Axes, lane: float, each: Emitted, color: str, marker: str, filling: str) -> None:
    """From where a boundary lies to when it was emitted."""
    ax.plot((each.time_s, each.emitted_s), (lane, lane), color=color, linewidth=1.2)
    ax.plot(each.time_s, lane, color=color, marker=marker, markersize=6, markerfacecolor=filling)
    ax.plot(each.emitted_s, lane, color=color, marker="|", markersize=9)
    above, side = (0.15, "bottom") if each.retracted_s is None else (-0.15, "top")
    ax.text((each.time_s + each.emitted_s) / 2, lane + above, f"{each.emitted_s - each.time_s:.1f} s", fontsize=7.5,
            color=color, ha="center", va=side, clip_on=True)  # fmt: skip


def _near_and_far(figure: Figure) -> None:
    """What the colours mean."""
    ax = figure.add_axes((0.43, 0.025, 0.14, 0.016))
    ax.imshow(np.linspace(0, 1, 256)[None], cmap=_NEAR_TO_FAR, aspect="auto", extent=(0, 1, 0, 1))
    ax.set(xticks=(), yticks=())
    ax.spines[:].set_visible(False)
    for x, word, side in ((-0.03, "near", "right"), (1.03, "far", "left")):
        ax.text(x, 0.5, word, transform=ax.transAxes, ha=side, va="center", fontsize=10, color=_INK)


def _legend() -> list[Line2D]:
    return [
        Line2D([], [], color=_PALE, linewidth=1.2, label="true boundary"),
        Line2D(
            [],
            [],
            color=_INK,
            marker="o",
            markerfacecolor=_PAPER,
            linewidth=1.2,
            label="provisional; line: to when it was emitted",
        ),
        Line2D([], [], color=ALARM, marker="x", linewidth=1.2, label="provisional, retracted (dots: until then)"),
        Line2D([], [], color=_INK, marker="o", linewidth=1.2, label="final"),
    ]


def _quiet(ax: Axes) -> None:
    ax.tick_params(length=0, labelsize=8, colors=_SOFT)
    ax.spines[:].set_visible(False)
