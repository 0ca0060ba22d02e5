"""`kineseg models`: the models that a server can run."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console

from kineseg_cli.local import connect
from kineseg_cli.options import Bundle, Provider, ServerAddress, Where
from kineseg_cli.outputs import writing
from kineseg_cli.standard_output import STANDARD_OUTPUT
from kineseg_cli.tables import model_table


def models(
    server: ServerAddress = None,
    bundle: Bundle = None,
    provider: Where = Provider.AUTO,
    as_json: Annotated[bool, typer.Option("--json", help="All details, as JSON.")] = False,
) -> None:
    """List the models that a server can run."""
    with connect(server, bundles=tuple(bundle or ()), provider=provider.value) as client:
        found = client.models()
    with writing(STANDARD_OUTPUT):
        if as_json:
            print(json.dumps([asdict(model) for model in found], indent=2))
        else:
            Console().print(model_table(found))
