"""The command line: its commands put together, and how a command ends."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Annotated

import typer
from kineseg_core.garbage import collected_seldom

from kineseg_cli.error_console import ErrorConsole
from kineseg_cli.failures import FAILED, INTERRUPTED, report
from kineseg_cli.on_use import Commands
from kineseg_cli.outputs import writing
from kineseg_cli.standard_output import STANDARD_OUTPUT, ensure_standard_streams, silence_standard_output


@dataclass(slots=True)
class _Choices:
    debug: bool = False


app = typer.Typer(
    name="kineseg",
    cls=Commands,
    help="Streaming online segmentation of motion: where one action ends, and which actions are the same.",
    epilog="Exit status: 0 done, 1 failed, 2 wrong command line or input, 130 interrupted.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


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
        with collected_seldom():
            from kineseg_service.logs import configure_logs

        configure_logs("debug" if debug else "warning")
