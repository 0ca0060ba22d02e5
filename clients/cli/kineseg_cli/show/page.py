"""The page of a stream that was replayed: one HTML file that needs nothing else, neither a server nor a network."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from kineseg import FrameResult, __version__
from kineseg.page import Hub, Limits, StreamInfo, recording_page

from kineseg_cli.show.agreement import TOLERANCE_S, compare_with_truth, naming
from kineseg_cli.show.segment_versions import Boundary, ProvisionalReport
from kineseg_cli.show.stream_history import StreamHistory
from kineseg_cli.show.wording import clock, count

_MOST_POSES, _MOST_RESULTS = 6000, 6000


def save(history: StreamHistory, path: Path) -> None:
    """Write the page.

    Raises:
        OSError: The file cannot be written.
    """
    path.write_text(render(history), encoding="utf-8")


def render(history: StreamHistory) -> str:
    """The whole page as HTML."""
    recording, end_s = history.recording, _end_s(history)
    model = f" · model {history.model} at {history.model_rate_hz:g} Hz" if history.model else ""
    names = naming(history)
    truth = [
        {"name": bar.name.replace("_", " "), "start": bar.start_s, "end": bar.end_s, "label": names.get(bar.label, -1)}
        for bar in history.truth
    ]
    return recording_page(
        _hub(history, end_s),
        title=history.title,
        badge="synthetic motion: made by a program" if history.synthetic else "",
        subtitle=f"{clock(end_s)} streamed at {recording.rate:g} fps, {recording.n_channels} channels{model}",
        facts=_facts(history),
        truth=truth,
        footer=_footer(history),
    )


def _end_s(history: StreamHistory) -> float:
    return max([1e-3, history.position_s, *(bar.end_s for bar in history.bars())])


def _hub(history: StreamHistory, end_s: float) -> Hub:
    """A hub with this one stream, as if it had just been streamed."""
    limits = Limits(
        kept_s=end_s + 1,
        poses_per_s=min(20.0, _MOST_POSES / end_s),
        results_per_s=min(15.0, _MOST_RESULTS / end_s),
        events=len(history.events) + 1,
    )
    hub = Hub(limits=limits)
    recording = history.recording
    opened = history.opened
    feed = hub.open(
        StreamInfo(
            stream="recording",
            name=history.title,
            model=history.model,
            rate_hz=recording.rate,
            channels=recording.channels,
            boundary_threshold=opened.boundary_threshold if opened else 0.0,
            alarms_per_hour=opened.alarms_per_hour if opened else 0.0,
            reports_per_hour=opened.reports_per_hour if opened else 0.0,
            synthetic=history.synthetic,
        )
    )
    times = recording.times() - recording.times()[0]
    sent = int(np.searchsorted(times, end_s, side="right"))
    feed.poses(recording.held()[:sent], times[:sent].tolist())
    for event in history.events:
        feed.event(event)
    outputs = history.outputs
    labels = history.labels_at(outputs.times_s).tolist() if outputs.times_s else []
    for time_s, surprise, score, embedding, label in zip(
        outputs.times_s, outputs.surprise, outputs.anomaly_scores, outputs.embeddings, labels, strict=True
    ):
        feed.result(
            FrameResult(
                frame=0, time_s=time_s, surprise=surprise, anomaly_score=score, embedding=embedding, label=label
            )
        )
    feed.plane.choose()
    return hub


def _facts(history: StreamHistory) -> list[tuple[str, str]]:
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
    return facts


def _median(reported: Sequence[ProvisionalReport | Boundary]) -> str:
    return f"{np.median([one.delay_s for one in reported]):.1f} s"


def _footer(history: StreamHistory) -> str:
    parts = [f"Made by kineseg {__version__} from {count(len(history.events), 'event')} of one stream."]
    if history.truth:
        parts.append(
            "The known truth was never sent to the server; its bars take the colour of the action found that covers "
            "them best."
        )
    if history.synthetic:
        faults = ", ".join(fault.kind for fault in history.recording.faults)
        parts.append(
            "The motion is synthetic: a program made it up, no one was recorded."
            + (f" Faults put in on purpose: {faults}." if faults else "")
        )
    return " ".join(parts)
