"""The table: on the terminal, as Markdown and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from evaluation.quality.calibration import BINS, Reliability
from evaluation.quality.measure import FINAL, PROVISIONAL, MethodResult, QualityPlan, SetResult
from evaluation.quality.peers import PEERS
from evaluation.quality.sets import SETS
from evaluation.quality.targets import DELAY, Outcome, outcomes

_COLUMNS = {
    "mof": "MoF",
    "ari": "ARI",
    "edit": "edit",
    "f1@50": "F1@50",
    "covering": "cover",
    "bf1": "bF1",
    "precision": "P",
    "recall": "R",
    "bf1@1s": "bF1@1s",
}
_LAST = ("delay", "95 %", "frames/s")
_NOTES = Path(__file__).with_name("notes.md")


def console_table(results: Sequence[SetResult]) -> Table:
    """One table with all sets."""
    table = Table(
        title="per cent; delays in seconds; frames per second and core",
        title_justify="left",
        box=SIMPLE,
        padding=(0, 1, 0, 0),
    )
    table.add_column("set, method", no_wrap=True, max_width=54)
    for name in (*_COLUMNS.values(), *_LAST):
        table.add_column(name, justify="right", no_wrap=True, min_width=5)
    for result in results:
        table.add_row(f"[bold]{result.name}[/bold], {_count(result)} streams")
        if result.not_served:
            table.add_row(f"  kineseg: not served ({result.not_served})")
        for i, row in enumerate(result.rows):
            style = "bold cyan" if row.method in (FINAL, PROVISIONAL) else ""
            table.add_row(f"  {row.method}", *_cells(row), style=style, end_section=i == len(result.rows) - 1)
    return table


def print_targets(console: Console, results: Sequence[SetResult]) -> None:
    """What was to be reached, and whether it was."""
    for outcome in outcomes(results):
        console.print(_outcome_line(outcome), style="green" if outcome.met else "red", highlight=False)


def markdown(
    results: Sequence[SetResult],
    plan: QualityPlan,
    *,
    command: str,
    machine: str,
    pictures: bool,
    left_out: Sequence[str],
) -> str:
    """The whole page."""
    lines = [
        "# Quality",
        "",
        f"Written by `{command}` on {machine}.",
        f"Seeds: {plan.seeds}. Bundle: {plan.bundle.name if plan.bundle else 'the packaged one'}. "
        f"Latency budget of final decisions: {plan.latency_s or 'the default'}{' s' if plan.latency_s else ''}.",
        "",
        "## Targets",
        "",
        "| set | rows | figure | wanted | reached | |",
        "|---|---|---|---|---|---|",
    ]
    for outcome in outcomes(results):
        target = outcome.target
        lines.append(
            f"| {target.set_name} | {target.method} | {target.figure} | {_wanted(outcome)} | {_reached(outcome)} | "
            f"{'yes' if outcome.met else 'no'} |"
        )
    lines += ["", "## All figures", "", "Per cent; delays in seconds; frames per second and core."]
    for result in results:
        lines += [
            "",
            f"### {_title(result)}",
            "",
            *([f"The packaged bundle: {SETS[result.name].saw}."] if SETS[result.name].saw else []),
        ]
        if result.not_served:
            lines += ["", f"kineseg: not served ({result.not_served})."]
        lines += ["", f"| method | {' | '.join((*_COLUMNS.values(), *_LAST))} |"]
        lines.append("|---|" + "---:|" * (len(_COLUMNS) + len(_LAST)))
        for row in result.rows:
            name = f"**{row.method}**" if row.method in (FINAL, PROVISIONAL) else row.method
            lines.append(f"| {name} | {' | '.join(_cells(row))} |")
        if result.streams:
            lines += ["", _each_stream(result)]
        if pictures and result.streams:
            lines += ["", f"![{result.name}](quality/{result.name}.png)"]
    lines += _confidence(results, pictures)
    lines += ["", "## Notes", "", _NOTES.read_text(encoding="utf-8").strip(), "", "Settings of the peers:", ""]
    lines += [f"- {peer.name}: {peer.settings}." for peer in PEERS]
    lines += [f"- Not run: {reason}." for reason in left_out]
    return "\n".join(lines) + "\n"


def plain(results: Sequence[SetResult], plan: QualityPlan, *, machine: str) -> dict[str, Any]:
    """For JSON."""
    return {
        "machine": machine,
        "plan": asdict(plan) | {"bundle": str(plan.bundle) if plan.bundle else None},
        "targets": [asdict(each.target) | {"value": each.value, "met": each.met} for each in outcomes(results)],
        "sets": {
            result.name: {
                "not_served": result.not_served,
                "rows": [_plain_row(row) for row in result.rows],
                "streams": {
                    each.stream.name: {"final": each.final.shares, "provisional": each.provisional.shares}
                    for each in result.streams
                },
                "reliability": asdict(result.reliability) if result.reliability else None,
            }
            for result in results
        },
    }


def _plain_row(row: MethodResult) -> dict[str, Any]:
    return {
        "method": row.method,
        "streams": row.streams,
        **row.score.shares,
        "delay_s": row.score.delay(0.5),
        "delay_95_s": row.score.delay(0.95),
        "frames_per_s": row.frames_per_s,
    }


def _title(result: SetResult) -> str:
    return f"{result.name}: {SETS[result.name].title} ({_count(result)} streams)"


def _count(result: SetResult) -> int:
    return max((row.streams for row in result.rows), default=0)


def _cells(row: MethodResult) -> list[str]:
    shares = [f"{100 * row.score.shares[name]:.1f}" if name in row.score.shares else "-" for name in _COLUMNS]
    delays = ["-" if d is None else f"{d:.1f}" for d in (row.score.delay(0.5), row.score.delay(0.95))]
    return [*shares, *delays, "-" if row.frames_per_s is None else f"{row.frames_per_s:,.0f}"]


def _each_stream(result: SetResult) -> str:
    """bF1 of every stream, final and provisional."""
    named = ", ".join(
        f"{each.stream.name} {100 * each.final.shares['bf1']:.0f}/{100 * each.provisional.shares['bf1']:.0f}"
        for each in result.streams
    )
    return f"bF1 of each stream, final/provisional: {named}."


def _confidence(results: Sequence[SetResult], pictures: bool) -> list[str]:
    known = [(result.name, result.reliability) for result in results if result.reliability]
    if not known:
        return []
    edges = [f"{i / BINS:.1f}-{(i + 1) / BINS:.1f}" for i in range(BINS)]
    used = [i for i in range(BINS) if any(r.counts[i] for _, r in known)]
    lines = [
        "",
        "## Confidence of provisional segments",
        "",
        "Share confirmed, per cent, by the confidence at which they were first emitted (how many in brackets); "
        "Brier score and expected calibration error (0 is best).",
        "",
        f"| set | {' | '.join(edges[i] for i in used)} | Brier | error |",
        f"|---|{'---:|' * (len(used) + 2)}",
    ]
    lines += [f"| {name} | {_bins(r, used)} | {r.brier:.3f} | {r.error:.3f} |" for name, r in known]
    return [*lines, "", "![confidence](quality/confidence.png)"] if pictures else lines


def _bins(r: Reliability, used: Sequence[int]) -> str:
    return " | ".join(f"{100 * r.confirmed[i]:.0f} ({r.counts[i]})" if r.counts[i] else "-" for i in used)


def _wanted(outcome: Outcome) -> str:
    target = outcome.target
    return f"<= {target.bound:g} s" if target.figure == DELAY else f">= {100 * target.bound:.0f}"


def _reached(outcome: Outcome) -> str:
    if outcome.value is None:
        return "not measured"
    return f"{outcome.value:.2f} s" if outcome.target.figure == DELAY else f"{100 * outcome.value:.1f}"


def _outcome_line(outcome: Outcome) -> str:
    target = outcome.target
    met = "met   " if outcome.met else "missed"
    return f"{met}  {target.set_name}, {target.method}: {target.figure} {_wanted(outcome)}, reached {_reached(outcome)}"
