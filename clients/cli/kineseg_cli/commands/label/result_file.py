"""Reads a finished segment from a file of events."""

from __future__ import annotations

import json
from pathlib import Path

from kineseg import KinesegError, SegmentClosed, Summary, event_from_dict

from kineseg_cli.failures import CommandError


def read_segment(path: Path, segment_id: int | None) -> tuple[SegmentClosed, Summary]:
    """The segment of that number, and the summary of its stream, which names the model.

    Raises:
        CommandError: The file is not a file of events, or has no summary with a model, or no such segment.
        OSError: It cannot be read.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise CommandError(f"{path}: not a file of events, as `kineseg segment --out` writes them ({error})") from error
    closed: dict[int, SegmentClosed] = {}
    summary = None
    for number, line in enumerate(lines, 1):
        try:
            values = json.loads(line)
            event = event_from_dict(values if isinstance(values, dict) else {})
        except (ValueError, TypeError, KinesegError) as error:
            raise CommandError(
                f"{path}: line {number} is not an event, as `kineseg segment --out` writes them ({error})"
            ) from error
        if isinstance(event, SegmentClosed):
            closed[event.segment_id] = event
        summary = event if isinstance(event, Summary) else summary
    if summary is None or not summary.model:
        raise CommandError(
            f"{path}: does not say which model made it (a summary event with the model is missing): segment again"
        )
    if segment_id not in closed:
        known = ", ".join(map(str, sorted(closed)[:12])) + (", ..." if len(closed) > 12 else "")
        raise CommandError(f"{path}: has no finished segment {segment_id}; it has {known or 'none'}")
    return closed[segment_id], summary
