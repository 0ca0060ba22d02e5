"""Reads annotated segments or boundaries from a file: tables, JSON, and what `kineseg segment` writes."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kineseg.motion import Recording

from kineseg_cli.failures import CommandError

_STARTS = ("start", "start_s", "start_time_s", "time", "time_s", "boundary", "boundary_s")
_ENDS = ("end", "end_s", "end_time_s")
_FORMS = (
    "expected a table with the columns start, end, name (seconds; end and name may be missing), or what `kineseg "
    "segment` writes with --out or --labels"
)


@dataclass(frozen=True, slots=True)
class AnnotatedSegment:
    """A segment as a file has it.

    Attributes:
        place: Where in the file, for errors.
        start_s: Since the recording's first frame.
        end_s: Since the recording's first frame; None: where the next one starts.
    """

    place: str
    start_s: float
    end_s: float | None


def read_segments(path: Path, recording: Recording) -> list[AnnotatedSegment]:
    """The segments in a file, in its order.

    Args:
        path: A table of `start,end,name` in seconds, of boundaries (one column), or of frames as `kineseg segment
            --labels` writes it; events as `--out` writes them; or JSON with `segments` of ``[start, end, name]``,
            which are frames if it has `fps`, and seconds otherwise, perhaps below `streams` and the recording's name.
        recording: What is annotated; frames are looked up in its times.

    Raises:
        CommandError: It cannot be read, or is none of these; names the file and the line.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"--labels {path}: cannot be read ({error})") from error
    try:
        segments = list(_json(text, recording) if text.lstrip()[:1] in ("{", "[") else _table(text, recording))
    except _WrongFormatError as error:
        raise CommandError(f"--labels {path}{error}") from error
    if not segments:
        raise CommandError(f"--labels {path}: has no segments; {_FORMS}")
    return segments


class _WrongFormatError(ValueError):
    """Where in the file, and what is wrong there."""


def _json(text: str, recording: Recording) -> Iterator[AnnotatedSegment]:
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError):
        whole = None  # one object on each line, perhaps
    if isinstance(whole, Mapping) and "streams" in whole:
        streams, name = whole["streams"], Path(recording.name).stem
        if not isinstance(streams, Mapping) or name not in streams:
            raise _WrongFormatError(f": its streams have none called {name!r}, as the recording is")
        whole = streams[name]
    if isinstance(whole, Mapping) and "segments" in whole:
        return _listed(whole["segments"], whole.get("fps"))
    if isinstance(whole, list):
        return _listed(whole, None)
    return _events(text)


def _listed(segments: object, fps: object) -> Iterator[AnnotatedSegment]:
    """Segments as ``[start, end, name]``, in frames if there is a rate."""
    if not isinstance(segments, list):
        raise _WrongFormatError(": its segments are no list of [start, end, name]")
    rate = 1.0 if fps is None else _number(fps, ": fps")
    if rate <= 0.0:
        raise _WrongFormatError(f": fps must be positive, got {rate:g}")
    for i, one in enumerate(segments, 1):
        place = f", segment {i}"
        if not isinstance(one, list) or len(one) < 2:
            raise _WrongFormatError(f"{place}: expected [start, end, name], got {json.dumps(one)[:60]}")
        yield AnnotatedSegment(place, _number(one[0], place) / rate, _number(one[1], place) / rate)


def _events(text: str) -> Iterator[AnnotatedSegment]:
    """Finished segments among events, one on each line; only their times are looked at."""
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        place = f", line {number}"
        try:
            event = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise _WrongFormatError(f"{place}: not JSON ({error}); {_FORMS}") from error
        if not isinstance(event, Mapping):
            raise _WrongFormatError(f"{place}: not an event, as `kineseg segment --out` writes them")
        if event.get("kind", "segment_closed") != "segment_closed":
            continue
        if "start_time_s" not in event:
            raise _WrongFormatError(f"{place}: a segment without start_time_s")
        end = event.get("end_time_s")
        yield AnnotatedSegment(
            place, _number(event["start_time_s"], place), None if end is None else _number(end, place)
        )


def _table(text: str, recording: Recording) -> Iterator[AnnotatedSegment]:
    lines = [(n, line) for n, line in enumerate(text.splitlines(), 1) if line.strip() and not line.startswith("#")]
    if not lines:
        return iter(())
    delimiter = next((mark for mark in "\t;" if mark in lines[0][1]), ",")
    rows = [(f", line {n}", next(csv.reader([line], delimiter=delimiter))) for n, line in lines]
    header = [cell.strip().lower() for cell in rows[0][1]]
    if _is_number(header[0]):
        return _seconds(rows, 0, 1)
    if "frame" in header and "segment_id" in header:
        return _frames(rows[1:], header.index("frame"), header.index("segment_id"), recording)
    start = next((header.index(name) for name in _STARTS if name in header), None)
    if start is None:
        raise _WrongFormatError(f"{rows[0][0]}: no column of starts among {', '.join(header)[:80]}; {_FORMS}")
    end = next((header.index(name) for name in _ENDS if name in header), None)
    return _seconds(rows[1:], start, end)


def _seconds(rows: list[tuple[str, list[str]]], start: int, end: int | None) -> Iterator[AnnotatedSegment]:
    for place, row in rows:
        end_s = None if end is None or not _cell(row, end) else _number(_cell(row, end), place)
        yield AnnotatedSegment(place, _number(_cell(row, start), place), end_s)


def _frames(
    rows: list[tuple[str, list[str]]], frame: int, segment: int, recording: Recording
) -> Iterator[AnnotatedSegment]:
    """A row for each frame: a segment begins where the id changes."""
    times = recording.times() - recording.times()[0]
    last = None
    for place, row in rows:
        number = _number(_cell(row, frame), place)
        if number != int(number) or not 0 <= number < len(times):
            raise _WrongFormatError(
                f"{place}: frame {number:g} is none of the recording's, which are 0 to {len(times) - 1}"
            )
        if _cell(row, segment) != last:
            last = _cell(row, segment)
            yield AnnotatedSegment(place, float(times[int(number)]), None)


def _cell(row: list[str], column: int) -> str:
    return row[column].strip() if column < len(row) else ""


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _number(value: Any, place: str) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise _WrongFormatError(f"{place}: {value!r} is not a number")
    return number
