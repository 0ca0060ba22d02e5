"""The page: everything that was measured, as Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from evaluation.asked import Reached
from evaluation.quality import headline_table, idle_table, transition_tables
from evaluation.quality.calibration import BINS, Reliability
from evaluation.quality.headline import Headline
from evaluation.quality.looked_at import Setting, total
from evaluation.quality.peers import PEERS
from evaluation.quality.plan import QualityPlan
from evaluation.quality.results import FINAL, PROVISIONAL, SetResult
from evaluation.quality.sets import SETS
from evaluation.quality.summary import reached
from evaluation.quality.table import HEADS, cells, n_streams

_NOTES = Path(__file__).with_name("notes.md")


def markdown(
    rows: Sequence[Headline],
    plan: QualityPlan,
    settings: Sequence[Setting],
    *,
    command: str,
    machine: str,
    pictures: bool,
    missing_peers: Sequence[str],
) -> str:
    """The whole page."""
    results = [row.result for row in rows]
    lines = ["# Quality", "", f"Written by `{command}` on {machine}.", *_what_was_run(plan), ""]
    lines += headline_table.markdown(rows)
    lines += ["", "## Targets", "", "| figure | asked | reached | |", "|---|---:|---:|---|"]
    lines += [f"| {o.asked.name} | {_asked(o)} | {_reached(o)} | {o.verdict} |" for o in reached(rows)]
    lines += transition_tables.markdown(results)
    lines += idle_table.markdown(results)
    lines += _looked_at(settings)
    lines += ["", "## All figures", "", "Per cent; delays in seconds; frames per second and core."]
    for result in results:
        lines += _set(result, pictures)
    lines += _confidence(results, pictures)
    lines += _repetitions(results)
    lines += ["", "## Notes", "", _NOTES.read_text(encoding="utf-8").strip(), "", "Settings of the peers:", ""]
    lines += [f"- {peer.name}: {peer.settings}." for peer in PEERS]
    lines += [f"- Not run: {reason}." for reason in missing_peers]
    return "\n".join(lines) + "\n"


def outcome_line(outcome: Reached) -> str:
    """A target, and whether it holds, for the terminal."""
    return f"{outcome.verdict:<8}{outcome.asked.name}: {_asked(outcome)}, is {_reached(outcome)}"


def _what_was_run(plan: QualityPlan) -> list[str]:
    budget = "the default" if plan.latency_s is None else f"{plan.latency_s:g} s"
    left_out = ", ".join(f"{family} ({path.name})" for family, path in plan.left_out.items())
    bundle = plan.bundle.name if plan.bundle else "the packaged one"
    return [
        f"Seeds: {plan.seeds}. Bundle: {bundle}; bundles made without a family: {left_out or 'none'}. Latency budget "
        f"of final decisions: {budget}."
    ]


def _set(result: SetResult, pictures: bool) -> list[str]:
    lines = ["", f"### {result.name}: {SETS[result.name].title} ({n_streams(result)} streams)"]
    if result.not_served:
        lines += ["", f"kineseg: not served ({result.not_served})."]
    lines += ["", f"| method | {' | '.join(HEADS)} |", f"|---|{'---:|' * len(HEADS)}"]
    for row in result.rows:
        name = f"**{row.method}**" if row.method in (FINAL, PROVISIONAL) else row.method
        lines.append(f"| {name} | {' | '.join(cells(row))} |")
    if result.streams:
        lines += ["", _each_stream(result)]
    if pictures and result.streams:
        lines += ["", f"![{result.name}](quality/{result.name}.png)"]
    return lines


def _each_stream(result: SetResult) -> str:
    """bF1 of every stream, final and provisional."""
    named = ", ".join(
        f"{each.stream.name} {100 * each.final.shares['bf1']:.0f}/{100 * each.provisional.shares['bf1']:.0f}"
        for each in result.streams
    )
    return f"bF1 of each stream, final/provisional: {named}."


def _looked_at(settings: Sequence[Setting]) -> list[str]:
    lines = [
        "", "## Settings that were looked at", "",
        f"{total(settings)} values of {len(settings)} settings were tried with sets of this page in sight "
        "(`evaluation/quality/looked_at.json`).", "",
        "| setting | values tried | chosen | sets |", "|---|---:|---|---|",
    ]  # fmt: skip
    return lines + [f"| {s.name} | {s.values} | {s.chosen} | {', '.join(s.sets)} |" for s in settings]


def _confidence(results: Sequence[SetResult], pictures: bool) -> list[str]:
    known = [(result.name, result.reliability) for result in results if result.reliability]
    title = "Confidence of provisional segments"
    what = "Share confirmed, per cent, by the confidence at which they were first emitted"
    lines = _reliabilities(title, what, known)
    return [*lines, "", "![confidence](quality/confidence.png)"] if lines and pictures else lines


def _repetitions(results: Sequence[SetResult]) -> list[str]:
    known = [(result.name, result.repetition) for result in results if result.repetition]
    title = "Probability that a segment repeats the action of its label"
    return _reliabilities(title, "Share that does, per cent, by the probability at which they were closed", known)


def _reliabilities(title: str, what: str, known: Sequence[tuple[str, Reliability]]) -> list[str]:
    if not known:
        return []
    edges = [f"{i / BINS:.1f}-{(i + 1) / BINS:.1f}" for i in range(BINS)]
    used = [i for i in range(BINS) if any(r.counts[i] for _, r in known)]
    lines = [
        "",
        f"## {title}",
        "",
        f"{what} (how many in brackets); Brier score and expected calibration error (0 is best).",
        "",
        f"| set | {' | '.join(edges[i] for i in used)} | Brier | error |",
        f"|---|{'---:|' * (len(used) + 2)}",
    ]
    return lines + [f"| {name} | {_bins(r, used)} | {r.brier:.3f} | {r.error:.3f} |" for name, r in known]


def _bins(r: Reliability, used: Sequence[int]) -> str:
    return " | ".join(f"{100 * r.confirmed[i]:.0f} ({r.counts[i]})" if r.counts[i] else "-" for i in used)


def _asked(outcome: Reached) -> str:
    return f"{'<=' if outcome.asked.at_most else '>='} {outcome.asked.bound:g}"


def _reached(outcome: Reached) -> str:
    return "-" if outcome.value is None else f"{outcome.value:.3f}"
