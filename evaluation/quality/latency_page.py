"""What `latency` found: a table, and a picture with a line a set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from kineseg_cli.show.colors import color_of
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from evaluation.quality.plan import QualityPlan
from evaluation.quality.scores import StreamScore
from evaluation.quality.sets import SETS

_PANELS = {
    "bodies": ("takes", "mocap6", "bvh", "cmu-clips", "generated", "utkinect"),
    "the takes at other tempos": ("takes", "tempo-0.6", "tempo-0.8", "tempo-1.25", "tempo-1.6"),
    "sensors and idle streams": ("gesturephase", "hapt", "actrectut", "skab", "tssb", "idle"),
}


@dataclass(frozen=True)
class Curve:
    """One set.

    Attributes:
        name: Of the set.
        figure: The share that it is judged by.
        budgets_s: What was asked, seconds.
        scores: At each of them, the mean over the set's streams.
    """

    name: str
    figure: str
    budgets_s: tuple[float, ...]
    scores: tuple[StreamScore, ...]

    @property
    def shares(self) -> tuple[float, ...]:
        """The figure, by budget."""
        return tuple(score.shares[self.figure] for score in self.scores)

    @property
    def delays_s(self) -> tuple[float | None, ...]:
        """Median delay of the boundaries that were found, by budget; None where none was."""
        return tuple(score.delay(0.5) for score in self.scores)


def table(found: Sequence[Curve], plan: QualityPlan) -> str:
    """In Markdown, a row a set: the figure that it is judged by, and the median delay of what was found."""
    budgets = found[0].budgets_s if found else ()
    lines = [
        f"| set | {' | '.join(f'{budget:g} s' for budget in budgets)} |",
        f"|---|{'---:|' * len(budgets)}",
    ]
    for curve in found:
        cells = [_cell(share, delay) for share, delay in zip(curve.shares, curve.delays_s, strict=True)]
        lines.append(f"| {_title(curve)} | {' | '.join(cells)} |")
    means = [f"**{100 * np.mean(at):.1f}**" for at in zip(*(curve.shares for curve in found), strict=True)]
    lines.append(f"| mean | {' | '.join(means)} |")
    cut = [curve for curve in found if curve.figure == "bf1"]
    for name in ("precision", "recall") if cut else ():
        rows = zip(*(tuple(score.shares[name] for score in curve.scores) for curve in cut), strict=True)
        lines.append(f"| mean {name}, sets judged by bF1 | {' | '.join(f'{100 * np.mean(at):.1f}' for at in rows)} |")
    left_out = ", ".join(f"{family} ({path.name})" for family, path in plan.left_out.items())
    lines += ["", f"Seeds: {plan.seeds}. Bundles made without a family: {left_out or 'none'}."]
    return "\n".join(lines)


def save(found: Sequence[Curve], path: Path) -> None:
    """The picture."""
    by_name = {curve.name: curve for curve in found}
    shown = {title: [by_name[name] for name in names if name in by_name] for title, names in _PANELS.items()}
    shown = {title: some for title, some in shown.items() if some}
    figure = Figure(figsize=(4.4 * len(shown) + 0.4, 4.6))
    FigureCanvasAgg(figure)
    for ax, (title, some) in zip(figure.subplots(1, len(shown), squeeze=False)[0], shown.items(), strict=True):
        _panel(ax, title, some)
    figure.tight_layout()
    figure.savefig(path, dpi=90)


def _panel(ax: Axes, title: str, some: Sequence[Curve]) -> None:
    for number, curve in enumerate(some):
        ax.plot(
            curve.budgets_s, 100 * np.array(curve.shares), color=color_of(number), linewidth=1.4,
            marker="osD^vPX*<>"[number % 10], markersize=5, label=_title(curve),
        )  # fmt: skip
    ax.set_xscale("log")
    ax.set_xticks(some[0].budgets_s, [f"{budget:g}" for budget in some[0].budgets_s])
    ax.minorticks_off()
    ax.set_title(title, fontsize=10, loc="left")
    ax.set(ylim=(0, 102), xlabel="budget of final decisions, seconds", ylabel="bF1 within 0.5 s, per cent")
    ax.legend(fontsize=8, frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.13), ncols=3)
    ax.spines[["top", "right"]].set_visible(False)


def _title(curve: Curve) -> str:
    starred = "" if SETS[curve.name].figure == "bf1" else f" ({curve.figure})"
    return f"{curve.name}{starred}"


def _cell(share: float, delay_s: float | None) -> str:
    return f"{100 * share:.1f}" + ("" if delay_s is None else f", {delay_s:.1f} s")
