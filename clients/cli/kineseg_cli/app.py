"""The command line: what each command takes, and nothing of what it does."""

from __future__ import annotations

import enum
import json
import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer
from kineseg import __version__
from kineseg_service.logs import configure_logs
from rich.console import Console

from kineseg_cli.commands.label import label
from kineseg_cli.failures import FAILED, INTERRUPTED, report
from kineseg_cli.notes import Notes
from kineseg_cli.options import (
    Axis,
    Bundle,
    Columns,
    JointFile,
    Layout,
    ModelName,
    Names,
    Provider,
    Rate,
    ServerAddress,
    Up,
    Where,
)
from kineseg_cli.outputs import writing
from kineseg_cli.standard_output import STANDARD_OUTPUT, ensure_standard_streams, silence_standard_output


class LogLevel(enum.StrEnum):
    """Least level that is logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogFormat(enum.StrEnum):
    """Form of log lines."""

    JSON = "json"
    CONSOLE = "console"


@dataclass(slots=True)
class _Choices:
    debug: bool = False


app = typer.Typer(
    name="kineseg",
    help="Streaming online segmentation of motion: where one action ends, and which actions are the same.",
    epilog="Exit status: 0 done, 1 failed, 2 wrong command line or input, 130 interrupted.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.add_typer(label)


def run(arguments: Sequence[str]) -> int:
    """Run one command; returns the exit status."""
    choices = _Choices()
    ensure_standard_streams()
    try:
        try:
            typer.main.get_command(app)(args=list(arguments), prog_name="kineseg", obj=choices)
        finally:
            # What is printed may wait in a buffer, and must have been written before the status says that all is well.
            with writing(STANDARD_OUTPUT):
                sys.stdout.flush()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:
        if isinstance(error, OSError) and error.filename == STANDARD_OUTPUT:
            silence_standard_output()
        return report(error, Notes(), debug=choices.debug)
    return 0


@app.callback()
def _common(
    context: typer.Context,
    debug: Annotated[bool, typer.Option("--debug", help="Log more, and show where an error came from.")] = False,
) -> None:
    context.obj.debug = debug
    configure_logs("debug" if debug else "warning")


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on. Default: 127.0.0.1.")] = None,
    port: Annotated[int | None, typer.Option(help="gRPC port; 0: any free one. Default: 50051.")] = None,
    metrics_port: Annotated[
        int | None, typer.Option(help="Prometheus port; 0: any free one; -1: none. Default: 9464.")
    ] = None,
    bundle: Bundle = None,
    model: Annotated[str | None, typer.Option(help="Model of streams that name none.")] = None,
    provider: Annotated[
        Provider | None, typer.Option(help="Where models run; auto: CUDA if there is one, else CPU. Default: auto.")
    ] = None,
    label_bank: Annotated[
        Path | None, typer.Option(help="JSON file with taught names, made when the first is taught. Default: none.")
    ] = None,
    max_sessions: Annotated[int | None, typer.Option(help="Largest number of open streams. Default: 1024.")] = None,
    log_level: Annotated[LogLevel | None, typer.Option(help="Least level that is logged. Default: info.")] = None,
    log_format: Annotated[LogFormat | None, typer.Option(help="Form of log lines. Default: console.")] = None,
    config: Annotated[
        Path | None, typer.Option(help="TOML file with settings; flags and KINESEG_* variables win over it.")
    ] = None,
) -> None:
    """Run the server until SIGTERM or Ctrl-C; open streams are ended properly."""
    from kineseg_service.config import Settings

    from kineseg_cli.commands.serve import serve

    given: dict[str, object] = {
        "host": host,
        "port": port,
        "bundles": tuple(bundle) if bundle else None,
        "default_model": model,
        "provider": provider and provider.value,
        "label_bank": label_bank,
        "max_sessions": max_sessions,
        "log_level": log_level and log_level.value,
        "log_format": log_format and log_format.value,
        "config_file": config,
    }
    chosen = {name: value for name, value in given.items() if value is not None}
    if metrics_port is not None:
        chosen["metrics_port"] = None if metrics_port == -1 else metrics_port
    serve(Settings.model_validate(chosen))


@app.command()
def segment(
    file: Annotated[
        Path, typer.Argument(help="Recording: BVH, CSV and its like, NPZ, NPY, TRC ..., see docs/files.md.")
    ],
    server: ServerAddress = None,
    out: Annotated[Path | None, typer.Option(help="Events as JSON, one a line; - for standard output.")] = None,
    labels: Annotated[Path | None, typer.Option(help="CSV with frame, segment_id and label of every frame.")] = None,
    plot: Annotated[Path | None, typer.Option(help="Picture of the timeline: .png, .svg or .pdf.")] = None,
    model: ModelName = "",
    rate: Rate = None,
    latency: Annotated[
        float | None, typer.Option(help="Seconds within which boundaries are confirmed, 0.5 to 10. Default: 4.")
    ] = None,
    up: Up = Axis.AUTO,
    mapping: JointFile = None,
    layout: Columns = Layout.AUTO,
    provisional: Annotated[
        bool, typer.Option("--provisional", help="Also tell what was announced early, and what became of it.")
    ] = False,
    realtime: Annotated[bool, typer.Option("--realtime", help="As slowly as it was captured.")] = False,
    bank: Names = None,
    bundle: Bundle = None,
    provider: Where = Provider.AUTO,
) -> None:
    """Segment a recording; the result is the same as that of a live stream."""
    from kineseg_cli.commands.segment import SegmentRequest, segment

    request = SegmentRequest(
        file=file,
        server=server,
        out=out,
        labels=labels,
        plot=plot,
        model=model,
        rate=rate,
        latency_s=latency,
        up=up.value,
        mapping=mapping,
        layout=layout.value,
        provisional=provisional,
        realtime=realtime,
        bank=bank,
        bundles=tuple(bundle or ()),
        provider=provider.value,
    )
    raise typer.Exit(segment(request))


@app.command()
def demo(
    file: Annotated[
        Path | None, typer.Argument(metavar="[INPUT]", help="Recording to stream. Default: embedded synthetic motion.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for timeline.png, events.jsonl and index.html.")] = Path(
        "demo-output"
    ),
    speed: Annotated[
        float | None,
        typer.Option(
            min=0.1, help="Times real time. Default: so that it takes about 35 s, and never slower than real time."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Which embedded motion.")] = 0,
    model: ModelName = "",
    rate: Rate = None,
    up: Up = Axis.AUTO,
    mapping: JointFile = None,
    layout: Columns = Layout.AUTO,
    bank: Names = None,
    bundle: Bundle = None,
    provider: Where = Provider.AUTO,
) -> None:
    """Start a server, stream motion through it, and show what happens."""
    from kineseg_cli.commands.demo import DemoRequest, demo

    request = DemoRequest(
        file=file,
        out=out,
        seed=seed,
        speed=speed,
        model=model,
        rate=rate,
        up=up.value,
        mapping=mapping,
        layout=layout.value,
        bank=bank,
        bundles=tuple(bundle or ()),
        provider=provider.value,
    )
    raise typer.Exit(demo(request, Console()))


@app.command()
def models(
    server: ServerAddress = None,
    bundle: Bundle = None,
    provider: Where = Provider.AUTO,
    as_json: Annotated[bool, typer.Option("--json", help="All there is to know of them, as JSON.")] = False,
) -> None:
    """List the models that a server can run."""
    from kineseg_cli.local import connect
    from kineseg_cli.tables import model_table

    with connect(server, bundles=tuple(bundle or ()), provider=provider.value) as client:
        found = client.models()
    with writing(STANDARD_OUTPUT):
        if as_json:
            print(json.dumps([asdict(model) for model in found], indent=2))
        else:
            Console().print(model_table(found))


@app.command()
def version() -> None:
    """Show the version of kineseg and of what it runs on."""
    import grpc
    import onnxruntime

    print(f"kineseg {__version__}")
    print(f"Python {platform.python_version()} on {platform.system()} {platform.machine()}, {os.cpu_count()} cores")
    print(f"grpcio {grpc.__version__}")
    providers = ", ".join(name.removesuffix("ExecutionProvider") for name in onnxruntime.get_available_providers())
    print(f"ONNX Runtime {onnxruntime.__version__}: {providers}")
    sys.stdout.flush()
