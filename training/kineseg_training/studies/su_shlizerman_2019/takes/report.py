"""What segmented takes say about the paper: the pictures, findings in words, agreement, verdict."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from kineseg_training.files import write_atomically
from kineseg_training.studies.colors import Key, ink_on, key_of
from kineseg_training.studies.exhibit import Agreement
from kineseg_training.studies.su_shlizerman_2019.takes.data import Take
from kineseg_training.studies.su_shlizerman_2019.takes.segment import (
    Variant,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


_INK, _SOFT = "#1F2933", "#616E7C"


@dataclass(frozen=True, eq=False)
class TimelineBar:
    """One bar under the truth.

    Attributes:
        name: Who found it.
        labels: ``(R,)`` of every frame, numbered as the true classes where they were matched.
        mof: Share of frames that are right.
    """

    name: str
    labels: NDArray[np.int64]
    mof: float


def draw_bars(takes: Sequence[tuple[Take, Sequence[TimelineBar]]], file: Path) -> None:
    """For each take the true bar, and one bar for each of its rows, over seconds."""
    heights = [0.31 * (1 + len(rows)) for _, rows in takes]
    figure = _figure(12.5, sum(heights) + 0.62 * len(takes) + 0.1)
    panels = np.atleast_1d(figure.subplots(len(takes), 1, gridspec_kw={"height_ratios": heights}))
    for axes, (take, rows) in zip(panels, takes, strict=True):
        _panel(axes, take, rows)
    panels[-1].set_xlabel("time (s)", color=_SOFT)
    _save(figure, file)


def draw_mof(values: Mapping[str, Mapping[str, Sequence[float]]], file: Path) -> None:
    """Bars of the mean MoF, a dot for each take.

    Args:
        values: By row, by series (linkage), the MoF of every take.
        file: To write.
    """
    series = list(dict.fromkeys(name for row in values.values() for name in row))
    figure = _figure(9.5, 0.62 * len(values) + 1.1)
    axes = figure.subplots()
    colors = dict(zip(series, ("#0072B2", "#56B4E9", "#9AA0A6", "#009E73"), strict=False))
    for place, row in enumerate(values.values()):
        thick = 0.76 / len(row)
        for number, (name, shares) in enumerate(row.items()):
            y = place + (number - (len(row) - 1) / 2) * thick
            mean = 100 * float(np.mean(shares))
            axes.barh(y, mean, min(thick, 0.5) * 0.94, color=colors[name], alpha=0.8)
            axes.plot(100 * np.array(shares), np.full(len(shares), y), "o", color=_INK, markersize=3.2, zorder=3)
            axes.text(103, y, f"{mean:.0f}", va="center", fontsize=8.5, color=_INK)
    handles = [axes.barh(0, 0, color=colors[name], alpha=0.8, label=name) for name in series]
    axes.set_yticks(range(len(values)), list(values))
    axes.invert_yaxis()
    axes.set_xlim(0, 109)
    axes.set_xticks(range(0, 101, 20))
    axes.set_xlabel("frames labelled right (MoF, %): mean, and a dot for each take")
    axes.grid(axis="x", alpha=0.25)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(handles=handles, loc="outside upper center", ncols=len(series), frameon=False, fontsize="small")
    _save(figure, file)


def _panel(axes: Axes, take: Take, rows: Sequence[TimelineBar]) -> None:
    truth = take.recording.truth
    assert truth is not None  # a take is annotated
    rate = take.recording.rate
    classes = dict(zip(truth.labels, truth.names, strict=True))
    # Found labels carry the numbers of the classes already, so one key serves all rows.
    every = np.concatenate([take.labels, *(row.labels for row in rows)])
    key = key_of(every, None)
    _bar(axes, 0, take.labels, rate, key, {label: name.replace("_", " ") for label, name in classes.items()})
    for place, row in enumerate(rows, start=1):
        _bar(axes, place, row.labels, rate, key, {})
    axes.set_yticks(range(len(rows) + 1), ["true", *(f"{row.name}  {row.mof:.0%}" for row in rows)], fontsize=8.5)
    axes.set_ylim(len(rows) + 0.5, -0.5)
    axes.set_xlim(0, len(take.labels) / rate)
    axes.spines[:].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.tick_params(axis="x", colors=_SOFT, labelsize=8)
    axes.set_title(f"take {take.name}: {take.classes} classes", fontsize=10, loc="left", color=_INK)


def _bar(axes: Axes, place: int, labels: NDArray[np.int64], rate: float, key: Key, names: Mapping[int, str]) -> None:
    cuts = np.flatnonzero(np.diff(labels)) + 1
    for begin, end in pairwise([0, *cuts.tolist(), len(labels)]):
        color = key.found[int(labels[begin])]
        edge = "white" if (end - begin) > 0.004 * len(labels) else "none"
        axes.barh(place, (end - begin) / rate, 0.86, begin / rate, color=color, edgecolor=edge, linewidth=0.8)
        text = names.get(int(labels[begin]), "")
        room = (end - begin) / len(labels) * 155
        if text and room > 4:
            axes.text(
                (begin + end) / 2 / rate, place, text if len(text) <= room else text[: int(room) - 1] + "…",
                ha="center", va="center", fontsize=7.5, color=ink_on(color),
            )  # fmt: skip


def _figure(width: float, height: float) -> Figure:
    from matplotlib.figure import Figure  # a second to import

    return Figure(figsize=(width, height), layout="constrained")


def _save(figure: Figure, file: Path) -> None:
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=120, metadata={"Software": None})
    write_atomically(file, content.getvalue())


class _Mean(Protocol):
    def __call__(self, variant: Variant, linkage: str = "single", figure: str = "mof") -> float: ...


# "Found" is said where so much of the frames is right, and "makes a difference" from so much on.
_GOOD, _DIFFERENCE = 0.8, 0.1


def findings(mean: _Mean, figures: Mapping[str, float], oracle: float, plain: float) -> tuple[str, ...]:
    one_label = figures["mof_one_label"]
    said = [
        f"With the oracle split that the published script uses, {oracle:.0%} of the frames are labelled right (mean "
        f"over the takes, single linkage); without any oracle {plain:.0%}; one label for everything would give "
        f"{one_label:.0%}. "
        + (
            f"The oracle is worth {100 * (oracle - plain):.0f} points."
            if oracle - plain > _DIFFERENCE
            else "The oracle makes no great difference here."
        )
    ]
    untouched = mean(Variant("oracle", "oracle", "nearest"))
    trained = mean(Variant("oracle", "whole take", "nearest"))
    decoded = mean(Variant("whole take", "oracle", "nearest"))
    filled = mean(Variant("whole take", "oracle", "oracle"))
    parts = {
        "decoding windows that never cross a true boundary": decoded - plain,
        "training on windows that never cross one": trained - plain,
        "filling from the own true segment": filled - decoded,
    }
    most = max(parts, key=lambda name: parts[name])
    said.append(
        "Of the three uses of the truth, taken one at a time from the variant without oracle, "
        + ", ".join(f"{name} changes {100 * change:+.0f} points" for name, change in parts.items())
        + f" (the last one from there). Most comes from {most}. With the oracle's windows but without its filling "
        f"{untouched:.0%} are right."
    )
    raw = figures["mof_untrained_oracle_split"]
    said.append(
        f"A network that was never trained gets {raw:.0%} with the same oracle split"
        + (
            ": most of the figure is the split's, not the predictor's."
            if oracle - raw < _DIFFERENCE
            else f": training is worth {100 * (oracle - raw):.0f} points there."
        )
    )
    average = figures["mof_no_oracle_average"]
    said.append(
        f"Average instead of single linkage gives {figures['mof_oracle_split_average']:.0%} with and {average:.0%} "
        "without the oracle. "
        + (
            "Without gaps at the true boundaries single linkage chains one action to the next; average linkage does "
            "less so."
            if average - plain > 0.03
            else "So the linkage is not what is missing without the oracle."
        )
    )
    if "mof_service_online" in figures:
        online = figures["mof_service_online"]
        said.append(
            f"The service segments the same takes while they stream, trained on other recordings, without the number "
            f"of classes and without any boundary, and labels {online:.0%} of the frames right: "
            + ("more" if online > plain else "less")
            + " than the offline baseline without oracle"
            + (", and more than with it." if online > oracle else ", and less than with it.")
        )
    return tuple(said)


def agreement_and_verdict(oracle: float, plain: float) -> tuple[Agreement, str]:
    claim = "The claim: clusters of decoder states are the actions of a take."
    if oracle >= _GOOD and plain >= _GOOD:
        return "agrees", f"{claim} Found, with the oracle split ({oracle:.0%}) and without it ({plain:.0%})."
    if oracle >= _GOOD:
        found = f"Found with the oracle split only ({oracle:.0%} of frames right); without any oracle it is {plain:.0%}"
        return "partly", f"{claim} {found} (single linkage, as in the paper)."
    return "disagrees", f"{claim} Not found at this size: {oracle:.0%} with the oracle split, {plain:.0%} without it."
