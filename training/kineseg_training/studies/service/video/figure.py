"""The picture of one moment: the body on its floor, the embedding so far, and the bars with a cursor."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import ScaledTranslation
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from kineseg_training.studies.colors import NOTHING, ink_on, lighter
from kineseg_training.studies.service.video.camera import floor_lines, projected
from kineseg_training.studies.service.video.frames import Scene

_INK, _SOFT, _FAINT, _PALE = "#1F2933", "#616E7C", "#E4E7EB", "#CBD2D9"
# Laid out for this height; everything grows with the picture.
_HEIGHT_IN, _LEAST_SCALE = 6.0, 0.75
# Of the heading and of the bars, inches.
_TOP_IN, _BOTTOM_IN = 0.74, 1.5
_TRAIL_S, _PATH_S = 2.0, 3.0
# The embedding moves back and forth within a step: the line is its mean over about so long.
_SMOOTH_S = 0.12
_LEGEND_ROWS = 5
_VEIL = 0.72


class Stage:
    """Draws the moments of a scene, each the same whatever was drawn before.

    What never changes is drawn once; a moment is drawn on a copy of it.

    Args:
        scene: What to show.
        rows: ``(F,)`` the frames that will be asked for; the bars reach from the first to the last of them.
        width, height: Pixels.
    """

    def __init__(self, scene: Scene, rows: NDArray[np.int64], width: int, height: int) -> None:
        self._scene = scene
        self._rows = rows
        # Small pictures are laid out as smaller ones with relatively larger letters.
        self._inches = _HEIGHT_IN * max(_LEAST_SCALE, min(1.0, height / 720))
        dpi = height / self._inches
        self._figure = Figure(figsize=(width / dpi, self._inches), dpi=dpi, facecolor="white")
        self._canvas = FigureCanvasAgg(self._figure)
        self._moving: list[tuple[Axes, Artist]] = []
        self._low, self._high = _BOTTOM_IN / self._inches, 1 - _TOP_IN / self._inches
        self._heading()
        self._build_body()
        self._build_embedding()
        self._build_bars()
        self._build_legend()
        self._canvas.draw()  # type: ignore[no-untyped-call]
        self._background = self._canvas.copy_from_bbox(self._figure.bbox)  # type: ignore[no-untyped-call]

    def draw(self, row: int) -> NDArray[np.uint8]:
        """The moment of frame `row`: ``(height, width, 3)``."""
        self._canvas.restore_region(self._background)  # type: ignore[no-untyped-call]
        self._move_body(row)
        self._move_embedding(row)
        self._move_bars(row)
        for axes, artist in self._moving:
            axes.draw_artist(artist)
        return np.array(np.asarray(self._canvas.buffer_rgba())[..., :3])  # type: ignore[no-untyped-call]

    def _add(self, axes: Axes, artist: Artist) -> None:
        """An artist that moves: not part of the background."""
        artist.set_animated(True)
        self._moving.append((axes, artist))

    # Heading.

    def _heading(self) -> None:
        inch = 1 / self._inches
        most = int((self._figure.get_figwidth() * 0.95) / 0.066)
        remark = self._scene.remark
        remark = remark if len(remark) <= most else remark[: most - 1] + "…"
        for text, down, size, color, weight in (
            (self._scene.title, 0.25, 14, _INK, "bold"),
            (remark, 0.5, 9, _SOFT, "normal"),
        ):
            self._figure.text(0.03, 1 - down * inch, text, fontsize=size, fontweight=weight, color=color, va="center")

    # Body.

    def _build_body(self) -> None:
        axes = self._figure.add_axes((0.0, self._low, 0.56, self._high - self._low))
        axes.set_axis_off()
        top = self._highest()
        axes.set_ylim(-0.45, top)
        x, y = axes.transAxes.transform((1, 1)) - axes.transAxes.transform((0, 0))
        wide = (top + 0.45) * x / y / 2  # as long a unit as upwards
        axes.set_xlim(-1.14 * wide, 0.86 * wide)  # room for what is written on the left
        self._body_axes = axes
        self._floor = LineCollection([], linewidths=0.8)
        self._path = LineCollection([], linewidths=2.0, capstyle="round")
        self._shadow = LineCollection([], linewidths=5, colors="#EDF0F3", capstyle="round")
        # Far limbs first, in a lighter tone, then the trunk, then the near ones.
        self._limbs = {side: LineCollection([], capstyle="round") for side in (-1, 0, 1)}
        for artist in (self._floor, self._path, self._shadow, *self._limbs.values()):
            axes.add_collection(artist, autolim=False)
            self._add(axes, artist)
        self._head = Line2D([], [], linestyle="none", marker="o", markersize=16, markeredgewidth=0)
        axes.add_line(self._head)
        self._add(axes, self._head)
        self._now = axes.text(
            0.055, 0.98, "", transform=axes.transAxes, fontsize=12, fontweight="bold", va="top", ha="left"
        )
        self._add(axes, self._now)
        self._clock = axes.text(
            0.055, 0.98, "", transform=axes.transAxes, fontsize=10, color=_SOFT, va="top", ha="left"
        )
        below = ScaledTranslation(0, -0.32, self._figure.dpi_scale_trans)
        self._clock.set_transform(axes.transAxes + below)
        self._add(axes, self._clock)

    def _highest(self) -> float:
        """How high the picture has to reach, for the body with its arms up and off the floor."""
        heights = self._scene.positions[int(self._rows[0]) : int(self._rows[-1]) + 1, :, 1]
        seen = heights[np.isfinite(heights)]
        return min(max(1.95, float(seen.max()) + 0.1), 3.0) if seen.size else 1.95

    def _move_body(self, row: int) -> None:
        scene = self._scene
        centre = scene.follow[row]
        color = self._found_color(int(scene.predicted[row]))
        lines, shades = floor_lines(centre)
        self._floor.set_segments(list(projected(lines, centre)))
        self._floor.set_color([(0.79, 0.82, 0.86, shade) for shade in shades])
        self._draw_path(row, centre)
        points = scene.positions[row]
        shade_points = points.copy()
        shade_points[:, 1] = 0.0
        shadow = projected(shade_points, centre)
        self._shadow.set_segments([shadow[[a, b]] for a, b, _ in scene.bones])
        flat = projected(points, centre)
        for side, tone, width in ((-1, lighter(color, 0.5), 3.6), (0, color, 4.4), (1, color, 3.8)):
            self._limbs[side].set_segments([flat[[a, b]] for a, b, s in scene.bones if s == side])
            self._limbs[side].set_color(tone)
            self._limbs[side].set_linewidth(width)
        if scene.head is not None:
            self._head.set_data(flat[scene.head, :1], flat[scene.head, 1:])
            self._head.set_color(color)
        self._now.set_text(self._found_name(int(scene.predicted[row])))
        self._now.set_color(ink_on(color))
        self._now.set_bbox({"boxstyle": "round,pad=0.35", "facecolor": color, "edgecolor": "none"})
        known = "" if scene.truth is None else f"   known: {scene.names.get(int(scene.truth[row]), '')}"
        self._clock.set_text(f"{scene.times[row]:.1f} s{known}")

    def _draw_path(self, row: int, centre: NDArray[np.float64]) -> None:
        """Where the body has been, on the floor, in the colours of what it did there."""
        scene = self._scene
        first = max(int(self._rows[0]), int(np.searchsorted(scene.times, scene.times[row] - _PATH_S)))
        rows = np.unique(np.linspace(first, row, 40).round().astype(int))
        spots = np.column_stack([scene.follow[rows, 0], np.zeros(len(rows)), scene.follow[rows, 1]])
        near = np.linalg.norm(scene.follow[rows] - centre, axis=1) < 3.0
        flat = projected(spots, centre)
        pairs = [(i, j) for i, j in pairwise(range(len(rows))) if near[i] and near[j]]
        self._path.set_segments([flat[[i, j]] for i, j in pairs])
        fading = [0.3 + 0.7 * (1 - (j + 1) / len(rows)) for _, j in pairs]
        colors = [self._found_color(int(scene.predicted[rows[j]])) for _, j in pairs]
        self._path.set_color([lighter(color, share) for color, share in zip(colors, fading, strict=True)])

    # Embedding.

    def _build_embedding(self) -> None:
        scene = self._scene
        legend = self._legend_rows() * 0.19 / self._inches
        title = 0.2 / self._inches
        high = self._high - self._low - legend - 2 * title
        axes = self._figure.add_axes((0.575, self._low + legend + title, 0.395, high))
        axes.set_xticks([])
        axes.set_yticks([])
        axes.spines[:].set_color(_FAINT)
        axes.set_title(
            f"embedding in 2-D (PCA, {scene.share:.0%} of variance)",
            fontsize=8.5, color=_SOFT, loc="left", pad=5,
        )  # fmt: skip
        axes.plot(*scene.points.T, linestyle="none", marker="o", markersize=2.2, color=_FAINT, markeredgewidth=0)
        axes.margins(0.06)
        axes.autoscale_view()
        axes.set_xlim(axes.get_xlim())
        axes.set_ylim(axes.get_ylim())
        self._point_labels = scene.predicted[scene.point_frames]
        apart = float(np.median(np.diff(scene.times[scene.point_frames]))) if len(scene.points) > 1 else 1.0
        self._smooth = gaussian_filter1d(scene.points, max(_SMOOTH_S / max(apart, 1e-6), 1e-3), axis=0, mode="nearest")
        self._visited = {}
        for label in (*scene.key.found, -1):
            line = Line2D(
                [], [], linestyle="none", marker="o", markersize=3.6, markeredgewidth=0, alpha=0.55,
                color=self._found_color(label),
            )  # fmt: skip
            axes.add_line(line)
            self._add(axes, line)
            self._visited[label] = line
        self._trail = Line2D([], [], color=_INK, linewidth=1.3, alpha=0.75, solid_capstyle="round")
        self._here = Line2D([], [], linestyle="none", marker="o", markersize=9, markeredgecolor="white")
        for line in (self._trail, self._here):
            axes.add_line(line)
            self._add(axes, line)

    def _move_embedding(self, row: int) -> None:
        scene = self._scene
        first = int(np.searchsorted(scene.point_frames, self._rows[0]))
        last = int(np.searchsorted(scene.point_frames, row, side="right"))
        for label, line in self._visited.items():
            mine = scene.points[first:last][self._point_labels[first:last] == label]
            line.set_data(mine[:, 0], mine[:, 1])
        times = scene.times[scene.point_frames[first:last]]
        tail = self._smooth[first + int(np.searchsorted(times, scene.times[row] - _TRAIL_S)) : last]
        self._trail.set_data(tail[:, 0], tail[:, 1])
        self._here.set_data(tail[-1:, 0], tail[-1:, 1])
        self._here.set_markerfacecolor(self._found_color(int(scene.predicted[row])))

    # Bars.

    def _build_bars(self) -> None:
        scene = self._scene
        known = scene.truth is not None
        inch = 1 / self._inches
        axes = self._figure.add_axes((0.11, 0.5 * inch, 0.86, (_BOTTOM_IN - 0.6) * inch))
        start, stop = (float(scene.times[self._rows[i]]) for i in (0, -1))
        axes.set_xlim(start, max(stop, start + 1e-3))
        axes.set_ylim(-0.12, 2.02 if known else 1.02)
        axes.spines[:].set_visible(False)
        axes.tick_params(length=2, color=_PALE, labelcolor=_SOFT, labelsize=8.5)
        axes.set_yticks([])
        axes.xaxis.set_major_locator(MaxNLocator(10, steps=[1, 2, 2.5, 5, 10]))
        axes.set_xlabel("time (s)", fontsize=8.5, color=_SOFT, labelpad=2)
        self._bars_axes = axes
        if scene.decided:
            self._figure.text(
                0.97, 0.13 * inch, "○─| a boundary, and when it was certain", fontsize=8, color=_SOFT, ha="right",
                va="center",
            )  # fmt: skip
        floor = 1.0 if known else 0.0
        self._row(axes, "predicted", scene.predicted, floor)
        if scene.truth is not None:
            self._row(axes, "known", scene.truth, 0.0, known=True)
        # What is still to come lies behind a veil.
        self._veil = Rectangle((start, -0.12), 0, 2.2, facecolor="white", alpha=_VEIL, linewidth=0)
        self._cursor = Line2D([], [], color=_INK, linewidth=1.8, solid_capstyle="butt")
        self._emitted = Line2D([], [], color=_INK, linewidth=1.1, marker="|", markersize=6)
        self._emitted_at = Line2D(
            [], [], linestyle="none", marker="o", markersize=4.5, color=_INK, markerfacecolor="white", zorder=5
        )
        for artist in (self._veil, self._emitted, self._emitted_at, self._cursor):
            axes.add_artist(artist)
            artist.set_clip_on(artist is self._veil)
            self._add(axes, artist)

    def _row(self, axes: Axes, name: str, labels: NDArray[np.int64], floor: float, *, known: bool = False) -> None:
        scene = self._scene
        axes.annotate(
            name, (0, floor + 0.45), (-8, 0), xycoords=("axes fraction", "data"), textcoords="offset points",
            ha="right", va="center", fontsize=9.5, color=_INK,
        )  # fmt: skip
        first, last = int(self._rows[0]), int(self._rows[-1])
        cuts = np.flatnonzero(np.diff(labels[first : last + 1])) + first + 1
        inches = self._figure.get_figwidth() * 0.86 / max(1e-3, float(scene.times[last] - scene.times[first]))
        for begin, end in pairwise([first, *cuts.tolist(), last]):
            if end <= begin:
                continue
            left, right = float(scene.times[begin]), float(scene.times[end])
            label = int(labels[begin])
            color = scene.key.known.get(label, NOTHING) if known else self._found_color(label)
            axes.add_patch(
                Rectangle((left, floor + 0.02), right - left, 0.86, facecolor=color, edgecolor="white", linewidth=1.0)
            )
            text = scene.names.get(label, "") if known else self._bar_name(label)
            if (right - left) * inches > 0.075 * len(text) + 0.08:
                axes.text(
                    (left + right) / 2, floor + 0.44, text, ha="center", va="center", fontsize=8.5,
                    color=ink_on(color), clip_on=True,
                )  # fmt: skip

    def _move_bars(self, row: int) -> None:
        scene = self._scene
        now = float(scene.times[row])
        left, right = self._bars_axes.get_xlim()
        self._veil.set_bounds(now, -0.12, max(right - now, 0.0), 2.2)
        top = 2.02 if scene.truth is not None else 1.02
        self._cursor.set_data([now, now], [-0.12, top])
        emitted = [(scene.times[at], scene.times[when]) for at, when in scene.decided if when <= row]
        emitted = [(at, when) for at, when in emitted if left <= at]
        x = [value for at, when in emitted for value in (at, when, np.nan)]
        self._emitted.set_data(x, [top - 0.12] * len(x))
        self._emitted_at.set_data([at for at, _ in emitted], [top - 0.12] * len(emitted))

    # Legend.

    def _build_legend(self) -> None:
        rows = self._legend_rows()
        axes = self._figure.add_axes((0.575, self._low, 0.395, rows * 0.19 / self._inches))
        axes.set_axis_off()
        axes.set_xlim(0, 1)
        axes.set_ylim(rows, 0)
        entries = self._entries()
        columns = -(-len(entries) // rows)
        for place, (color, text) in enumerate(entries):
            x, y = place // rows / columns, place % rows + 0.5
            axes.plot(x + 0.012, y, marker="s", markersize=6.5, color=color, clip_on=False)
            most = int((self._figure.get_figwidth() * 0.395 / columns - 0.16) / 0.066)
            text = text if len(text) <= most else text[: most - 1] + "…"
            axes.annotate(
                text, (x + 0.012, y), (8, 0), textcoords="offset points", fontsize=8.5, color=_INK, va="center"
            )

    def _legend_rows(self) -> int:
        return min(_LEGEND_ROWS, -(-len(self._entries()) // 2))

    def _entries(self) -> list[tuple[str, str]]:
        """Colour and name of what is seen in these frames."""
        scene, shown = self._scene, slice(int(self._rows[0]), int(self._rows[-1]) + 1)
        found = set(scene.predicted[shown].tolist())
        known = set() if scene.truth is None else set(scene.truth[shown].tolist())
        entries = [
            (color, self._found_name(label).removeprefix("label ") if self._named(label) else self._found_name(label))
            for label, color in scene.key.found.items()
            if label in found
        ]
        matched = {scene.key.match.get(label) for label in found}
        return entries + [
            (color, f"missed: {scene.names.get(name, name)}")
            for name, color in scene.key.known.items()
            if name in known - matched
        ]

    # Labels.

    def _found_color(self, label: int) -> str:
        return self._scene.key.found.get(label, NOTHING)

    def _bar_name(self, label: int) -> str:
        return self._named(label) or (f"label {label}" if label >= 0 else "")

    def _named(self, label: int) -> str | None:
        return self._scene.names.get(self._scene.key.match.get(label, -1))

    def _found_name(self, label: int) -> str:
        if label < 0:
            return "no label"
        name = self._named(label)
        return f"label {label}" + (f" ≈ {name}" if name else "")
