"""`kineseg label list`: the names that have been taught."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer
from kineseg_core.naming import NameBank
from rich.console import Console

from kineseg_cli.commands.label.options import BankFile
from kineseg_cli.name_store import KeptName, NameStore, existing_bank
from kineseg_cli.options import ServerAddress
from kineseg_cli.standard_output import print_line
from kineseg_cli.tables import name_table


def list_names(
    server: ServerAddress = None,
    bank: BankFile = None,
    model: Annotated[str, typer.Option("--model", help="Only the names of this model.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """List the names that have been taught."""
    found = _kept_names(NameStore(server, bank), model)
    if as_json:
        print(json.dumps([asdict(kept) for kept in found], indent=2))
    elif found:
        Console().print(name_table(found))
    else:
        print_line("no names have been taught")


def _kept_names(store: NameStore, model: str) -> list[KeptName]:
    bank = existing_bank(store.bank)
    if bank is not None:
        return [KeptName.in_bank(taught) for taught in NameBank.load(bank).entries if model in ("", taught.model)]
    with store.client() as client:
        return [KeptName.on_server(taught) for taught in client.names(model)]
