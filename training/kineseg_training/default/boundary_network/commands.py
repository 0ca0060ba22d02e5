"""The command `kineseg-train boundary-network`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import torch
import typer

from kineseg_training.default.boundary_network import recipe
from kineseg_training.default.boundary_network.arguments import checked
from kineseg_training.default.boundary_network.into_bundle import put_into_bundle
from kineseg_training.default.boundary_network.streams.library import SOURCES
from kineseg_training.files import write_atomically
from kineseg_training.options import Quiet, Seed, Threads, reporting


def boundary_network(
    out: Annotated[Path, typer.Argument(help="File to write, or a bundle's folder to put it into.")],
    streams: Annotated[int, typer.Option(help="Training streams to make.")] = recipe.STREAMS,
    steps: Annotated[int, typer.Option(help="Batches of 256 examples to fit to.")] = recipe.STEPS,
    seed: Seed = recipe.SEED,
    leave_out: Annotated[
        list[str] | None, typer.Option(help=f"What not to train on ({', '.join(SOURCES)}); repeat.")
    ] = None,
    data: Annotated[Path | None, typer.Option(help="Folder of the CMU clips.")] = None,
    threads: Threads = 1,
    quiet: Quiet = False,
) -> None:
    """Train the boundary network on streams made for it; equal data give equal bytes on one kind of machine."""
    from kineseg_training.default.boundary_network.train import train

    with reporting():
        torch.set_num_threads(threads)
        left_out, clips = checked(out, seed, leave_out, data)
        trained = train(clips, left_out, streams=streams, steps=steps, seed=seed, progress=not quiet)
        if out.is_dir():
            put_into_bundle(trained.content, recipe.CARD, out)
        else:
            write_atomically(out, trained.content)
        typer.echo(f"{trained.examples} examples of {streams} streams, loss {trained.loss:.4f} at the end")
        typer.echo(f"wrote {out}")
