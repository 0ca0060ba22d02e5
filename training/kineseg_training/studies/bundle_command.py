"""`kineseg-train bundle`: a trained model of any family as a bundle for the service."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import torch
import typer

from kineseg_training.data import cmu_actions
from kineseg_training.export.families import export_family
from kineseg_training.export.features import BLOCKS, check_blocks
from kineseg_training.export.metric import MetricSettings
from kineseg_training.options import CmuFolder, cmu_folder, reporting
from kineseg_training.studies.trained import FAMILIES, check_family, described


def bundle(
    family: Annotated[str, typer.Argument(help=f"What the run is of: {', '.join(FAMILIES)}.")],
    run: Annotated[Path, typer.Argument(help="Run folder of that family's `train`.")],
    out: Annotated[Path, typer.Argument(help="Bundle to write: a folder, or a file ending in .zip.")],
    name: Annotated[str | None, typer.Option(help="Of the model; the family unless given.")] = None,
    version: Annotated[str, typer.Option(help="Of the model.")] = "1.0.0",
    block: Annotated[
        list[str] | None,
        typer.Option(help=f"What the embedding of a recurrent model is made of: {', '.join(BLOCKS)}; repeat."),
    ] = None,
    dimensions: Annotated[int, typer.Option(min=1, help="Of the embedding, at most.")] = MetricSettings().dimensions,
    cmu: CmuFolder = None,
) -> None:
    """Write a bundle that the service runs; embedding and calibration are learned from the CMU clips."""
    with reporting():
        torch.set_num_threads(1)
        check_family(family)
        settings = described(
            family,
            name=name or family,
            version=version,
            blocks=check_blocks(block) if block else ("state",),
            metric=MetricSettings(dimensions=dimensions),
        )
        train, held_out = cmu_actions(cmu_folder(cmu))
        export_family(FAMILIES[family][1](run), train, held_out, out, settings)
        typer.echo(f"wrote {out}")
