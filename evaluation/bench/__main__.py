"""Runs the benchmarks, prints tables and writes them as JSON: python -m evaluation.bench [decoder|streams|...]"""

from __future__ import annotations

import argparse
import dataclasses
import json
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import onnxruntime
import psutil
from rich.console import Console
from rich.table import Table

from evaluation.asked import Reached, plain
from evaluation.bench import anomalies, decoder, intake, long, many, memory, segmenter, streams, summary

PARTS = ("decoder", "intake", "segmenter", "anomalies", "streams", "many", "memory", "long")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", help=f"some of {', '.join(PARTS)}; default: all")
    parser.add_argument("--out", type=Path, default=Path("bench-output"), help="folder for the JSON files")
    parser.add_argument("--seconds", type=float, default=20.0, help="length of each measurement")
    options = parser.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    console = Console()
    if not console.is_terminal:
        console = Console(width=110)
    console.print(f"{_machine()}\n")
    options.out.mkdir(parents=True, exist_ok=True)
    found: dict[str, summary.Rows] = {}
    for part in options.parts or PARTS:
        rows, table = globals()[f"_{part}"](options.seconds)
        console.print(table)
        (options.out / f"{part}.json").write_text(json.dumps({"machine": _machine(), "rows": rows}, indent=1) + "\n")
        found[part] = rows
    figures = summary.reached(found)
    console.print(_figures(figures))
    (options.out / "summary.json").write_text(json.dumps(plain(figures), indent=1) + "\n")


def _figures(figures: Sequence[Reached]) -> Table:
    table = Table("figure", "is", "asked", "", title="what was asked")
    for each in figures:
        value = "-" if each.value is None else f"{each.value:.3g}"
        table.add_row(each.asked.name, value, f"{each.asked.bound:g}", each.verdict)
    return table


def _decoder(seconds: float) -> tuple[list[dict[str, Any]], Table]:
    table = Table("batch", "steps/s", "bare ONNX Runtime", "share of bare", title="decoder, one thread, CPU")
    rows = []
    for cost in decoder.measure(seconds):
        rows.append(dataclasses.asdict(cost) | {"share_of_bare": cost.share_of_bare})
        table.add_row(
            str(cost.batch), f"{cost.steps_per_s:,.0f}", f"{cost.bare_steps_per_s:,.0f}", f"{cost.share_of_bare:.2f}"
        )
    return rows, table


def _intake(_: float) -> tuple[list[dict[str, Any]], Table]:
    costs = intake.measure()
    title = (
        f"intake alone, one thread: {intake.STREAMS} streams, chunks of {intake.CHUNK} frames, {intake.RATE:g} a second"
    )
    table = Table("of", "numbers a frame", "us a chunk", "least", "bytes a stream", title=title)
    for cost in costs:
        table.add_row(
            cost.of,
            str(cost.numbers),
            f"{cost.us_per_chunk:.1f}",
            f"{cost.least_us_per_chunk:.1f}",
            f"{cost.bytes_per_stream:,.0f}",
        )
    return [dataclasses.asdict(cost) for cost in costs], table


def _segmenter(_: float) -> tuple[list[dict[str, Any]], Table]:
    costs = segmenter.measure()
    columns = ("of", "streams", "us a model frame", "least", "each by itself", "KiB of state")
    table = Table(*columns, title="segmenter in a table, one thread")
    for cost in costs:
        table.add_row(
            cost.of,
            str(cost.streams),
            f"{cost.us_per_frame:.0f}",
            f"{cost.least_us_per_frame:.0f}",
            f"{cost.alone_us_per_frame:.0f}",
            f"{cost.row_bytes / 2**10:.0f}",
        )
    return [dataclasses.asdict(cost) for cost in costs], table


def _anomalies(_: float) -> tuple[list[dict[str, Any]], Table]:
    costs = anomalies.measure()
    title = f"watching alone, {anomalies.RATE_HZ:g} frames/s, chunks of {anomalies.CHUNK}, one thread"
    table = Table("of", "streams", "us a frame", "least", "us a model frame", "KiB of state", title=title)
    for cost in costs:
        table.add_row(
            f"{cost.of} of {cost.units}",
            str(cost.streams),
            f"{cost.us_per_frame:.2f}",
            f"{cost.least_us_per_frame:.2f}",
            f"{cost.us_per_model_frame:.1f}",
            f"{cost.state_bytes / 2**10:.0f}",
        )
    return [dataclasses.asdict(cost) for cost in costs], table


