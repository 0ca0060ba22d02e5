"""The page about all kinds of fault: what each is, its picture, what is emitted, and what stays hard."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from evaluation.alerts.kinds.counts import Count
from evaluation.alerts.kinds.descriptions import DESCRIPTIONS, REFERENCES, Description
from evaluation.alerts.kinds.examples import EXAMPLES
from evaluation.alerts.kinds.show import Shown
from evaluation.alerts.kinds.wording import lines

PAGE, PICTURES = "alerts-kinds.md", "alerts"
"""The page, and the folder beside it that its pictures are in."""

_WIDE = 120
_INTRODUCTION = """# The kinds of fault, one by one

Written by `python -m evaluation.alerts.kinds --into docs`; its words are in `evaluation/alerts/kinds/descriptions.py`.
What all kinds have in common is in [alerts.md](alerts.md), and so are [rules](alerts.md#rules) and
[behaviour](alerts.md#behaviour).

Every kind is shown alone, in a stream in which nothing else is wrong, watched at the default budget of two alarms an
hour. Bodies are generated motion with two millimetres of noise, 30 frames a second; channels are an invented sensor of
six axes and a thermometer on somebody who walks, 50 frames a second. In the pictures the true span of the fault is grey
and the anomaly red, from when it is said to hold until it was over; the dashed line is when it was raised. The first
name may be another one: it is corrected within half a second by `anomaly_updated`.

A kind's own files are below `service/kineseg_core/anomalies`; `tests/core/anomalies` and
`tests/evaluation/alerts/test_kinds.py` test them. What all of them cost together is measured by
`python -m evaluation.alerts`. The commands run in a checkout, in the environment that `make test` sets up.
"""

_HARD = """## What stays hard

The same faults in {streams} streams that differ in all that is random: how often something was raised about the fault,
how often it was called what it is in the end, how long after the fault's beginning it was raised (median), and what it
was called else. [alerts.md](alerts.md#what-stays-hard) says what is hard whatever the kind.

| kind | found | called right | after | else called |
|---|---:|---:|---:|---|
"""


def page(shown: Sequence[Shown], counts: Sequence[Count]) -> str:
    """As Markdown.

    Args:
        shown: An example of every kind, each with an anomaly that was called what it is.
        counts: Of the same kinds.
    """
    sections = [_section(each, DESCRIPTIONS[each.kind]) for each in shown]
    hard = _HARD.format(streams=max(each.streams for each in counts)) + "\n".join(map(_row, counts)) + "\n"
    sources = "## Sources\n\n" + "\n".join(_bullet(f"- {each}") for each in REFERENCES) + "\n"
    links = " · ".join(f"[{each.kind.value}](#{each.kind.value})" for each in shown)
    contents = textwrap.fill(f"{links} · [what stays hard](#what-stays-hard)", _WIDE, break_on_hyphens=False) + "\n"
    return "\n".join([_INTRODUCTION, contents, *sections, hard, sources])


def _section(shown: Shown, described: Description) -> str:
    kind = shown.kind.value
    facts = [
        f"- Found by: {described.found_by}.",
        f"- Source: {described.source}.",
        f"- Needs: {described.needs}.",
        f"- Costs: {described.cost}.",
        f"- Files: {', '.join(f'`{path}`' for path in described.files)}.",
    ]
    if described.hard:
        facts.append(f"- Hard: {described.hard}")
    return "\n".join(
        [
            f"## {kind}", "", textwrap.fill(described.what, _WIDE), "", *map(_bullet, facts), "",
            f"![{kind}: what was sent, the fault and the anomaly]({PICTURES}/{kind}.png)", "",
            f"Here {EXAMPLES[shown.kind].put_in}:", "",
            "```sh", f"python -m evaluation.alerts.kinds {kind}", "```", "",
            "```", *lines(shown), "```", "",
        ]
    )  # fmt: skip


def _bullet(text: str) -> str:
    return textwrap.fill(text, _WIDE, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)


def _row(each: Count) -> str:
    after = "" if each.delay_s is None else f"{each.delay_s:.1f} s"
    return (
        f"| `{each.kind.value}` | {each.found} | {each.right} | {after} | "
        f"{', '.join(f'`{name}`' for name in each.otherwise)} |"
    )
