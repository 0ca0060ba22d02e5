"""The command line as a page: what `--help` says of each command."""

from __future__ import annotations

import re

import typer.main
from kineseg_cli.app import app
from typer.cli import get_docs_for_click
from typer.core import TyperGroup

_STYLE = re.compile(r"\[/?(?:dim|bold|red|green)(?: \w+)*\]")


def commands_page() -> tuple[str, str]:
    """Name and text of the page."""
    command = typer.main.get_command(app)
    assert isinstance(command, TyperGroup)
    text = get_docs_for_click(obj=command, ctx=typer.Context(command), name="kineseg", title="Command line")
    for name, each in command.commands.items():  # whose lists cut sentences short
        first = (each.help or "").partition("\n\n")[0].replace("\n", " ")
        text = re.sub(rf"(?<=\n\* `{name}`: ).*", lambda _, first=first: first, text, count=1)
    return "reference/commands.md", _STYLE.sub("", text)
