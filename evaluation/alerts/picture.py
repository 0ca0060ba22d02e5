"""A picture: faults of every kind, who finds them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from evaluation.alerts.faults import found, of_kinds, share
from evaluation.alerts.results import MIDDLE, OURS, SetResult

_LIGHT_FROM = 0.55  # darker cells have light text


def save(results: Sequence[SetResult], path: Path) -> None:
    """Kinds of fault down, methods across, per cent found in the cells: a panel for bodies and one for channels.

    Every panel is a mean over its sets; of no sets there is no panel.
    """
    panels = [
        (title, chosen)
        for title, is_body in (("bodies", True), ("channels", False))
        if (chosen := [each for each in results if any(each.trials) and each.streams[0].is_body == is_body])
    ]
    if not panels:
        return
    figure = Figure(figsize=(1.5 + 5.6 * len(panels), 8.2), layout="constrained")
    for axes, (title, chosen) in zip(np.atleast_1d(figure.subplots(1, len(panels))), panels, strict=True):
        kinds = list(dict.fromkeys(trial.kind.name for trials in chosen[0].trials for trial in trials))
        methods = ["kineseg", *(f"{name.split(' (')[0]}*" for name in chosen[0].peers)]
        cells = np.array([[_found(chosen, kind, name) for name in (OURS, *chosen[0].peers)] for kind in kinds])
        axes.imshow(cells, cmap="YlGnBu", vmin=0.0, vmax=1.0, aspect="auto")
        for row, column in np.ndindex(*cells.shape):
            colour = "white" if cells[row, column] > _LIGHT_FROM else "black"
            axes.text(column, row, f"{100 * cells[row, column]:.0f}", ha="center", va="center", color=colour)
        axes.set_xticks(range(len(methods)), [name.replace(" ", "\n") for name in methods], fontsize="small")
        axes.set_yticks(range(len(kinds)), [kind.replace("_", " ") for kind in kinds])
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        axes.set_title(f"{title} ({', '.join(each.name for each in chosen)})", fontsize="small")
    figure.suptitle(
        f"faults found, %, at {MIDDLE:g} alarms an hour: stated beforehand (kineseg), best threshold afterwards (*)"
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110, metadata={"Software": None})


def _found(results: Sequence[SetResult], kind: str, method: str) -> float:
    shares = []
    for result in results:
        outcomes = result.stated_outcomes[MIDDLE] if method == OURS else result.best_outcomes[method, MIDDLE]
        value = share(outcomes, found, of_kinds((kind,))).value
        if value is not None:
            shares.append(value)
    return float(np.mean(shares)) if shares else 0.0
