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
_FRAMES, _MODEL_FRAMES = 6.0, 1.5  # in a chunk of 50 ms, at 120 and at 30 a second


def reached(parts: Parts) -> list[Reached]:
    """All figures that are asked of the parts that were run."""
    found = [_reached(asked, value, parts[part]) for part, asked, value in ASKED if part in parts]
    return [*found, Reached(_LIMITED, _of_the_limit(parts))] if parts.keys() >= _LIMITING else found


def _reached(asked: Asked, value: Value, rows: Rows) -> Reached:
    """A figure of a part, which gives one row with the reason where it cannot be run."""
    why = next((str(row["skipped"]) for row in rows if "skipped" in row), "")
    return Reached(asked, None if why else value(rows), why)


def _of(key: str, **wanted: object) -> Value:
    """A figure of the row that has these values."""

    def value(rows: Rows) -> float | None:
        row = next((row for row in rows if all(row[name] == one for name, one in wanted.items())), None)
        return None if row is None else float(row[key])

    return value


def _largest(key: str) -> Value:
    return lambda rows: max((float(row[key]) for row in rows if row[key] is not None), default=None)


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


def _over_reading(chunk_s: float) -> Value:
    """What a chunk costs over what it costs a server that only reads and answers, at the most streams both carry."""
    return lambda rows: next(
        (row["over_bare"] for row in reversed(rows) if row["chunk_s"] == chunk_s and row["over_bare"] is not None), None
    )


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


def _least_of_a_thousand(rows: Rows) -> float | None:
    """The least share of bare of the large batches."""
    return min((float(row["share_of_bare"]) for row in rows if row["batch"] >= 1024), default=None)


def _milliseconds(key: str, **wanted: object) -> Value:
    return lambda rows: _scaled(_of(key, **wanted)(rows), 1e-3)


def _kibibytes(key: str, calls: str | None = None) -> Value:
    return lambda rows: _scaled(_largest(key)(_with(rows, calls)), 2**-10)


def _mebibytes(key: str, calls: str | None = None) -> Value:
    return lambda rows: _scaled(_largest(key)(_with(rows, calls)), 2**-20)


def _with(rows: Rows, calls: str | None) -> Rows:
    return rows if calls is None else [row for row in rows if row["calls"] == calls]


def _scaled(value: float | None, factor: float) -> float | None:
    return None if value is None else value * factor


def _inverse(value: float | None, over: float) -> float | None:
    return None if value is None else over / value


def _ratio(rows: Rows, of: Value, to: Value) -> float | None:
    above, below = of(rows), to(rows)
    return None if above is None or below is None else above / below


def _slower(rows: Rows) -> float | None:
    return _ratio(rows, _of("us_per_frame", streams=4000), _of("us_per_frame", streams=500))


def _shared(rows: Rows) -> float | None:
    return _ratio(rows, _of("server_us_per_chunk", processes=2), _of("server_us_per_chunk", processes=1))


def _most(name: str, bound: float) -> Asked:
    return Asked(name, bound, at_most=True)


