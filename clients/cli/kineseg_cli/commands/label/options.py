"""Options that several `kineseg label` commands take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

BankFile = Annotated[
    Path | None, typer.Option("--bank", help="Name bank, a JSON file; `teach` creates it if it does not exist.")
]
Name = Annotated[str, typer.Argument(help="The name, such as walking.")]
