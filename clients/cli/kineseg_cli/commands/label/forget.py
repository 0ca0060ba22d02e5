"""`kineseg label forget`: removes a name and all its examples."""

from __future__ import annotations

from typing import Annotated

import typer
from kineseg_core.naming import NameBank

from kineseg_cli.commands.label.options import BankFile, Name
from kineseg_cli.name_store import NameStore, existing_bank
from kineseg_cli.options import ServerAddress
from kineseg_cli.standard_output import print_line


def forget(
    name: Name,
    server: ServerAddress = None,
    bank: BankFile = None,
    model: Annotated[str, typer.Option("--model", help="Only the examples of this model.")] = "",
) -> None:
    """Forget a name and all its examples."""
    examples = _forget(name, NameStore(server, bank), model)
    print_line(f"{name}: forgotten, with {examples} example{'' if examples == 1 else 's'}")


def _forget(name: str, store: NameStore, model: str) -> int:
    """Number of examples removed."""
    path = existing_bank(store.bank)
    if path is not None:
        store.check_writable()
        bank, examples = NameBank.load(path).forget(name, model)
        bank.save(path)
        return examples
    with store.client() as client:
        return client.forget_name(name, model=model)