ASKED: tuple[tuple[str, Asked, Value], ...] = (
    ("start", _most("from its command to where a server serves, kernels compiled, s", 2.0), _of("median_s")),
    ("many", _most("1,000 streams: late chunks, share", 0.0), _of_a_thousand("late_share")),
    ("many", _most("1,000 streams: events after their chunk, p99, ms", 50.0), _of_a_thousand("event_p99_ms")),
    ("many", _most("1,000 streams: CPU of the server, cores", 0.7), _carried("server_cpu_share")),
    ("many", _most("1,000 streams: CPU of the client, cores", 0.4), _carried("client_cpu_share")),
    ("many", _most("CPU a chunk from the fewest to the most streams, ratio", 1.1), _grown),
    ("streams", Asked("64 calls: frames in time, share", 1.0), _in_time),
    ("streams", _most("one stream: median to its acknowledgement over an echo's, ratio", 1.5), _over_echo),
    ("calls", _most("calls of 50 ms chunks: CPU over a server that only reads, ratio", 1.6), _over_reading(0.05)),
    ("calls", _most("calls of 200 ms chunks: CPU over a server that only reads, ratio", 1.6), _over_reading(0.2)),
    ("capture", _most("a datagram to its provisional event, 95 % within, ms", 100.0), _largest("event_p95_ms")),
    (
        "capture",
        _most("a datagram to its provisional event at a page, 95 % within, ms", 200.0),
        _largest("page_event_p95_ms"),
    ),
    ("intake", _most("intake, dearest kind of frames, us a chunk of six", 6.0), _largest("us_per_chunk")),
    ("intake", _most("intake, kept of a stream, KiB", 2.0), _kibibytes("bytes_per_stream")),
    ("segmenter", _most("segmenter, us a model frame", 10.0), _largest("us_per_frame")),
    ("segmenter", _most("segmenter, kept of a stream, KiB", 64.0), _kibibytes("row_bytes")),
    ("anomalies", _most("anomalies of a body, us a model frame", 8.0), _of("us_per_model_frame", of="body")),
    ("decoder", _most("decoder at batch 128 over a bare loop, ratio", 1.3), _over_bare),
    (
        "gpu",
        Asked("a GPU: a bare loop bound on it over the decoder, 1,024 streams and more, least share", 0.8),
        _least_of_a_thousand,
    ),
    ("gpu", _most("a GPU: decoder, a step of 16,384 streams, ms", 1.0), _milliseconds("step_us", batch=16384)),
    ("growth", _most("segmenter, us a model frame at 4,000 streams over that at 500, ratio", 1.1), _slower),
    ("silent", _most("an open silent stream, share of a core", 0.0001), _of("cpu_share_per_stream")),
    ("sharing", _most("CPU a chunk in two processes over that in one, ratio", 1.1), _shared),
    ("memory", _most("memory of a stream that shares a call, KiB", 64.0), _kibibytes("bytes_per_stream", "shared")),
    ("memory", _most("memory of the server without streams, MiB", 350.0), _mebibytes("idle_bytes", "own")),
    (
        "durability",
        _most("CPU a chunk, 256 bodies in SQLite over none kept, ratio", 1.15),
        _of("over_none", of="bodies", store="SQLite"),
    ),
    (
        "durability",
        _most("CPU a chunk, 1,000 accelerometers in SQLite over none kept, ratio", 1.15),
        _of("over_none", of="accelerometers", store="SQLite"),
    ),
    (
        "durability",
        _most("CPU a chunk, 500 sensors of 59 channels in SQLite over none kept, ratio", 1.15),
        _of("over_none", of="sensors of 59 channels", store="SQLite"),
    ),
    (
        "durability",
        _most("late chunks of 1,000 accelerometers in SQLite, share", 0.001),
        _of("late_share", of="accelerometers", store="SQLite"),
    ),
    ("long", _most("hours of one stream: CPU a frame at the end over the beginning, ratio", 1.1), _of("cost_growth")),
)
"""Part of the bench, figure, and its value from the part's rows."""

_LIMITING = {"decoder", "intake", "segmenter", "anomalies", "many"}
_LIMITED = Asked("what parts cost by themselves, bare ONNX Runtime, over what a chunk costs the server, share", 0.8)


def _of_the_limit(parts: Parts) -> float | None:
    """Parts alone, over all of the server at the most streams that it carries: the rest is calls and Python."""
    alone = (
        _of("us_per_chunk", of="channels")(parts["intake"]),
        _scaled(_of("us_per_frame", of="channels")(parts["anomalies"]), _FRAMES),
        _scaled(_of("us_per_frame", of="motion")(parts["segmenter"]), _MODEL_FRAMES),
        _inverse(_of("bare_steps_per_s", batch=32)(parts["decoder"]), _MODEL_FRAMES * 1e6),
    )
    carried = _in_real_time(parts["many"])
    if None in alone or not carried:
        return None
    most = max(carried, key=lambda row: row["streams"])
    return sum(each for each in alone if each is not None) / float(most["server_us_per_chunk"])
