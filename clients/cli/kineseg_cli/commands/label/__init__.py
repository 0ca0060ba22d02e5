"""`kineseg label`: names taught by examples, listed and forgotten, on a server or in a name bank's file."""

from __future__ import annotations

import typer

from kineseg_cli.commands.label.forget import forget
from kineseg_cli.commands.label.list import list_names
from kineseg_cli.commands.label.teach import teach

label = typer.Typer(
    name="label",
    help="Teach names by examples, so that segments like them are named; what is unknown stays unknown.",
    no_args_is_help=True,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
label.command()(teach)
label.command("list")(list_names)
label.command()(forget)
