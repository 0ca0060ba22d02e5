"""Runs the benchmarks, prints tables and writes them as JSON: python -m evaluation.bench [decoder|streams|...]"""

from __future__ import annotations

import argparse
import json
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path

import onnxruntime
import psutil
from rich.console import Console
from rich.table import Table

from evaluation.asked import Reached, plain
from evaluation.bench import (
    anomalies,
    calls,
    capacity,
    capture,
    decoder,
    durability,
    gpu,
    growth,
    intake,
    long,
    many,
    memory,
    on_ray,
    profile,
    scale,
    scratch,
    segmenter,
    sensors,
    sharing,
    silent,
    snapshots,
    start,
    streams,
    summary,
)
from evaluation.bench.parts import Part, Rows

PARTS: Mapping[str, Part] = {
    "start": start.report,
    "decoder": decoder.report,
    "gpu": gpu.report,
    "intake": intake.report,
    "segmenter": segmenter.report,
    "growth": growth.report,
    "anomalies": anomalies.report,
    "silent": silent.report,
    "streams": streams.report,
    "calls": calls.report,
    "many": many.report,
    "profile": profile.report,
    "capture": capture.report,
    "sharing": sharing.report,
    "scratch": scratch.report,
    "sensors": sensors.report,
    "memory": memory.report,
    "capacity": capacity.report,
    "snapshots": snapshots.report,
    "durability": durability.report,
    "long": long.report,
    "ray": on_ray.report,
    "scale": scale.report,
}


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
    found: dict[str, Rows] = {}
    for part in options.parts or PARTS:
        rows, table = PARTS[part](options.seconds)
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


def _machine() -> str:
    return (
        f"{platform.system()} {platform.machine()}, {psutil.cpu_count()} cores, "
        f"Python {platform.python_version()}, ONNX Runtime {onnxruntime.__version__}"
    )


if __name__ == "__main__":
    main()
