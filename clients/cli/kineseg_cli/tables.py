"""Tables for people."""

from __future__ import annotations

from collections.abc import Sequence

from kineseg import Model, ProvisionalSegment, SegmentClosed
from rich import box
from rich.table import Table
from rich.text import Text

from kineseg_cli.name_store import KeptName
from kineseg_cli.show.agreement import Agreement
from kineseg_cli.show.anomalies import AnomalySpan
from kineseg_cli.show.colors import color_of, ink_on
from kineseg_cli.show.wording import agreement_lines, clock, rarity

_WHAT_WIDTH = 18  # a sentence is not broken within its first words


def segment_table(closed: Sequence[SegmentClosed]) -> Table:
    """Finished segments in the order of time."""
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("segment", justify="right")
    table.add_column("action", justify="center")
    named = any(event.name for event in closed)
    if named:
        table.add_column("name", max_width=24)
    for name in ("from", "to", "length", "frames", "end reported after"):
        table.add_column(name, justify="right")
    for event in sorted(closed, key=lambda event: event.start_frame):
        color = color_of(event.label)
        table.add_row(
            str(event.segment_id),
            Text(f" {event.label:>2} ", style=f"bold {ink_on(color)} on {color}"),
            *([_named(event)] if named else []),
            clock(event.start_time_s),
            clock(event.end_time_s),
            f"{event.end_time_s - event.start_time_s:.1f} s",
            f"{event.start_frame}-{event.end_frame}",
            f"{max(0.0, event.decided_time_s - event.end_time_s):.1f} s",
        )
    return table


def anomaly_table(spans: Sequence[AnomalySpan]) -> Table:
    """Anomalies in the order in which they were raised."""
    table = Table(box=box.SIMPLE_HEAD, title="anomalies", title_justify="left")
    table.add_column("id", justify="right")
    for name in ("from", "to"):
        table.add_column(name, justify="right")
    table.add_column("kind")  # which says the class as well
    table.add_column("what", overflow="fold", min_width=_WHAT_WIDTH)
    table.add_column("how rare", overflow="fold")
    for span in spans:
        until = "goes on" if span.end_s is None else clock(span.end_s)
        about = (str(span.anomaly_id), clock(span.start_s), until, span.kind.replace("_", " "))
        table.add_row(*about, Text(span.text), rarity(span.severity, span.rule))
    return table


def _named(event: SegmentClosed) -> Text:
    return Text(event.name) if event.name else Text("unknown", style="bright_black")


def name_table(kept: Sequence[KeptName]) -> Table:
    """Names that have been taught, one on each row."""
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("name", overflow="fold")
    table.add_column("model", overflow="fold")
    table.add_column("sha256", no_wrap=True)
    served = any(one.in_use is not None for one in kept)
    if served:
        table.add_column("used")
    table.add_column("examples", justify="right")
    table.add_column("from", overflow="fold")
    for one in kept:
        used = ["yes" if one.in_use else "no: a model that does not run"] if served else []
        sources = "\n".join(one.sources)
        table.add_row(Text(one.name), Text(one.model), one.sha256[:12], *used, str(len(one.sources)), Text(sources))
    return table


def provisional_table(provisional: Sequence[ProvisionalSegment], rate: float) -> Table:
    """Provisional segments and what became of them, in the order reported; `rate` is of the frames, per second."""
    table = Table(box=box.SIMPLE_HEAD, title="provisional segments", title_justify="left")
    table.add_column("id", justify="right")
    table.add_column("action", justify="center")
    for name in ("from", "delay", "confidence"):
        table.add_column(name, justify="right")
    table.add_column("outcome", no_wrap=True)
    for name in ("after", "moved by"):
        table.add_column(name, justify="right")
    for one in provisional:
        color = color_of(one.label)
        later_s = None if one.outcome_frame is None else (one.outcome_frame - one.decided_frame) / rate
        moved_s = None if one.confirmed_frame is None else (one.confirmed_frame - one.frame) / rate
        table.add_row(
            str(one.segment_id),
            Text(f" {one.label:>2} ", style=f"bold {ink_on(color)} on {color}"),
            clock(one.time_s),
            f"{one.decided_time_s - one.time_s:.1f} s",
            f"{one.confidence:.0%}",
            "left open" if one.outcome == "open" else one.outcome,
            "" if later_s is None else f"{later_s:.1f} s",
            "" if moved_s is None else f"{moved_s:+.1f} s",
        )
    return table


def model_table(models: Sequence[Model]) -> Table:
    """Models that a server can run, one after another."""
    table = Table(box=box.SIMPLE, show_header=False)
    table.add_column(style="bright_black")
    table.add_column(overflow="fold")
    for model in models:
        shown = f"{', '.join(model.channels[:3])}{', ...' if len(model.channels) > 3 else ''}"
        table.add_row("model", Text(model.name, style="bold") + Text(" (default)" if model.is_default else ""))
        table.add_row("version", model.version)
        table.add_row("family", model.family)
        if model.takes_any_channels:
            table.add_row("channels", "any, named by the stream")
            table.add_row("rate", "that of the stream, up to 30 frames a second")
        else:
            table.add_row("channels", f"{len(model.channels)} ({shown})")
            table.add_row("rate", f"{model.rate:g} frames a second")
            table.add_row("embedding", f"{model.embedding_dim} dimensions")
        if model.classes:
            table.add_row("recognises", Text(", ".join(model.classes)))
        table.add_row("runs on", model.provider.removesuffix("ExecutionProvider"))
        table.add_row("sha256", model.sha256 or "made for each stream", end_section=True)
    return table


def agreement_table(agreement: Agreement) -> Table:
    """How well what was found agrees with the known truth."""
    table = Table(
        box=box.SIMPLE, show_header=False, title="compared with the known truth (never sent)", title_justify="left"
    )
    table.add_column(style="bright_black")
    table.add_column()
    for name, value in agreement_lines(agreement):
        table.add_row(name, value)
    return table
