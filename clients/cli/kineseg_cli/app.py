"""The command line: its commands put together, and how a command ends."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Annotated

import typer

from kineseg_cli.commands.batch import batch
from kineseg_cli.commands.demo import demo
from kineseg_cli.commands.health import health
from kineseg_cli.commands.joints import joints
from kineseg_cli.commands.kernels import kernels
from kineseg_cli.commands.label import label
from kineseg_cli.commands.models import models
from kineseg_cli.commands.play import play
from kineseg_cli.commands.relay import relay
from kineseg_cli.commands.segment import segment
from kineseg_cli.commands.serve import serve
from kineseg_cli.commands.stream import stream
from kineseg_cli.commands.token import token
from kineseg_cli.commands.tune import tune
from kineseg_cli.commands.version import version
from kineseg_cli.error_console import ErrorConsole
from kineseg_cli.failures import FAILED, INTERRUPTED, report
from kineseg_cli.outputs import writing
from kineseg_cli.standard_output import STANDARD_OUTPUT, ensure_standard_streams, silence_standard_output


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

for command in (serve, stream, relay, play, segment, batch, tune, demo, joints, models, health, kernels, version):
    app.command()(command)
app.add_typer(label)
app.add_typer(token)


def run(arguments: Sequence[str]) -> int:
    """Run one command; returns the exit status."""
    choices = _Choices()
    ensure_standard_streams()
    try:
        try:
            typer.main.get_command(app)(args=list(arguments), prog_name="kineseg", obj=choices)
        finally:
            # Printed text may still be in a buffer; it must be written before the status says that all is well.
            with writing(STANDARD_OUTPUT):
                sys.stdout.flush()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:
        if isinstance(error, OSError) and error.filename == STANDARD_OUTPUT:
            silence_standard_output()
        return report(error, ErrorConsole(), debug=choices.debug)
    return 0


@app.callback()
def _common(
    context: typer.Context,
    debug: Annotated[bool, typer.Option("--debug", help="Log more, and show where an error came from.")] = False,
) -> None:
    context.obj.debug = debug
    if find_spec("structlog") is not None:  # without it there is no server here, which alone logs
        from kineseg_service.logs import configure_logs

        configure_logs("debug" if debug else "warning")
