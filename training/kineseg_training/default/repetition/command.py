"""The command `kineseg-train repetition`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, get_args

import kineseg_core.segmenter.labels
import typer
from kineseg_core.segmenter.labels.repetition import FILE, Kind

from kineseg_training.default.boundary_network.arguments import checked
from kineseg_training.default.boundary_network.streams.library import SOURCES
from kineseg_training.files import write_atomically
from kineseg_training.options import Quiet, Seed, reporting

SHIPPED = Path(kineseg_core.segmenter.labels.__file__).parent / FILE
STREAMS, PATTERNS = 360, 240
SEED = 777  # streams that the boundary network was not trained on
LEFT_OUT = ["takes", "mocap6", "gesturephase"]
_AT_ONCE = 20


def repetition(
    out: Annotated[Path, typer.Argument(help="File to write.", show_default="the one that is shipped")] = SHIPPED,
    streams: Annotated[
        int, typer.Option(min=1, help="Training streams to make, of motion and many channels.")
    ] = STREAMS,
    patterns: Annotated[int, typer.Option(min=1, help="The same, of few channels.")] = PATTERNS,
    seed: Seed = SEED,
    leave_out: Annotated[
        list[str] | None, typer.Option(help=f"What not to fit to ({', '.join(SOURCES)}); repeat.")
    ] = LEFT_OUT,
    data: Annotated[Path | None, typer.Option(help="Folder of the CMU clips.")] = None,
    quiet: Quiet = False,
) -> None:
    """Fit how probable it is that a segment repeats an action, and write it; equal data give equal bytes."""
    from tqdm import tqdm

    from kineseg_training.default.boundary_network.streams.library import load_library
    from kineseg_training.default.repetition.choices import choices
    from kineseg_training.default.repetition.fit import fit
    from kineseg_training.default.repetition.segments import found_streams
    from kineseg_training.default.repetition.streams import made_streams

    with reporting():
        left_out, clips = checked(out, seed, leave_out, data)
        library = load_library(clips, left_out)
        wanted: dict[Kind, int] = {"actions": streams, "patterns": patterns}
        content = {}
        for kind in get_args(Kind):
            numbered = made_streams(library, seed, kind)
            found = []
            with tqdm(total=wanted[kind], desc=kind, disable=quiet) as bar:
                for first in range(0, wanted[kind], _AT_ONCE):
                    made = [next(numbered) for _ in range(min(_AT_ONCE, wanted[kind] - first))]
                    found += [choice for stream in found_streams(made) for choice in choices(stream)]
                    bar.update(len(made))
            content[kind] = fit(found)
            typer.echo(f"{kind}: {len(found)} segments of {wanted[kind]} streams")
        write_atomically(out, (json.dumps(content, indent=1) + "\n").encode())
        typer.echo(f"wrote {out}")
