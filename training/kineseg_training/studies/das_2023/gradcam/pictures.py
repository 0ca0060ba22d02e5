"""Class activation drawn: on figures of the moving body, as joint by time maps, and as an animation."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import imageio.v3 as imageio
import numpy as np
from kineseg.motion import CANONICAL_BONES, CANONICAL_JOINTS, canonical_positions
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure
from numpy.typing import NDArray

from kineseg_training.errors import DataError
from kineseg_training.files import write_atomically
from kineseg_training.studies.das_2023.gradcam.maps import Activation

Array = NDArray[np.float64]

# Nothing, then warmer; grey like the bones where a joint has no say.
COLOURS = LinearSegmentedColormap.from_list("activation", ["#d9d9d9", "#fdcc8a", "#fc8d59", "#d7301f", "#7f0000"])
_BONE, _INK = "#9a9a9a", "#333333"
_PLACE = {joint: i for i, joint in enumerate(CANONICAL_JOINTS)}
_BONES = [(_PLACE[a], _PLACE[b]) for a, b in CANONICAL_BONES]
# The body is seen from its front right, so that who walks walks to the right.
_VIEW_RAD = np.radians(55.0)
_FIGURES, _APART, _MARGIN = 7, 0.75, 0.45  # in a strip; body sizes between them and at its ends
_TALL = 1.35  # body sizes, at least
# Joints between which a map has a line: trunk, left arm, right arm, left leg, right leg.
_LIMBS = ("left_shoulder", "right_shoulder", "left_hip", "right_hip")
_GIF_WIDTH_IN, _GIF_DPI = 7.5, 80


def activation_figure(frames: NDArray[np.floating], activations: Sequence[Activation], rate: float) -> Figure:
    """One row a layer: the body at some moments, each joint as large and as warm as it speaks for the action, and
    beside it the same for all joints and times.

    Each layer has its own scale, from nothing to its largest value; layers are in different units.

    Args:
        frames: ``(T, 59)`` channel units, the clip.
        activations: Of one action, at one or more layers.
        rate: Frames per second.

    Raises:
        DataError: No activations, or of another clip.
    """
    body = _seen(frames, activations)
    figure = Figure(figsize=(13.0, 0.7 + 2.5 * len(activations)), dpi=120, layout="constrained")
    grid = figure.subplots(len(activations), 2, width_ratios=(1.75, 1.0), squeeze=False)
    chosen = np.linspace(0, len(frames) - 1, _FIGURES).round().astype(int)
    reach = body[chosen, :, 0] + _APART * np.arange(_FIGURES)[:, None]
    for row, activation in zip(grid, activations, strict=True):
        values = activation.relative()
        strip, heat = row
        for number, frame in enumerate(chosen):
            _draw_body(strip, body[frame] + [_APART * number, 0.0], values[frame])
        strip.set(xlim=(min(-_MARGIN, reach.min() - 0.05), max(_APART * (_FIGURES - 1) + _MARGIN, reach.max() + 0.05)))
        strip.set(ylim=(-0.08, _top(body)), yticks=[])
        strip.set_aspect("equal", anchor="S")
        strip.set_xticks(_APART * np.arange(_FIGURES), [f"{frame / rate:.1f}" for frame in chosen])
        strip.spines[["left", "right", "top"]].set_visible(False)
        strip.text(0.0, 1.0, _layer(activation.layer), transform=strip.transAxes, fontsize=12, color=_INK, va="top")
        _draw_map(heat, values, rate, chosen)
    for axes in grid[-1]:
        axes.set_xlabel("time (s)")
    first = activations[0]
    figure.suptitle(
        f"What speaks for “{_words(first.action)}” (probability {first.probability:.2f})", fontsize=14, color=_INK
    )
    bar = figure.colorbar(
        _scale(), ax=grid[:, 1].tolist(), shrink=0.6 if len(activations) > 1 else 1.0, aspect=30, pad=0.02
    )
    bar.set_label("activation (share of the layer's largest)")
    return figure


def write_animation(
    path: Path, frames: NDArray[np.floating], activations: Sequence[Activation], rate: float, every: int = 2
) -> None:
    """A GIF of the moving body, one beside the other for each layer, in real time.

    Args:
        path: To write.
        frames: ``(T, 59)`` channel units.
        activations: Of one action, at one or more layers.
        rate: Frames per second.
        every: Frames of the clip to one of the animation.

    Raises:
        DataError: No activations, or of another clip.
    """
    body = _seen(frames, activations)
    figure = Figure(figsize=(_GIF_WIDTH_IN, 3.2), dpi=_GIF_DPI)
    canvas = FigureCanvasAgg(figure)
    columns = figure.subplots(1, len(activations), squeeze=False)[0]
    for axes, activation in zip(columns, activations, strict=True):
        axes.set(xlim=(-0.85, 0.85), ylim=(-0.1, _top(body)), aspect="equal", xticks=[], yticks=[])
        axes.spines[["left", "right", "top"]].set_visible(False)
        axes.set_title(_layer(activation.layer), fontsize=11, color=_INK)
    figure.subplots_adjust(0.01, 0.12, 0.99, 0.9, wspace=0.02)
    pictures = []
    for frame in range(0, len(frames), every):
        drawn = [
            _draw_body(axes, body[frame], activation.relative()[frame], large=1.6)
            for axes, activation in zip(columns, activations, strict=True)
        ]
        figure.suptitle(f"{_words(activations[0].action)}, {frame / rate:.1f} s", fontsize=11, color=_INK, y=0.06)
        canvas.draw()  # type: ignore[no-untyped-call]
        pictures.append(np.asarray(canvas.buffer_rgba())[..., :3].copy())  # type: ignore[no-untyped-call]
        for bones, joints in drawn:
            bones.remove()
            joints.remove()
    content = imageio.imwrite(
        "<bytes>", np.stack(pictures), extension=".gif", plugin="pillow", duration=1000 * every / rate, loop=0
    )
    write_atomically(path, content)


def profile_figure(likeness: Mapping[str, Sequence[float]], layers: Sequence[str], spread: Sequence[float]) -> Figure:
    """Over the layers: how alike the maps of different actions are, and over how many joints they spread.

    Args:
        likeness: By the name of a line, one correlation a layer.
        layers: Their names.
        spread: Effective number of joints at each layer.
    """
    figure = Figure(figsize=(11.0, 3.9), dpi=120, layout="constrained")
    left, right = figure.subplots(1, 2)
    at = np.arange(len(layers))
    for (name, values), colour, marker in zip(
        likeness.items(), ("#0072B2", "#D55E00", "#777777"), ("o", "s", "^"), strict=False
    ):
        left.plot(at, values, marker=marker, color=colour, label=name)
    left.axhline(0.0, color="#bbbbbb", lw=1)
    left.set(ylabel="rank correlation of maps", ylim=(min(-0.25, *(min(v) for v in likeness.values())) - 0.05, 1.05))
    left.legend(fontsize="small", frameon=False)
    right.plot(at, spread, marker="o", color="#009E73")
    right.axhline(len(CANONICAL_JOINTS), color="#bbbbbb", lw=1, ls="--")
    right.annotate("all joints alike", (at[-1], len(CANONICAL_JOINTS)), (0, 3), textcoords="offset points", ha="right")
    right.set(ylabel="effective number of joints", ylim=(0, len(CANONICAL_JOINTS) + 2))
    for axes in (left, right):
        axes.set_xticks(at, [layer.replace("block", "") for layer in layers])
        axes.set_xlabel("layer (block of the ST-GCN)")
        axes.grid(alpha=0.3)
        axes.spines[["right", "top"]].set_visible(False)
    return figure


def write_picture(path: Path, figure: Figure) -> None:
    """As PNG."""
    content = io.BytesIO()
    figure.savefig(content, format="png", metadata={"Software": None})
    write_atomically(path, content.getvalue())


def _seen(frames: NDArray[np.floating], activations: Sequence[Activation]) -> Array:
    """``(T, V, 2)`` right and up, body sizes, the floor at 0."""
    if not activations:
        raise DataError("there are no activations to draw")
    for activation in activations:
        if activation.values.shape != (len(frames), len(CANONICAL_JOINTS)):
            raise DataError(
                f"{activation.layer}: activation of shape {activation.values.shape} does not belong to a clip of "
                f"{len(frames)} frames"
            )
    body = canonical_positions(frames)
    right = body[..., 0] * np.cos(_VIEW_RAD) + body[..., 2] * np.sin(_VIEW_RAD)
    return np.stack([right, body[..., 1]], axis=2)


def _top(body: Array) -> float:
    return max(_TALL, float(body[..., 1].max()) + 0.1)


def _draw_body(axes: Axes, points: Array, values: Array, large: float = 1.0) -> tuple[LineCollection, PathCollection]:
    lines = LineCollection(
        [points[list(bone)] for bone in _BONES], colors=_BONE, linewidths=2.0 * large, capstyle="round", zorder=1
    )
    axes.add_collection(lines)
    order = np.argsort(values)  # warm ones on top
    size = (9.0 + 75.0 * values) * large**2
    size[_PLACE["head"]] = max(size[_PLACE["head"]], 42.0 * large**2)
    joints = axes.scatter(
        points[order, 0],
        points[order, 1],
        s=size[order],
        c=COLOURS(values[order]),
        edgecolors="#666666",
        linewidths=0.4,
        zorder=2,
    )
    return lines, joints


def _draw_map(axes: Axes, values: Array, rate: float, chosen: NDArray[np.int_]) -> None:
    n_frames, n_joints = values.shape
    axes.imshow(
        values.T,
        aspect="auto",
        cmap=COLOURS,
        vmin=0.0,
        vmax=1.0,
        interpolation="nearest",
        extent=(-0.5 / rate, (n_frames - 0.5) / rate, n_joints - 0.5, -0.5),
    )
    axes.set_yticks(range(n_joints), [_words(joint) for joint in CANONICAL_JOINTS], fontsize=7.5)
    axes.tick_params(axis="y", length=0)
    for joint in _LIMBS:
        axes.axhline(_PLACE[joint] - 0.5, color="white", lw=1.5)
    axes.plot(chosen / rate, np.full(len(chosen), n_joints - 0.5), "^", color=_INK, ms=4, clip_on=False)
    axes.spines[:].set_visible(False)


def _scale() -> ScalarMappable:
    return ScalarMappable(Normalize(0.0, 1.0), COLOURS)


def _layer(name: str) -> str:
    return name.replace("block", "block ")


def _words(name: str) -> str:
    return name.replace("_", " ")
