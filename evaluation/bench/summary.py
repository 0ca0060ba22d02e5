"""What a thousand live streams on one core need: ``summary.json`` says of every figure what it is, what was asked, and
whether it holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from evaluation.asked import Asked, Reached

Rows = Sequence[Mapping[str, Any]]
Parts = Mapping[str, Rows]
"""What the parts of the bench gave, by name."""
Value = Callable[[Rows], float | None]

_LATE = 0.001  # of the chunks of a load that is carried


def reached(parts: Parts) -> list[Reached]:
    """All figures that are asked of the parts that were run."""
    return [Reached(asked, value(parts[part])) for part, asked, value in ASKED if part in parts]


def _of(key: str, **wanted: object) -> Value:
    """A figure of the row that has these values."""

    def value(rows: Rows) -> float | None:
        row = next((row for row in rows if all(row[name] == one for name, one in wanted.items())), None)
        return None if row is None else float(row[key])

    return value


def _largest(key: str) -> Value:
    return lambda rows: max((float(row[key]) for row in rows), default=None)


def _in_time(rows: Rows) -> float | None:
    """Share of the frames of the largest load that went through in time."""
    if not rows:
        return None
    load = max((row["kineseg"] for row in rows), key=lambda load: load["streams"])
    return float(load["frames_in_time"] / load["frames_sent"])


def _over_echo(rows: Rows) -> float | None:
    """Median time to the acknowledgement of one stream, over an echo's."""
    one = next((row for row in rows if row["kineseg"]["streams"] == 1), None)
    return None if one is None else float(one["kineseg"]["p50_ms"] / one["echo"]["p50_ms"])


def _of_a_thousand(key: str) -> Value:
    """The best of the loads of a thousand streams, on however many calls."""
    return lambda rows: min((float(row[key]) for row in rows if row["streams"] == 1000), default=None)


def _carried(key: str) -> Value:
    """The same of those that were carried: what a load that is behind costs says nothing."""
    return lambda rows: _of_a_thousand(key)(_in_real_time(rows))


def _grown(rows: Rows) -> float | None:
    """CPU a chunk at the most streams that were carried, over that at the fewest."""
    carried = _in_real_time(rows)
    if len(carried) < 2:
        return None
    fewest, most = (pick(carried, key=lambda row: row["streams"]) for pick in (min, max))
    return float(most["server_us_per_chunk"] / fewest["server_us_per_chunk"])


def _in_real_time(rows: Rows) -> Rows:
    return [row for row in rows if row["late_share"] <= _LATE]


def _over_bare(rows: Rows) -> float | None:
    share = _of("share_of_bare", batch=128)(rows)
    return None if share is None else 1.0 / share


def _kibibytes(key: str) -> Value:
    return lambda rows: _over(_largest(key)(rows), 2**10)


def _mebibytes(key: str) -> Value:
    return lambda rows: _over(_largest(key)(rows), 2**20)


def _over(value: float | None, unit: int) -> float | None:
    return None if value is None else value / unit


def _most(name: str, bound: float) -> Asked:
    return Asked(name, bound, at_most=True)


ASKED: tuple[tuple[str, Asked, Value], ...] = (
    ("many", _most("1,000 streams: late chunks, share", 0.0), _of_a_thousand("late_share")),
    ("many", _most("1,000 streams: events after their chunk, p99, ms", 50.0), _of_a_thousand("event_p99_ms")),
    ("many", _most("1,000 streams: CPU of the server, cores", 0.7), _carried("server_cpu_share")),
    ("many", _most("1,000 streams: CPU of the client, cores", 0.4), _carried("client_cpu_share")),
    ("many", _most("CPU a chunk from the fewest to the most streams, ratio", 1.1), _grown),
    ("streams", Asked("64 calls: frames in time, share", 1.0), _in_time),
    ("streams", _most("one stream: median to its acknowledgement over an echo's, ratio", 1.5), _over_echo),
    ("intake", _most("intake, dearest kind of frames, us a chunk of six", 6.0), _largest("us_per_chunk")),
    ("intake", _most("intake, kept of a stream, KiB", 2.0), _kibibytes("bytes_per_stream")),
    ("segmenter", _most("segmenter, us a model frame", 10.0), _largest("us_per_frame")),
    ("segmenter", _most("segmenter, kept of a stream, KiB", 64.0), _kibibytes("row_bytes")),
    ("anomalies", _most("anomalies of a body, us a model frame", 8.0), _of("us_per_model_frame", of="body")),
    ("decoder", _most("decoder at batch 128 over a bare loop, ratio", 1.3), _over_bare),
    ("memory", _most("memory of a stream on a call of its own, KiB", 64.0), _kibibytes("bytes_per_stream")),
    ("memory", _most("memory of the server without streams, MiB", 350.0), _mebibytes("idle_bytes")),
)
"""Part of the bench, figure, and its value from the part's rows."""
