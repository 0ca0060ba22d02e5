"""The page's drawings as SVG: the timeline, the embedding and a stage for the pose."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from html import escape

import numpy as np

from kineseg_cli.show.agreement import naming
from kineseg_cli.show.colors import ALARM, UNKNOWN, color_of, color_of_class, ink_on
from kineseg_cli.show.segment_versions import Bar, Boundary, ProvisionalReport
from kineseg_cli.show.signals import Array, broken, figures, rows_at, traces
from kineseg_cli.show.stream_history import StreamHistory
from kineseg_cli.show.wording import clock, gap_fate, rarity

WIDTH, LEFT, RIGHT = 1200.0, 140.0, 1190.0
SIDE = 460.0
_MOST_POINTS = 1200


def timeline(history: StreamHistory, end_s: float) -> str:
    """Poses, bars, signal and score above one another, with a cursor that the script moves."""
    parts: list[str] = []
    top = 0.0
    if figures(history.recording, np.zeros(1, dtype=np.int64)) is not None:
        parts += _poses(history, end_s, top, 104.0)
        parts += _name(top + 58, "poses", "as sent")
        top += 118
    # What the script fills in: the segments as they were known at the cursor.
    parts.append(f'<g id="then" data-top="{top:g}" data-height="40"></g>')
    parts += _name(top + 16, "known by then", "up to the cursor")
    top += 48
    if history.provisional:
        top += 4
        parts += _provisional(history.provisional, end_s, top, 40.0)
        parts += _name(top + 18, "provisional", "height: confidence")
        top += 48
        parts += _confirmed(history.boundaries, end_s, top + 8)
        parts += _name(top + 12, "confirmed", "")
        top += 22
    parts += _bars(history.bars(), [color_of(bar.label) for bar in history.bars()], end_s, top, 40.0)
    parts += _name(top + 16, "segments found", "by the end")
    top += 48
    if history.truth:
        names = naming(history)
        colors = [color_of(names.get(bar.label, -1)) for bar in history.truth]
        parts += _bars(history.truth, colors, end_s, top, 34.0, soft=True)
        parts += _name(top + 13, "known truth", "never sent")
        top += 46
    cuts_from = top
    parts += _signal(history, end_s, top, 30.0)
    top += 30.0 * len(traces(history.recording)) + 14
    parts += _score(history, end_s, top, 84.0)
    parts += _name(top + 40, "surprise", "alarms in red")
    top += 84
    parts += [
        f'<path class="cut" d="M{_x(boundary.time_s, end_s):.1f} {cuts_from:g}V{top:g}"/>'
        for boundary in history.boundaries
    ]
    parts += _ticks(end_s, top)
    parts.append(f'<line id="cursor" x1="{LEFT:g}" x2="{LEFT:g}" y1="0" y2="{top:g}"/>')
    return (
        f'<svg id="timeline" viewBox="0 0 {WIDTH:g} {top + 24:g}" role="img" aria-label="timeline of the stream">'
        '<defs><pattern id="stripes" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
        '<path class="stripe" d="M0 0V7"/></pattern></defs>'
        f'<rect x="{LEFT:g}" y="0" width="{RIGHT - LEFT:g}" height="{top:g}" fill="transparent"/>{"".join(parts)}</svg>'
    )


def key(history: StreamHistory) -> str:
    """What hatching and marks mean, as HTML; empty where nothing was provisional."""
    if not history.provisional:
        return ""
    marks = (
        ("confirmed", f"M8 9H19m0-4v8{_circle(8, 9, 4.5)}", "provisional boundary, and when it was reported"),
        ("retracted", "M8 9H19m0-4v8M4 5l8 8m0-8l-8 8", "retracted"),
        ("final", f"M8 9H19m0-4v8{_circle(8, 9, 4.5)}", "confirmed"),
    )
    parts = ['<span><i class="hatched"></i>provisional, not confirmed yet</span>']
    for kind, path, what in marks:
        parts.append(
            f'<span><svg class="sign" viewBox="0 0 22 18"><g class="boundary {kind}">'
            f'<path class="mark" d="{path}"/></g></svg>{escape(what)}</span>'
        )
    return "".join(parts)


def embedding(history: StreamHistory, flat: Array, times_s: Array) -> str:
    """The embedding's two main directions; `flat` (T, 2) in the drawing's own coordinates, see `fit`."""
    if not len(flat):
        return '<p class="here">Not requested.</p>'
    labels = history.labels_at(times_s)
    step = max(1, len(flat) // _MOST_POINTS)
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in flat[::step])
    parts = [f'<polyline class="path" points="{path}"/>']
    for label in history.labels:
        mine = flat[labels == label][::step]
        dots = "".join(f"M{x:.1f} {y:.1f}h0" for x, y in mine)
        parts.append(f'<path class="dots" d="{dots}" stroke="{color_of(label)}"/>')
    for label in history.labels:
        mine = flat[labels == label]
        if len(mine):
            x, y = np.median(mine, axis=0)
            parts.append(
                f'<circle cx="{x:.1f}" cy="{y:.1f}" r="13" fill="{color_of(label)}" stroke="white" stroke-width="1.5"/>'
                f'<text x="{x:.1f}" y="{y + 5:.1f}" text-anchor="middle" font-size="14" font-weight="700" '
                f'style="fill:{ink_on(color_of(label))}">{label}</text>'
            )
    parts.append('<circle id="spot" r="8" cx="0" cy="0"/>')
    return f'<svg viewBox="0 0 {SIDE:g} {SIDE * 0.72:g}" role="img" aria-label="embedding">{"".join(parts)}</svg>'


def fit(flat: Array) -> Array:
    """Embedding coordinates (T, 2) as coordinates of the drawing, keeping their proportions as far as they fit."""
    low, high = flat.min(axis=0), flat.max(axis=0)
    room = np.array([SIDE - 40, SIDE * 0.72 - 40])
    scaled = (flat - low) / np.maximum(high - low, 1e-9) * room
    return np.asarray(np.stack([20 + scaled[:, 0], SIDE * 0.72 - 20 - scaled[:, 1]], axis=1))


def stage(history: StreamHistory) -> str:
    """Where the script draws the pose at the cursor; empty where there is no body."""
    if figures(history.recording, np.zeros(1, dtype=np.int64)) is None:
        return ""
    limbs = "".join(
        f'<path id="{name}" class="limb" stroke-width="{width}" stroke-opacity="{opacity}"/>'
        for name, width, opacity in (("far", 0.045, 0.5), ("mid", 0.06, 1), ("near", 0.05, 1))
    )
    return (
        '<svg class="stage" viewBox="-1.15 -2.3 2.3 2.4" role="img" aria-label="pose at the cursor">'
        '<line class="grid" x1="-1" x2="1" y1="0" y2="0" style="stroke-width:.02"/>'
        f'{limbs}<circle id="head" r=".1"/></svg>'
    )


def _x(seconds: float, end_s: float) -> float:
    return LEFT + (RIGHT - LEFT) * seconds / end_s


def _name(y: float, name: str, remark: str) -> list[str]:
    return [
        f'<text x="{LEFT - 16:g}" y="{y:g}" text-anchor="end" font-size="13.5">{escape(name)}</text>',
        f'<text class="soft" x="{LEFT - 16:g}" y="{y + 15:g}" text-anchor="end" font-size="11">{escape(remark)}</text>',
    ]


def _provisional(segments: Iterable[ProvisionalReport], end_s: float, top: float, height: float) -> list[str]:
    """A hollow mark at each boundary as first reported, as high as its confidence, and a line to when that was."""
    parts = [
        f'<line class="grid" x1="{LEFT:g}" x2="{RIGHT:g}" y1="{top + share * height:g}" y2="{top + share * height:g}"/>'
        for share in (0.0, 0.5, 1.0)
    ]
    for one in segments:
        x, reported, y = _x(one.time_s, end_s), _x(one.reported_s, end_s), top + (1 - one.confidence) * height
        mark = f"M{x - 4:.1f} {y - 4:.1f}l8 8m0-8l-8 8" if one.outcome == "retracted" else _circle(x, y, 4.5)
        parts.append(
            f'<g class="boundary {one.outcome}"><title>{escape(_in_words(one))}</title>'
            f'<path d="M{x:.1f} {y:.1f}H{reported:.1f}m0-4v8"/><path class="mark" d="{mark}"/></g>'
        )
    return parts


def _in_words(one: ProvisionalReport) -> str:
    what = f"segment {one.segment_id}, action {one.label}: provisional, reported {one.delay_s:.1f} s after "
    what += f"{clock(one.time_s)}, confidence {one.confidence:.0%}"
    if one.outcome_s is None:
        return f"{what}, still open"
    return f"{what}, {one.outcome} {one.outcome_s - one.reported_s:.1f} s later"


def _confirmed(boundaries: Iterable[Boundary], end_s: float, y: float) -> list[str]:
    """A full mark at each boundary, and a line to when it was confirmed."""
    parts = []
    for boundary in boundaries:
        x, reported = _x(boundary.time_s, end_s), _x(boundary.reported_s, end_s)
        parts.append(
            f'<g class="boundary final"><title>{clock(boundary.time_s)}, confirmed {boundary.delay_s:.1f} s later'
            "</title>"
            f'<path d="M{x:.1f} {y:g}H{reported:.1f}m0-4v8"/><path class="mark" d="{_circle(x, y, 4.5)}"/></g>'
        )
    return parts


def _circle(x: float, y: float, radius: float) -> str:
    half = f"a{radius:g} {radius:g} 0 1 0"
    return f"M{x - radius:.1f} {y:.1f}{half} {2 * radius:g} 0{half} {-2 * radius:g} 0"


def _bars(
    bars: Iterable[Bar], colors: Sequence[str], end_s: float, top: float, height: float, *, soft: bool = False
) -> list[str]:
    parts = []
    for bar, color in zip(bars, colors, strict=True):
        x, width = _x(bar.start_s, end_s), _x(min(bar.end_s, end_s), end_s) - _x(bar.start_s, end_s)
        if width <= 0:
            continue
        name = bar.name.replace("_", " ")
        what = name if soft else f"segment {bar.segment_id}, action {bar.label}"
        what += f" ({bar.named})" if bar.named and not soft else ""
        size = 12.0 if soft else 15.0 if width > 22 else 10.0
        room = int((width - 3) / (size * 0.58))
        shown = name if len(name) <= room else name[: room - 1] + "…" if room >= 4 else ""
        ink = "" if soft else f' font-weight="700" style="fill:{ink_on(color)}"'
        faded = ' fill-opacity=".5"' if soft else ""
        box = f'x="{x + 0.75:.1f}" y="{top:g}" width="{max(0.5, width - 1.5):.1f}" height="{height:g}" rx="4"'
        hatch = "" if bar.confirmed else f'<rect {box} fill="url(#stripes)"/>'
        parts.append(
            f"<g><title>{escape(what)}, {clock(bar.start_s)} to {clock(bar.end_s)}</title>"
            f'<rect {box} fill="{color}"{faded}/>{hatch}'
            f'<text x="{x + width / 2:.1f}" y="{top + height / 2 + size * 0.36:.1f}" text-anchor="middle" '
            f'font-size="{size:g}"{ink}>{escape(shown)}</text></g>'
        )
    return parts


def _poses(history: StreamHistory, end_s: float, top: float, height: float) -> list[str]:
    scale = height / 2.2
    period_s = end_s * (scale * 1.3) / (RIGHT - LEFT)
    times = np.arange(0.5, 1000) * period_s
    times = times[(times < end_s - 0.3 * period_s) & history.streamed(times)]
    shown = figures(history.recording, rows_at(history.recording, times)) if len(times) else None
    if shown is None:
        return []
    parts = []
    for points, time, label in zip(shown.points, times, history.labels_at(times), strict=True):
        x0, color = _x(float(time), end_s), color_of(int(label))
        xs, ys = x0 + points[:, 0] * scale, top + height - points[:, 1] * scale
        for side, opacity, width in ((-1, 0.5, 2.0), (0, 1.0, 2.8), (1, 1.0, 2.4)):
            limbs = "".join(f"M{xs[a]:.1f} {ys[a]:.1f}L{xs[b]:.1f} {ys[b]:.1f}" for a, b, s in shown.bones if s == side)
            parts.append(
                f'<path class="limb" d="{limbs}" stroke="{color}" stroke-width="{width}" stroke-opacity="{opacity}"/>'
            )
        parts.append(f'<circle cx="{xs[shown.head]:.1f}" cy="{ys[shown.head]:.1f}" r="4.4" fill="{color}"/>')
    return parts


def _signal(history: StreamHistory, end_s: float, top: float, row: float) -> list[str]:
    own = history.recording.times() - history.recording.times()[0]
    step = max(1, len(own) // _MOST_POINTS)
    curves = traces(history.recording)
    parts = []
    for gap in history.gaps:
        x = _x(gap.time_s, end_s)
        parts.append(
            f'<g><title>gap: {gap.missing_frames} frames missing, {gap_fate(gap)}</title><rect class="gap" x="{x:.1f}" '
            f'y="{top:g}" width="{max(2.0, _x(gap.duration_s, end_s) - LEFT):.1f}" height="{row * len(curves):g}"/></g>'
        )
    for i, trace in enumerate(curves):
        base = top + row * (i + 1)
        shown = own[::step] <= end_s
        times, values = broken(own[::step][shown], trace.values[::step][shown], history.breaks)
        line = _lines([_x(float(t), end_s) for t in times], base - 3 - (row - 6) * values)
        parts.append(f'<line class="grid" x1="{LEFT:g}" x2="{RIGHT:g}" y1="{base:g}" y2="{base:g}"/>')
        parts.append(f'<path class="trace" d="{line}"/>')
        name = trace.name if len(trace.name) <= 18 else trace.name[:17] + "…"
        parts.append(
            f'<text x="{LEFT - 16:g}" y="{base - row / 2 + 4:g}" text-anchor="end" font-size="12">{escape(name)}</text>'
        )
    return parts


def _runs(values: Array) -> list[slice]:
    """The runs of values between those that are NaN."""
    edges = [-1, *np.flatnonzero(np.isnan(values)).tolist(), len(values)]
    return [slice(before + 1, after) for before, after in itertools.pairwise(edges) if after > before + 1]


def _lines(xs: Sequence[float], ys: Array) -> str:
    """A path along the points, which ends and begins anew where `ys` is NaN."""
    runs = (zip(xs[run], ys[run], strict=True) for run in _runs(ys))
    return "".join("M" + " ".join(f"{x:.1f},{y:.1f}" for x, y in run) for run in runs)


def _hills(xs: Sequence[float], ys: Array, base: float) -> list[str]:
    """What lies between the points and the line at `base`, one area for each run of points without NaN."""
    return [
        f'<path class="hill" d="M{xs[run][0]:.1f} {base:g}'
        + "".join(f"L{x:.1f} {y:.1f}" for x, y in zip(xs[run], ys[run], strict=True))
        + f'L{xs[run][-1]:.1f} {base:g}Z"/>'
        for run in _runs(ys)
    ]


def _score(history: StreamHistory, end_s: float, top: float, height: float) -> list[str]:
    times, scores = np.array(history.outputs.times_s), np.clip(np.array(history.outputs.anomaly_scores), 0, None)
    if not len(times):
        return [f'<text class="soft" x="{LEFT + 20:g}" y="{top + height / 2:g}">not requested</text>']
    full = max(8.0, float(scores.max()) * 1.15)
    base = top + height
    step = max(1, len(times) // _MOST_POINTS)
    # The largest of each group, so that a short excursion is not lost between two points.
    peaks = np.array([scores[i : i + step].max() for i in range(0, len(times), step)])
    times, peaks = broken(times[::step], peaks, history.breaks)
    parts = [
        *_hills([_x(float(t), end_s) for t in times], base - height * peaks / full, base),
        f'<line class="grid" x1="{LEFT:g}" x2="{RIGHT:g}" y1="{base:g}" y2="{base:g}"/>',
    ]
    for anomaly in history.anomalies:
        x = _x(anomaly.start_s, end_s)
        until_s = history.position_s if anomaly.end_s is None else anomaly.end_s
        width = max(1.0, _x(until_s, end_s) - x)
        when = f"{clock(anomaly.start_s)} to {clock(until_s)}" if anomaly.end_s is not None else "goes on"
        mark = "alarm" if color_of_class(anomaly.about) == ALARM else "report"
        what = f"{anomaly.about}: {anomaly.text}, {when}, {rarity(anomaly.severity, anomaly.rule)}"
        parts.append(
            f"<g><title>{escape(what)}</title>"
            f'<rect class="{mark}" x="{x:.1f}" y="{top:g}" width="{width:.1f}" height="{height:g}" opacity="0.15"/>'
            f'<path class="{mark}" d="M{x:.1f} {top + 12:g}l-7 -12h14z"/></g>'
        )
    return parts


def _ticks(end_s: float, y: float) -> list[str]:
    step = next((s for s in (0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600) if end_s / s <= 14), end_s / 10)
    return [
        f'<text class="soft" x="{_x(t, end_s):.1f}" y="{y + 18:g}" text-anchor="middle" font-size="12">{t:g} s</text>'
        for t in np.arange(0, end_s + 1e-9, step)
    ]


def swatch(label: int, text: str = "") -> str:
    """A label on its colour, as HTML."""
    color = color_of(label) if label >= 0 else UNKNOWN
    return f'<span class="dot" style="background:{color};color:{ink_on(color)}">{escape(text or str(label))}</span>'
