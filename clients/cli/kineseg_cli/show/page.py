"""The page of a stream: one HTML file that needs nothing else, neither a server nor a network."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from html import escape
from pathlib import Path

import numpy as np
from kineseg import __version__

from kineseg_cli.show import page_drawings as drawings
from kineseg_cli.show.agreement import TOLERANCE_S, compare_with_truth, naming
from kineseg_cli.show.colors import color_of, ink_on
from kineseg_cli.show.page_template import PAGE, SCRIPT, STYLE
from kineseg_cli.show.segment_versions import Bar, Boundary, ProvisionalReport
from kineseg_cli.show.signals import Array, figures, plane, rows_at
from kineseg_cli.show.stream_history import StreamHistory
from kineseg_cli.show.wording import clock, count, describe

_POSES_PER_S = 12.0
_MOST_POSES = 6000


def save(history: StreamHistory, path: Path) -> None:
    """Write the page.

    Raises:
        OSError: The file cannot be written.
    """
    path.write_text(render(history), encoding="utf-8")


def render(history: StreamHistory) -> str:
    """The whole page as HTML."""
    end_s = max([1e-3, history.position_s, *(bar.end_s for bar in history.bars())])
    times = np.array(history.outputs.times_s)
    if len(times) >= 3:
        flat, share = plane(np.stack(history.outputs.embeddings).astype(np.float64), times)
        flat = drawings.fit(flat)
        caption = (
            f'<p class="here" style="min-height:0">{len(history.outputs.embeddings[0])} dimensions, along the two in '
            f"which they vary most ({share:.0%} of the variance). Colour = action found.</p>"
        )
    else:
        flat, caption, times = np.zeros((0, 2)), "", np.zeros(0)
    recording = history.recording
    model = f" · model {history.model} at {history.model_rate_hz:g} Hz" if history.model else ""
    return PAGE.substitute(
        title=escape(history.title),
        style=STYLE,
        badge='<span class="badge">synthetic motion: made by a program</span>' if history.synthetic else "",
        sub=escape(f"{clock(end_s)} streamed at {recording.rate:g} fps, {recording.n_channels} channels{model}"),
        facts=_facts(history, end_s),
        timeline=drawings.timeline(history, end_s),
        key=drawings.key(history),
        embedding=drawings.embedding(history, flat, times) + caption,
        pose=drawings.stage(history),
        actions=_actions(history),
        segments=_segments(history),
        events=_events(history),
        footer=_footer(history),
        data=_json(history, end_s, flat, times),
        script=SCRIPT,
    )


def _facts(history: StreamHistory, end_s: float) -> str:
    facts = [
        (f"{len(history.bars())}", "segments found"),
        (f"{len(history.labels)}", "different actions"),
        (f"{len(history.anomalies)}", "anomaly" if len(history.anomalies) == 1 else "anomalies"),
        (f"{sum(gap.missing_frames for gap in history.gaps if not gap.cuts)}", "lost frames filled"),
    ]
    if provisional := history.provisional:
        retracted = sum(one.outcome == "retracted" for one in provisional)
        facts.append((f"{retracted} of {len(provisional)}", "provisional segments retracted"))
    agreement = compare_with_truth(history)
    if agreement is not None:
        confirmed, first = agreement.confirmed, agreement.provisional
        facts.append((f"{confirmed.hits} of {confirmed.known}", f"boundaries hit (within {TOLERANCE_S:g} s)"))
        facts.append((f"{agreement.accuracy:.0%}", "of time labelled right"))
        if first is not None:
            facts.append((f"{first.f1:.0%}", "boundary F1, as first reported"))
        facts.append((f"{confirmed.f1:.0%}", "boundary F1, confirmed"))
    if provisional:
        facts.append((_median(provisional), "median delay, as first reported"))
    if history.boundaries:
        facts.append((_median(history.boundaries), "median delay, confirmed"))
    return "".join(
        f'<div class="fact"><b>{escape(value)}</b><span>{escape(what)}</span></div>' for value, what in facts
    )


def _median(reported: Sequence[ProvisionalReport | Boundary]) -> str:
    return f"{np.median([one.delay_s for one in reported]):.1f} s"


def _actions(history: StreamHistory) -> str:
    names = {label: known for known, label in naming(history).items()}
    known_names = {bar.label: bar.name for bar in reversed(history.truth)}
    rows = []
    for label in history.labels:
        mine = [bar for bar in history.bars() if bar.label == label]
        known = known_names.get(names[label], "").replace("_", " ") if label in names else "-"
        rows.append(
            f'<tr data-t="{mine[0].start_s + mine[0].duration_s / 2:.2f}"><td>{drawings.swatch(label)} '
            f"{escape(history.name_of(label))}</td>"
            f'<td class="num">{len(mine)}</td><td class="num">{sum(bar.duration_s for bar in mine):.1f} s</td>'
            + (f"<td>{escape(known)}</td>" if history.truth else "")
            + "</tr>"
        )
    head = "<th>action</th><th class='num'>segments</th><th class='num'>time</th>"
    head += "<th>known as</th>" if history.truth else ""
    return f"<table><tr>{head}</tr>{''.join(rows)}</table>"


def _segments(history: StreamHistory) -> str:
    provisional = {one.segment_id: one for one in history.provisional}
    confirmed = {v.segment_id: v for v in reversed(history.segments.versions) if v.confirmed}
    rows = []
    for bar in history.bars():
        early, final = provisional.get(bar.segment_id), confirmed.get(bar.segment_id)
        cells = [clock(bar.start_s), clock(bar.end_s), f"{bar.duration_s:.1f} s"]
        if provisional:
            cells.append(f"{_after(early.reported_s, bar)}, {early.confidence:.0%}" if early else "-")
        cells.append(_after(final.from_s, bar) if final else "-")
        rows.append(
            f'<tr data-t="{bar.start_s + bar.duration_s / 2:.2f}"><td class="num">{bar.segment_id}</td>'
            f"<td>{drawings.swatch(bar.label)} {escape(bar.named)}</td>"
            + "".join(f"<td class='num'>{cell}</td>" for cell in cells)
            + "</tr>"
        )
    names = ["segment", "action", "from", "to", "length", *(["provisional"] if provisional else []), "confirmed"]
    head = "".join(f"<th{' class=num' if name != 'action' else ''}>{name}</th>" for name in names)
    return f"<table><tr>{head}</tr>{''.join(rows)}</table>"


def _after(reported_s: float, bar: Bar) -> str:
    return f"{reported_s - bar.start_s:+.1f} s"


def _events(history: StreamHistory) -> str:
    rows = "".join(
        f'<tr data-t="{event.time_s:.2f}"><td class="num">{clock(event.decided_time_s)}</td>'
        f'<td class="wide">{escape(describe(event, history.before(event)))}</td></tr>'
        for event in history.events
    )
    return f'<table><tr><th class="num">reported at</th><th>event</th></tr>{rows}</table>'


def _footer(history: StreamHistory) -> str:
    parts = [f"Made by kineseg {escape(__version__)} from {count(len(history.events), 'event')} of one stream."]
    if history.truth:
        parts.append(
            "The known truth was never sent to the server; its bars take the colour of the action found that covers "
            "them best."
        )
    if history.synthetic:
        faults = ", ".join(fault.kind for fault in history.recording.faults)
        parts.append(
            "The motion is synthetic: a program made it up, no one was recorded."
            + (f" Faults put in on purpose: {escape(faults)}." if faults else "")
        )
    return " ".join(parts)


def _json(history: StreamHistory, end_s: float, flat: Array, times: Array) -> str:
    names = naming(history)
    values = {
        "end": round(end_s, 4),
        "left": drawings.LEFT,
        "right": drawings.RIGHT,
        "bars": [
            {
                "id": bar.segment_id,
                "label": bar.label,
                "name": bar.named,
                "start": round(bar.start_s, 3),
                "end": round(bar.end_s, 3),
                "reported": None if bar.reported_s is None else round(bar.reported_s, 3),
                "color": color_of(bar.label),
            }
            for bar in history.bars()
        ],
        "versions": [
            {
                "id": version.segment_id,
                "label": version.label,
                "name": version.name,
                "start": round(version.start_s, 3),
                "end": None if version.end_s is None else round(version.end_s, 3),
                "confirmed": version.confirmed,
                "confidence": round(version.confidence, 3),
                "from": round(version.from_s, 3),
                "until": None if math.isinf(version.until_s) else round(version.until_s, 3),
                "color": color_of(version.label),
                "ink": ink_on(color_of(version.label)),
            }
            for version in history.segments.versions
        ],
        "provisional": [
            {
                "label": one.label,
                "confidence": round(one.confidence, 3),
                "time": round(one.time_s, 3),
                "reported": round(one.reported_s, 3),
                "outcome": one.outcome,
                "decided": None if one.outcome_s is None else round(one.outcome_s, 3),
            }
            for one in history.provisional
        ],
        "truth": [
            {
                "name": bar.name.replace("_", " "),
                "start": round(bar.start_s, 3),
                "end": round(bar.end_s, 3),
                "color": color_of(names.get(bar.label, -1)),
            }
            for bar in history.truth
        ],
        "curve": {
            "t": [round(float(t), 3) for t in times],
            "score": [round(s, 2) for s in history.outputs.anomaly_scores[: len(times)]],
            "x": [round(float(x), 1) for x in flat[:, 0]],
            "y": [round(float(y), 1) for y in flat[:, 1]],
        },
        "pose": _poses(history, end_s),
        "events": [event.to_dict() for event in history.events],
    }
    # A "<" within a script element could end it.
    return json.dumps(values, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")


def _poses(history: StreamHistory, end_s: float) -> dict[str, object] | None:
    fps = min(_POSES_PER_S, _MOST_POSES / end_s)
    shown = figures(history.recording, rows_at(history.recording, np.arange(0, end_s, 1 / fps)))
    if shown is None:
        return None
    return {
        "fps": fps,
        "bones": [list(bone) for bone in shown.bones],
        "head": shown.head,
        "frames": np.rint(shown.points.reshape(len(shown.points), -1) * 100).astype(int).tolist(),
    }
