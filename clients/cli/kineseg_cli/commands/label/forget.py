"""`kineseg label forget`: a name, and all that was taught of it."""

from __future__ import annotations

from typing import Annotated

import typer
from kineseg_core.naming import NameBank

from kineseg_cli.commands.label.options import BankFile, Name
from kineseg_cli.name_store import NameStore, existing_bank
from kineseg_cli.options import ServerAddress
from kineseg_cli.standard_output import say


def forget(
    name: Name,
    server: ServerAddress = None,
    bank: BankFile = None,
    model: Annotated[str, typer.Option("--model", help="Only what was taught for this model.")] = "",
) -> None:
    """Forget a name and all its examples."""
    examples = _forget(name, NameStore(server, bank), model)
    say(f"{name}: forgotten, with {examples} example{'' if examples == 1 else 's'}")


def _forget(name: str, store: NameStore, model: str) -> int:
    """Number of examples that are gone."""
    path = existing_bank(store.bank)
    if path is not None:
        store.check_writable()
        bank, examples = NameBank.load(path).forget(name, model)
        bank.save(path)
        return examples
    with store.client() as client:
        return client.forget_name(name, model=model)
