"""What a thousand live streams on one core need: ``summary.json`` says of every figure what it is, what was asked, and
whether it holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Rows = Sequence[Mapping[str, Any]]
Parts = Mapping[str, Rows]
"""What the parts of the bench gave, by name."""


@dataclass(frozen=True)
class Asked:
    """A figure.

    Attributes:
        name: Of the figure, with its unit.
        part: Of the bench.
        bound: What is asked.
        value: Of the part's rows; None if they have no such.
        at_most: Whether less is better.
    """

    name: str
    part: str
    bound: float
    value: Callable[[Rows], float | None]
    at_most: bool = True

    def holds(self, value: float | None) -> bool:
        """What was not measured does not hold."""
        if value is None:
            return False
        return value <= self.bound if self.at_most else value >= self.bound


def plain(parts: Parts) -> dict[str, dict[str, float | bool | None]]:
    """``{figure: {"value", "asked", "holds"}}`` of the parts that were run, for JSON."""
    values = [(asked, asked.value(parts[asked.part])) for asked in ASKED if asked.part in parts]
    return {asked.name: {"value": value, "asked": asked.bound, "holds": asked.holds(value)} for asked, value in values}


def _of(key: str, **wanted: object) -> Callable[[Rows], float | None]:
    """A figure of the row that has these values."""

    def value(rows: Rows) -> float | None:
        row = next((row for row in rows if all(row[name] == one for name, one in wanted.items())), None)
        return None if row is None else float(row[key])

    return value


def _largest(key: str) -> Callable[[Rows], float | None]:
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


def _of_a_thousand(key: str) -> Callable[[Rows], float | None]:
    """The best of the loads of a thousand streams, on however many calls."""
    return lambda rows: min((float(row[key]) for row in rows if row["streams"] == 1000), default=None)


def _grown(rows: Rows) -> float | None:
    """CPU a chunk at the most streams, over that at the fewest."""
    if len(rows) < 2:
        return None
    fewest, most = (pick(rows, key=lambda row: row["streams"]) for pick in (min, max))
    return float(most["server_us_per_chunk"] / fewest["server_us_per_chunk"])


def _over_bare(rows: Rows) -> float | None:
    share = _of("share_of_bare", batch=128)(rows)
    return None if share is None else 1.0 / share


def _kibibytes(rows: Rows, key: str = "bytes_per_stream") -> float | None:
    largest = _largest(key)(rows)
    return None if largest is None else largest / 2**10


def _mebibytes(rows: Rows, key: str) -> float | None:
    largest = _largest(key)(rows)
    return None if largest is None else largest / 2**20


ASKED: tuple[Asked, ...] = (
    Asked("1,000 streams: late chunks, share", "many", 0.0, _of_a_thousand("late_share")),
    Asked("1,000 streams: events after their chunk, 99th percentile, ms", "many", 50.0, _of_a_thousand("event_p99_ms")),
    Asked("1,000 streams: CPU of the server, cores", "many", 0.7, _of_a_thousand("server_cpu_share")),
    Asked("1,000 streams: CPU of the client, cores", "many", 0.4, _of_a_thousand("client_cpu_share")),
    Asked("CPU a chunk from the fewest to the most streams, ratio", "many", 1.1, _grown),
    Asked("64 calls: frames in time, share", "streams", 1.0, _in_time, at_most=False),
    Asked("one stream: median to its acknowledgement over an echo's, ratio", "streams", 1.5, _over_echo),
    Asked("intake, dearest kind of frames, us a chunk of six", "intake", 6.0, _largest("us_per_chunk")),
    Asked("intake, kept of a stream, KiB", "intake", 2.0, _kibibytes),
    Asked("segmenter, us a model frame", "segmenter", 10.0, _largest("us_per_frame")),
    Asked("segmenter, kept of a stream, KiB", "segmenter", 64.0, lambda rows: _kibibytes(rows, "row_bytes")),
    Asked("anomalies of a body, us a model frame", "anomalies", 8.0, _of("us_per_model_frame", of="body")),
    Asked("decoder at batch 128 over a bare loop, ratio", "decoder", 1.3, _over_bare),
    Asked("memory of a stream on a call of its own, KiB", "memory", 64.0, _kibibytes),
    Asked("memory of the server without streams, MiB", "memory", 350.0, lambda rows: _mebibytes(rows, "idle_bytes")),
)
