"""Delay against accuracy: our service on every set at several budgets of final decisions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
from kineseg_cli.show.colors import color_of
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from evaluation.quality import service
from evaluation.quality.plan import QualityPlan
from evaluation.quality.progress import progress
from evaluation.quality.results import FINAL, MethodResult
from evaluation.quality.sets import SETS, load


@dataclass(frozen=True)
class Curve:
    """One set.

    Attributes:
        name: Of the set.
        figure: The share that it is judged by.
        budgets_s: What was asked, seconds.
        shares: The figure at each of them.
        delays_s: Median delay of boundaries that were found at each of them; None where none was.
    """

    name: str
    figure: str
    budgets_s: tuple[float, ...]
    shares: tuple[float, ...]
    delays_s: tuple[float | None, ...]


def curves(plan: QualityPlan, budgets_s: Sequence[float]) -> Iterator[Curve]:
    """The sets of the plan that our service has a model for, one after the other.

    Raises:
        QualityError: Data or metrics are not there, or the server failed.
    """
    for bundle, names in groupby(plan.sets, plan.bundle_for):
        with service.running(bundle) as server:
            for name in names:
                streams = load(name, plan.seeds, plan.limit)
                if {stream.model for stream in streams} - {"", *server.models}:
                    continue
                scores = []
                with progress(f"{name}: budgets", len(budgets_s)) as bar:
                    for budget_s in budgets_s:
                        said = service.segment(server, streams, latency_s=budget_s).results
                        decided = [service.final(*pair) for pair in zip(streams, said, strict=True)]
                        scores.append(MethodResult.of(FINAL, "ours", streams, decided).score)
                        bar.update()
                figure = SETS[name].figure
                yield Curve(
                    name, figure, tuple(budgets_s), tuple(score.shares[figure] for score in scores),
                    tuple(score.delay(0.5) for score in scores),
                )  # fmt: skip


def save(found: Sequence[Curve], path: Path) -> None:
    """The picture, a line a set."""
    figure = Figure(figsize=(8.0, 5.0))
    FigureCanvasAgg(figure)
    ax = figure.subplots()
    for number, curve in enumerate(found):
        name = curve.name if curve.figure == "bf1" else f"{curve.name} ({curve.figure})"
        ax.plot(
            curve.budgets_s, 100 * np.array(curve.shares), color=color_of(number), linewidth=1.2,
            marker="osD^vPX*<>"[number % 10], markersize=4, label=name,
        )  # fmt: skip
    ax.set_xscale("log")
    budgets = found[0].budgets_s if found else ()
    ax.set_xticks(budgets, [f"{budget:g}" for budget in budgets])
    ax.minorticks_off()
    ax.set(ylim=(0, 102), xlabel="budget of final decisions, seconds", ylabel="bF1 within 0.5 s, per cent")
    ax.legend(fontsize=7, frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    ax.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(path, dpi=90)
