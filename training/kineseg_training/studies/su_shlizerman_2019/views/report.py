"""What views of the embedding say about the paper: pictures, a table, findings in words, agreement, verdict."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from kineseg_training.files import write_atomically
from kineseg_training.studies.colors import action_colours
from kineseg_training.studies.exhibit import Agreement, Preset, Table
from kineseg_training.studies.states import DECODER, ENCODER, POSE
from kineseg_training.studies.su_shlizerman_2019.views.results import SIZES, View

# Windows of an action that are drawn, and components in the curve of the variance.
_DRAWN, _CURVE = 6, 20
# One colour a model, and the part by the way of drawing.
_MODELS = {"su": "#0072B2", "seq2seq": "#D55E00", "composite": "#009E73", "untrained": "#888888", "pose": "#222222"}
_NARROW = {"su": "tied GRU\n(Su & Shlizerman)", "seq2seq": "GRU\nof the service"}
_PALE = 0.45
# Low-dimensional we call what has an effective dimension of at most this share of the units.
_LOW = 0.1
_SHARE = 0.9


def draw_trajectories(
    path: Path,
    found: Sequence[View],
    projected: Sequence[NDArray[np.float64]],
    labels: NDArray[np.integer],
    actions: Sequence[str],
    axis: str,
) -> None:
    """One panel a view: a column a model, encoder above decoder.

    Args:
        path: PNG.
        found: V views.
        projected: V arrays ``(N, T, 2)`` or ``(N, T, 3)``.
        labels: ``(N,)`` of the windows.
        actions: Their names.
        axis: What the axes are, before their number.
    """
    columns = list(dict.fromkeys(view.subject.name for view in found))
    solid = projected[0].shape[2] == 3
    both = any(view.part == DECODER for view in found)
    figure = Figure(figsize=(max(3.1 * len(columns), 6.2), 3.2 * (1 + both) + 0.8), layout="constrained")
    colours = action_colours(actions)
    for view, points in zip(found, projected, strict=True):
        place = columns.index(view.subject.name) + 1 + (len(columns) if view.part == DECODER else 0)
        axes: Any = figure.add_subplot(1 + both, len(columns), place, projection="3d" if solid else None)
        _lines(axes, points, labels, [colours[action] for action in actions])
        axes.set_title(
            f"{_NARROW.get(view.subject.name, view.subject.title)}\n{view.part}"
            if view.part != POSE
            else "pose itself\nframes read",
            fontsize=11,
            pad=0 if solid else 6,
        )
        named = [f"{axis} {number}" for number in range(1, points.shape[2] + 1)]
        axes.set_xlabel(named[0], labelpad=-8 if solid else 4)
        axes.set_ylabel(named[1], labelpad=-8 if solid else 4)
        axes.tick_params(labelsize=7, pad=-3 if solid else 3)
        if solid:
            axes.set_zlabel(named[2], labelpad=-8)
            axes.set_box_aspect(None, zoom=0.97)
            axes.set(xticklabels=[], yticklabels=[], zticklabels=[])
    handles = [Line2D([], [], color=colours[action], linewidth=3, label=action.replace("_", " ")) for action in actions]
    figure.legend(
        handles=handles,
        loc="outside lower center",
        ncols=8 if len(columns) > 3 else 4 if len(columns) > 2 else 2,
        fontsize=11,
        frameon=False,
    )
    _save(figure, path)


def draw_variance(path: Path, found: Sequence[View]) -> None:
    """Explained variance of the first components, and effective dimensions."""
    figure = Figure(figsize=(11, 4.2), layout="constrained")
    curve, bars = figure.subplots(1, 2, width_ratios=(1.2, 1))
    for view in found:
        shares = view.components.explained[:_CURVE]
        curve.plot(np.arange(1, len(shares) + 1), 100 * shares, label=view.title, **_style(view))
    curve.axhline(90, color="0.6", linewidth=0.8, zorder=0)
    curve.set(xlabel="components", ylabel="variance held, %", ylim=(0, 102), xticks=range(0, _CURVE + 1, 5))
    curve.grid(alpha=0.25)
    curve.legend(fontsize=8, loc="lower right")
    _bars(bars, found, [view.components.effective_dimension for view in found], "{:.1f}")
    bars.set(xlabel="effective dimension (participation ratio)")
    _save(figure, path)


def draw_separation(path: Path, found: Sequence[View], chance: float) -> None:
    """Silhouette, Davies-Bouldin and recognition of held-out states; `chance` in percent."""
    figure = Figure(figsize=(14, 0.42 * len(found) + 1.3), layout="constrained")
    panels = figure.subplots(1, 3, sharey=True)
    _bars(panels[0], found, [view.separation.silhouette for view in found], "{:.2f}")
    _bars(panels[1], found, [view.separation.davies_bouldin for view in found], "{:.1f}")
    _bars(panels[2], found, [100 * view.recognised for view in found], "{:.0f}")
    panels[2].axvline(chance, color="0.3", linestyle="--", linewidth=1)
    panels[0].set(xlabel="silhouette of states (more is better)")
    panels[1].set(xlabel="Davies-Bouldin index (less is better)")
    panels[2].set(xlabel="windows recognised, % (more is better)")
    _save(figure, path)


def _lines(axes: Any, points: NDArray[np.float64], labels: NDArray[np.integer], colours: Sequence[str]) -> None:
    for label, colour in enumerate(colours):
        rows = np.flatnonzero(labels == label)
        for row in rows[np.unique(np.linspace(0, len(rows) - 1, _DRAWN).round().astype(int))]:
            axes.plot(*points[row].T, color=colour, linewidth=1.1, alpha=0.8)
            axes.plot(*points[row, :1].T, color=colour, marker="o", markersize=3, linestyle="none")


def _bars(axes: Any, found: Sequence[View], values: Sequence[float], form: str) -> None:
    places = np.arange(len(found))[::-1]
    for place, view, value in zip(places, found, values, strict=True):
        axes.barh(place, value, color=_MODELS[view.subject.name], alpha=1.0 if view.part == DECODER else _PALE)
    for place, value in zip(places, values, strict=True):
        axes.annotate(
            form.format(value),
            (max(value, 0.0), place),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=9,
        )
    axes.axvline(0, color="0.3", linewidth=0.8)
    axes.set_yticks(places, [view.title for view in found], fontsize=9)
    axes.margins(x=0.12)
    axes.spines[["top", "right"]].set_visible(False)


def _style(view: View) -> dict[str, Any]:
    return {
        "color": _MODELS[view.subject.name],
        "linestyle": "-" if view.part == DECODER else ":" if view.part == POSE else "--",
        "linewidth": 1.8,
    }


def _save(figure: Figure, path: Path) -> None:
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=120, metadata={"Software": None})
    write_atomically(path, picture.getvalue())


def table(found: Sequence[View], preset: Preset) -> Table:
    """Every view in figures."""
    read, decoded, each = SIZES[preset]
    return Table(
        (
            "states of",
            "units",
            "components for 90 %",
            "effective dimension",
            "silhouette, training",
            "silhouette, held out",
            "in 3 components",
            "of windows",
            "Davies-Bouldin",
            "ARI k-means",
            "ARI agglomerative",
            "recognised, %",
        ),
        tuple(
            (
                view.title,
                view.units,
                view.components.needed(_SHARE),
                view.components.effective_dimension,
                view.training_silhouette,
                view.separation.silhouette,
                view.few_silhouette,
                view.window_silhouette,
                view.separation.davies_bouldin,
                view.separation.ari_kmeans,
                view.separation.ari_agglomerative,
                100.0 * view.recognised,
            )
            for view in found
        ),
        f"States of {each} windows of each CMU action: {read} frames read (encoder), {decoded} decoded after them "
        "(decoder), every state labelled with the action. Components are those of the training windows; what is right "
        "of the training silhouette is of held-out clips. Recognised: windows whose nearest training window, each as "
        "the mean of its states, is of the same action (mean over the actions). Where an action has one test clip, "
        "its states are near each other for being of one take, too; only the last column is free of that.",
    )


def conclude(found: Sequence[View]) -> tuple[Agreement, str, tuple[str, ...]]:
    """Agreement, verdict and findings."""
    by_name = {(view.subject.name, view.part): view for view in found}
    trained = [view for view in found if view.part == DECODER and view.subject.name != "untrained"]
    if not trained:
        return "not compared", "No trained model was looked at.", ()
    findings = [
        f"{view.subject.title}: {view.components.needed(_SHARE)} of {view.units} components hold "
        f"{_SHARE:.0%} of the variance of the decoder states; their effective dimension is "
        f"{view.components.effective_dimension:.1f}, that of the encoder states "
        f"{by_name[view.subject.name, ENCODER].components.effective_dimension:.1f}."
        for view in trained
    ]
    controls = [by_name[key] for key in (("untrained", DECODER), ("pose", POSE)) if key in by_name]
    if controls:
        lowest = min(view.components.effective_dimension for view in trained)
        learned = all(view.components.effective_dimension > lowest for view in controls)
        findings.append(
            "Beside them, "
            + ", ".join(
                f"{view.title}: effective dimension {view.components.effective_dimension:.1f}" for view in controls
            )
            + f". {'Training lowers it.' if learned else 'So few dimensions are not the work of training.'}"
        )
    ranked = sorted(found, key=lambda view: -view.separation.silhouette)
    findings.append(
        "Held-out states by silhouette, best first: "
        + ", ".join(f"{view.title} {view.separation.silhouette:.2f}" for view in ranked)
        + "."
    )
    ranked = sorted(found, key=lambda view: -view.recognised)
    findings.append(
        "Held-out windows recognised by the nearest training window, best first: "
        + ", ".join(f"{view.title} {view.recognised:.0%}" for view in ranked)
        + "."
    )
    chosen = by_name.get(("su", DECODER), trained[0])
    others = [
        (what, by_name[key].separation.silhouette)
        for key, what in (
            ((chosen.subject.name, ENCODER), "its encoder states"),
            (("pose", POSE), "the poses read"),
            (("untrained", DECODER), "the decoder states of an untrained GRU"),
        )
        if key in by_name
    ]
    silhouette_here, dimension = chosen.separation.silhouette, chosen.components.effective_dimension
    low = dimension <= _LOW * chosen.units
    better = [f"{what} ({value:.2f})" for what, value in others if silhouette_here > value]
    not_better = [f"{what} ({value:.2f})" for what, value in others if silhouette_here <= value]
    verdict = (
        f"Decoder states of the {chosen.subject.title} {'lie' if low else 'do not lie'} in few dimensions (effective "
        f"dimension {dimension:.1f} of {chosen.units} units); on held-out clips they separate actions (silhouette "
        f"{silhouette_here:.2f})"
    )
    verdict += f" better than {_listed(better)}" if better else ""
    verdict += f"{', but' if better else ''} not better than {_listed(not_better)}" if not_better else ""
    agreement: Agreement = "agrees" if low and not not_better else "partly" if low or better else "disagrees"
    return agreement, verdict + ".", tuple(findings)


def _listed(texts: Sequence[str]) -> str:
    return texts[0] if len(texts) == 1 else ", ".join(texts[:-1]) + " and " + texts[-1]
