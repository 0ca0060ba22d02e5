"""`kineseg health`: whether a server takes streams, for probes and scripts."""

from __future__ import annotations

from typing import Annotated

import typer
from kineseg import Client, Health

from kineseg_cli.failures import FAILED
from kineseg_cli.outputs import writing
from kineseg_cli.standard_output import STANDARD_OUTPUT


def health(
    server: Annotated[str, typer.Option("--server", metavar="HOST:PORT", help="Which server.")] = "localhost:50051",
    timeout: Annotated[
        float, typer.Option("--timeout", min=0.1, max=3600, help="Wait so long for an answer, seconds.")
    ] = 5.0,
) -> None:
    """Say whether a server takes streams: exit status 0, or 1 while it loads, shuts down or is not there."""
    with Client(server, timeout=timeout, retries=0) as client:
        found = client.health()
    with writing(STANDARD_OUTPUT):
        print(found.value)
    if found is not Health.SERVING:
        raise typer.Exit(FAILED)