def _streams(seconds: float) -> tuple[list[dict[str, Any]], Table]:
    title = f"live streams, {streams.RATE:g} frames/s, chunks of {streams.CHUNK_S * 1e3:g} ms"
    table = Table("streams", "", "p50 ms", "p99 ms", "late", "in time", "last after", "server CPU", title=title)
    rows = []
    for pair in streams.measure(seconds):
        rows.append(dataclasses.asdict(pair))
        for name, load in (("kineseg", pair.kineseg), ("echo", pair.echo)):
            table.add_row(
                str(load.streams) if name == "kineseg" else "",
                name,
                f"{load.p50_ms:.2f}",
                f"{load.p99_ms:.2f}",
                f"{load.late_share:.2%}",
                f"{load.frames_in_time:,} of {load.frames_sent:,}",
                f"{load.last_ack_after_s * 1e3:.0f} ms",
                f"{load.server_cpu_share:.0%} of a core",
            )
    return rows, table


def _many(seconds: float) -> tuple[list[dict[str, Any]], Table]:
    title = f"live streams on few calls, {many.RATE:g} frames/s, chunks of {many.CHUNK_S * 1e3:g} ms"
    table = Table(
        *("streams", "calls", "p50 ms", "p99 ms", "events p50", "p99", "late", "server CPU", "us a chunk"),
        *("client CPU", "us a chunk"),
        title=title,
    )
    loads = many.measure(seconds)
    for load in loads:
        table.add_row(
            str(load.streams),
            str(load.calls),
            f"{load.p50_ms:.1f}",
            f"{load.p99_ms:.1f}",
            f"{load.event_p50_ms:.1f}",
            f"{load.event_p99_ms:.1f}",
            f"{load.late_share:.2%}",
            f"{load.server_cpu_share:.0%} of a core",
            f"{load.server_us_per_chunk:.0f}",
            f"{load.client_cpu_share:.0%} of a core",
            f"{load.client_us_per_chunk:.0f}",
        )
    return [dataclasses.asdict(load) for load in loads], table


def _memory(_: float) -> tuple[list[dict[str, Any]], Table]:
    cost = memory.measure()
    table = Table("streams", "idle MiB", "loaded MiB", "KiB a stream", title="resident memory of the server")
    table.add_row(
        str(cost.streams),
        f"{cost.idle_bytes / 2**20:.0f}",
        f"{cost.loaded_bytes / 2**20:.0f}",
        f"{cost.bytes_per_stream / 2**10:.0f}",
    )
    return [dataclasses.asdict(cost) | {"bytes_per_stream": cost.bytes_per_stream}], table


def _long(seconds: float) -> tuple[list[dict[str, Any]], Table]:
    found = long.measure(seconds)
    caption = (
        f"{found.labels} labels for {found.actions} actions; segment ids {'rise' if found.ids_rise else 'FALL'}; "
        f"merged labels {'COME BACK' if found.labels_return else 'never come back'}; from the second tenth to the last "
        f"the cost of a frame is x {found.cost_growth:.2f} and memory {found.memory_growth_bytes / 2**20:+.1f} MiB"
    )
    table = Table(
        *("hours", "CPU us a frame", "x real time", "resident MiB", "segments", "labelled as before"),
        title="one stream of hours, new motion all the time",
        caption=caption,
    )
    for tenth in found.tenths:
        table.add_row(
            f"{tenth.hours:.2f}",
            f"{tenth.cpu_us_per_frame:.0f}",
            f"{tenth.times_real_time:.0f}",
            f"{tenth.resident_bytes / 2**20:.0f}",
            str(tenth.segments),
            "-" if tenth.known_share is None else f"{tenth.known_share:.0%}",
        )
    growth = {"cost_growth": found.cost_growth, "memory_growth_bytes": found.memory_growth_bytes}
    return [dataclasses.asdict(found) | growth], table


def _machine() -> str:
    return (
        f"{platform.system()} {platform.machine()}, {psutil.cpu_count()} cores, "
        f"Python {platform.python_version()}, ONNX Runtime {onnxruntime.__version__}"
    )


if __name__ == "__main__":
    main()
