"""What several `kineseg label` commands take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

BankFile = Annotated[
    Path | None, typer.Option("--bank", help="Label bank, a JSON file; `teach` makes it if it is not there.")
]
Name = Annotated[str, typer.Argument(help="The name, such as walking.")]
