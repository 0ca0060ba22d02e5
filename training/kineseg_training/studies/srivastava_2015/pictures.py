"""Pictures of the experiments with the composite LSTM."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from kineseg.motion import CANONICAL_BONES, CANONICAL_JOINTS
from kineseg.motion.canonical import canonical_positions
from numpy.typing import NDArray

from kineseg_training.studies.srivastava_2015.extrapolation.results import Reach
from kineseg_training.studies.srivastava_2015.scores import GOES_ON, MEAN, STAYS

if TYPE_CHECKING:  # a second to import
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_DPI = 120
_READ, _PAST, _FUTURE, _TRUTH = "#222222", "#009E73", "#D55E00", "#8a8a8a"
_COLOURS = {
    "predict": "#7CC4F2",
    "predict, conditional": "#0072B2",
    "composite": "#F0A500",
    "composite, conditional": "#D55E00",
    STAYS: "#222222",
    GOES_ON: "#9a9a9a",
    MEAN: "#CC79A7",
}
_BONES = tuple((CANONICAL_JOINTS.index(a), CANONICAL_JOINTS.index(b)) for a, b in CANONICAL_BONES)


def draw_variants(
    path: Path,
    future: Mapping[str, NDArray[np.float64]],
    past: Mapping[str, NDArray[np.float64]],
    ahead: Mapping[str, float],
    back: float,
) -> None:
    """Errors of all runs of each variant.

    Args:
        path: PNG to write.
        future: ``(runs,)`` by variant.
        past: The same of those that reconstruct.
        ahead: Of predictions that need no model, by name.
        back: Of the reconstruction that needs none.
    """
    names = list(future)
    figure = _figure(11.5, 0.42 * len(names) + 2.0)
    left, right = figure.subplots(1, 2, sharey=True)
    for axes, found, label in ((left, future, "prediction error"), (right, past, "reconstruction error")):
        for row, name in enumerate(names):
            if name not in found:
                axes.text(
                    *(0.5, row, "does not reconstruct"),
                    transform=axes.get_yaxis_transform(),
                    ha="center",
                    va="center",
                    color="grey",
                    backgroundcolor="white",
                )
                continue
            probe = label.startswith("prediction") and name.startswith("reconstruct")
            colour = _COLOURS.get(name, "#555555")
            axes.plot(found[name], [row] * len(found[name]), "o", ms=6, color=colour, mfc="none" if probe else colour)
            axes.plot([found[name].mean()] * 2, [row - 0.28, row + 0.28], color=colour, lw=2)
        axes.set_xlabel(f"{label}\n(squared normalised channels, mean over actions)")
        axes.grid(axis="x", alpha=0.3)
    # Linear extrapolation is several times as far off as the rest, which would all look the same beside it.
    for name, value in ahead.items():
        if value < 1.5 * max(values.max() for values in future.values()):
            left.axvline(value, color=_COLOURS[name], ls="--", lw=1.2, label=name)
    right.axvline(back, color="#222222", ls="--", lw=1.2, label="mean of the frames read")
    left.set_yticks(range(len(names)), names)
    left.invert_yaxis()
    for axes in (left, right):
        axes.legend(fontsize="small", loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, frameon=False)
    _save(figure, path)


def draw_ahead(
    path: Path,
    errors: Mapping[str, NDArray[np.float64]],
    baselines: Mapping[str, NDArray[np.float64]],
    rate: float,
    trained: int,
) -> None:
    """Error against how far ahead a frame is; `trained` frames were predicted in training, at `rate` a second."""
    figure = _figure(8.0, 4.6)
    axes = figure.subplots()
    for name, values in errors.items():
        axes.plot(_seconds(values, rate), values, color=_COLOURS.get(name, "#D55E00"), lw=2, label=name)
    for name, values in baselines.items():
        axes.plot(_seconds(values, rate), values, color=_COLOURS[name], ls="--", lw=1.3, label=name)
    highest = max(float(values.max()) for values in (*errors.values(), baselines[STAYS], baselines[MEAN]))
    axes.set_ylim(0, 1.15 * highest)
    _mark_trained(axes, trained / rate, "trained to here", longest=len(baselines[STAYS]) / rate)
    axes.set(xlabel="ahead of the last frame read (s)", ylabel="error (squared normalised channels)")
    axes.grid(alpha=0.3)
    axes.legend(fontsize="small", loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)
    _save(figure, path)


def _seconds(values: NDArray[np.float64], rate: float) -> NDArray[np.float64]:
    return np.arange(1, len(values) + 1) / rate


def _mark_trained(axes: Axes, at: float, text: str, longest: float) -> None:
    if at < longest:
        axes.axvline(at, color="grey", lw=1)
        axes.annotate(
            f" {text}", (at, 0.98), xycoords=("data", "axes fraction"), va="top", fontsize="small", color="grey"
        )


def draw_reach(path: Path, found: Reach, rate: float, label: str) -> None:
    """Error along time, the last frame read at 0, in seconds at `rate` or in frames if that is 0."""
    figure = _figure(9.5, 4.4)
    axes = figure.subplots()
    per = rate or 1.0
    times = (found.first + np.arange(len(found.model))) / per
    axes.axvspan((1 - found.source) / per, 0, color=_PAST, alpha=0.12, lw=0, label="read")
    axes.axvspan(0, found.target / per, color=_FUTURE, alpha=0.12, lw=0, label="predicted in training")
    back = times <= 0
    axes.plot(times[back], found.model[back], color=_PAST, lw=2, label="model, decoded backwards")
    axes.plot(times[~back], found.model[~back], color=_FUTURE, lw=2, label="model, predicted")
    for name, values in found.baselines.items():
        shown = name if name != STAYS else "the last (first) frame read stays"
        axes.plot(times, values, color=_COLOURS[name], ls="--", lw=1.3, label=shown)
    heights = [found.model, *(values for name, values in found.baselines.items() if name != GOES_ON)]
    axes.set_ylim(0, 1.12 * max(float(np.nanmax(values)) for values in heights))
    axes.set(xlabel=f"time from the last frame read ({'s' if rate else 'frames'})", ylabel=label)
    axes.grid(alpha=0.3)
    axes.legend(fontsize="small", loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)
    _save(figure, path)


def draw_poses(
    path: Path,
    examples: Sequence[tuple[str, NDArray[np.float64], NDArray[np.float64]]],
    first: int,
    source: int,
    target: int,
    rate: float,
    every: int,
) -> None:
    """Stick figures: what was, and what the model makes of it.

    Args:
        path: PNG to write.
        examples: Name, true frames ``(T, 59)`` and the model's of the same moments.
        first: When the first frame is, in frames from the last one read.
        source: Frames read.
        target: Frames predicted in training.
        rate: Frames per second.
        every: Draw one frame of so many.
    """
    columns = range(-first % every, len(examples[0][1]), every)
    figure = _figure(0.7 * len(columns) + 0.8, 2.3 * len(examples))
    grid = figure.subplots(2 * len(examples), len(columns), squeeze=False)
    for number, (name, truth, model) in enumerate(examples):
        for row, frames, what in ((2 * number, truth, "truth"), (2 * number + 1, model, "model")):
            points = canonical_positions(frames)
            for column, index in enumerate(columns):
                axes = grid[row, column]
                when = first + index
                read, ahead = 1 - source <= when <= 0, when > 0
                colour = (_READ if read else _TRUTH) if what == "truth" else (_FUTURE if ahead else _PAST)
                _stick(axes, points[index], colour)
                trained = 1 - source <= when <= target
                if what == "model" and not trained:
                    axes.set_facecolor("#f1ece4")
                if row == 2 * number:
                    axes.set_title(f"{when / rate:+.2f} s" if when else "0 s", fontsize=9)
                if column == 0:
                    axes.set_ylabel(f"{name}\n{what}" if what == "truth" else what, fontsize=9)
    _save(figure, path)


def _stick(axes: Axes, points: NDArray[np.float64], colour: str) -> None:
    """One body ``(19, 3)``, seen half from the side, so that arms and steps are both seen."""
    turn = np.deg2rad(50.0)
    across = points[:, 2] * np.sin(turn) - points[:, 0] * np.cos(turn)
    for a, b in _BONES:
        axes.plot(across[[a, b]], points[[a, b], 1], color=colour, lw=1.6, solid_capstyle="round")
    head = CANONICAL_JOINTS.index("head")
    axes.plot(across[head], points[head, 1], "o", color=colour, ms=4.5)
    axes.set(xlim=(-0.75, 0.75), ylim=(-0.1, 1.7), xticks=[], yticks=[], aspect="equal")
    for spine in axes.spines.values():
        spine.set_visible(False)


def draw_films(
    path: Path, examples: Sequence[tuple[str, NDArray[np.float32], NDArray[np.float32]]], source: int, target: int
) -> None:
    """Films as strips: what was, and what the model makes of it.

    Args:
        path: PNG to write.
        examples: Name, true frames ``(T, side, side)`` and the model's of the same moments, values in [0, 1].
        source: Frames read, the first of the film.
        target: Frames predicted in training.
    """
    length = len(examples[0][1])
    figure = _figure(max(0.47 * length + 1.0, 9.0), 1.2 * len(examples) + 0.9)
    grid = figure.subplots(len(examples), 1, squeeze=False)
    for number, (name, truth, model) in enumerate(examples):
        axes = grid[number, 0]
        side, gap = truth.shape[1], max(1, truth.shape[1] // 16)
        strip = np.full((2 * side + gap, length * (side + gap) - gap, 3), 1.0)
        for row, frames in enumerate((truth, model)):
            for index, frame in enumerate(frames):
                top, left = row * (side + gap), index * (side + gap)
                tint = np.ones(3) if row == 0 else _tint(index, source, target)
                strip[top : top + side, left : left + side] = frame[..., None] * tint
        axes.imshow(np.clip(strip, 0, 1), interpolation="nearest")
        axes.set_yticks([side / 2, side + gap + side / 2], [f"{name}\ntruth", "model"], fontsize=9)
        axes.tick_params(length=0)
        axes.set_xticks([])
        for spine in axes.spines.values():
            spine.set_visible(False)
    shown = [index for index in range(length) if index == 0 or (index - source + 1) % 5 == 0]
    last = grid[-1, 0]
    last.set_xticks([index * (side + gap) + side / 2 for index in shown], [f"{i - source + 1:+d}" for i in shown])
    last.set_xlabel(
        "frame; 0 is the last one read\n"
        f"model: white, the {source} frames read, given back · yellow, predicted as far as in training ({target}) · "
        "orange, beyond",
        fontsize=10,
    )
    _save(figure, path)


def _tint(index: int, source: int, target: int) -> NDArray[np.float64]:
    if index < source:
        return np.ones(3)
    return np.array([1.0, 0.9, 0.35]) if index < source + target else np.array([1.0, 0.6, 0.3])


def draw_units(path: Path, panels: Sequence[tuple[str, NDArray[np.float32], float]], trained: Sequence[int]) -> None:
    """Activity of units of decoders that run on by themselves.

    Args:
        path: PNG to write.
        panels: Title, ``(T, H)`` activity in [-1, 1], and frames a second (0: label the frames).
        trained: Frames predicted in training, one a panel.
    """
    figure = _figure(11.0, 3.3 * len(panels))
    grid = figure.subplots(len(panels), 1, squeeze=False)
    for axes, (title, activity, rate), until in zip(grid[:, 0], panels, trained, strict=True):
        per = rate or 1.0
        image = axes.imshow(
            activity.T,
            aspect="auto",
            cmap="RdBu_r",
            vmin=-1,
            vmax=1,
            interpolation="nearest",
            extent=(0.5 / per, (len(activity) + 0.5) / per, activity.shape[1], 0),
        )
        axes.axvline((until + 0.5) / per, color="black", lw=1.2)
        axes.set_title(title, fontsize=10, loc="left")
        axes.set(
            xlabel=f"ahead of the last frame read ({'s' if rate else 'frames'}); line: trained to here", ylabel="unit"
        )
        figure.colorbar(image, ax=axes, label="activity", fraction=0.03, pad=0.01)
    _save(figure, path)


def _figure(width: float, height: float) -> Figure:
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def _save(figure: Figure, path: Path) -> None:
    figure.savefig(path, dpi=_DPI, metadata={"Software": None})
