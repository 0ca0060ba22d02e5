"""`kineseg-train interpret`: views of the embedding, and what it tells of training."""

from __future__ import annotations

from typing import Annotated

import typer

from kineseg_training import options
from kineseg_training.studies.subjects import SUBJECTS

app = typer.Typer(help="What a model sees: its states in views, and through training.", no_args_is_help=True)


@app.command("views")
def views_command(
    out: options.Out,
    models: Annotated[str, typer.Option(help=f"Which, with commas between: {', '.join(SUBJECTS)}.")] = ",".join(
        SUBJECTS
    ),
    umap: Annotated[bool, typer.Option("--umap", help="Also draw under UMAP (takes kineseg[explore]).")] = False,
    dimensions: Annotated[list[int] | None, typer.Option(help="Draw in 2 or 3 dimensions; repeat for both.")] = None,
    preset: options.PresetOption = "small",
    cmu: options.CmuFolder = None,
    bvh: options.BvhFolder = None,
    device: options.Device = "cpu",
    seed: options.Seed = 0,
    threads: options.Threads = 1,
    quiet: options.Quiet = False,
) -> None:
    """Principal components and separation of encoder and decoder states, several models side by side."""
    from kineseg_training.studies.su_shlizerman_2019.views.run import views

    with options.reporting():
        names = [name.strip() for name in models.split(",") if name.strip()]
        options.show(
            lambda place: views(place, names=names, umap=umap, dimensions=dimensions or (2, 3)),
            options.place(out, preset, cmu, bvh, device, quiet=quiet, seed=seed),
            threads,
        )


@app.command("optimality")
def optimality_command(
    out: options.Out,
    hidden: Annotated[str, typer.Option(help="Units of each model, with commas between; or the preset's.")] = "",
    iterations: Annotated[int | None, typer.Option(min=1, help="Of each training; or the preset's.")] = None,
    preset: options.PresetOption = "small",
    cmu: options.CmuFolder = None,
    bvh: options.BvhFolder = None,
    device: options.Device = "cpu",
    seed: options.Seed = 0,
    threads: options.Threads = 1,
    quiet: options.Quiet = False,
) -> None:
    """Cluster quality and dimension of the embedding through training, beside the losses, for several sizes."""
    from kineseg_training.studies.su_shlizerman_2019.optimality.run import optimality

    with options.reporting():
        options.show(
            lambda place: optimality(place, hidden=_numbers(hidden), iterations=iterations),
            options.place(out, preset, cmu, bvh, device, quiet=quiet, seed=seed),
            threads,
        )


def _numbers(text: str) -> list[int] | None:
    try:
        return [int(part) for part in text.split(",") if part.strip()] or None
    except ValueError:
        raise typer.BadParameter(
            f"{text!r}: expected whole numbers with commas between", param_hint="--hidden"
        ) from None
