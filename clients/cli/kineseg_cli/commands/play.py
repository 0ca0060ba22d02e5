"""`kineseg play`: sends a recording as capture software would, for trying things without hardware."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from kineseg.sources.address import Expectations
from kineseg.sources.file import load_file, recorded_of
from kineseg.sources.recorded import Recorded
from kineseg.sources.twins import Faults, Player, open_twin

from kineseg_cli.error_console import ErrorConsole
from kineseg_cli.interrupt import Stop, interruptible
from kineseg_cli.joint_file import read_mapping
from kineseg_cli.options import Axis, JointFile, Rate, Up
from kineseg_cli.source import embedded


def play(
    to: Annotated[
        str,
        typer.Option(
            "--to", metavar="URL", help="Where to, as `kineseg stream` has it, such as ndjson+udp://127.0.0.1:9000."
        ),
    ],
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="Recording to play. Default: embedded synthetic motion.")
    ] = None,
    speed: Annotated[float, typer.Option(min=0.01, max=1000, help="How many times faster than it was captured.")] = 1.0,
    loop: Annotated[bool, typer.Option("--loop", help="Begin again at its end, until Ctrl-C.")] = False,
    noise: Annotated[
        float, typer.Option(min=0.0, max=1e6, help="Standard deviation of noise, in the unit of the recording.")
    ] = 0.0,
    loss: Annotated[float, typer.Option(min=0.0, max=1.0, help="Share of frames that are lost, 0 to 1.")] = 0.0,
    jitter: Annotated[
        float, typer.Option(min=0.0, max=60, metavar="SECONDS", help="Send frames up to so much late.")
    ] = 0.0,
    burst: Annotated[int, typer.Option(min=1, max=10_000, help="Send so many frames at once.")] = 1,
    restart: Annotated[
        float,
        typer.Option(
            "--restart-every", min=0.0, max=1e6, metavar="SECONDS", help="The sender's count and clock begin anew."
        ),
    ] = 0.0,
    seed: Annotated[
        int, typer.Option(min=0, max=2**32 - 1, help="Seed of noise, loss and jitter, and of the embedded motion.")
    ] = 0,
    rate: Rate = None,
    up: Up = Axis.AUTO,
    mapping: JointFile = None,
) -> None:
    """Play a recording to whoever listens, in the protocol of some capture software."""
    if file is None:
        recorded = recorded_of(embedded(seed))
    else:
        recorded = load_file(file, Expectations(rate=rate, up=up.value), read_mapping(mapping))
    faults = Faults(noise=noise, loss=loss, jitter_s=jitter, burst=burst, restart_s=restart, seed=seed)
    with interruptible() as stop:
        asyncio.run(_play(recorded, to, speed, faults, loop, stop))
    raise typer.Exit(0 if loop else stop.status)


async def _play(recorded: Recorded, to: str, speed: float, faults: Faults, loop: bool, stop: Stop) -> None:
    errors = ErrorConsole()
    async with open_twin(to, recorded.info) as twin:
        errors.print_line(f"playing {len(recorded.values)} frames at {recorded.info.rate:g} a second to {twin.where}")
        player = Player(recorded, twin, speed=speed, faults=faults, loop=loop, stopped=stop.is_set)
        await player.play()
    errors.print_line(f"{player.sent} frames were sent")
