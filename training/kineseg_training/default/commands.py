"""`kineseg-train fit`, `export` and `default`: the predictor that the service ships, and the bundle of it."""

from __future__ import annotations

import os
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import torch
import typer

from kineseg_training.data import Augmentation, Source, load_corpus
from kineseg_training.default import recipe
from kineseg_training.default.export import ExportSettings
from kineseg_training.default.export import export as export_bundle
from kineseg_training.default.task import FitSettings
from kineseg_training.default.trained import fit as fit_model
from kineseg_training.default.trained import load_trained
from kineseg_training.errors import SettingsError
from kineseg_training.export.features import BLOCKS, check_blocks
from kineseg_training.export.metric import MetricSettings
from kineseg_training.options import Device, Quiet, Resume, RunFolder, Seed, Threads, cmu_folder, reporting

_FIT = FitSettings()
_AUGMENTATION = Augmentation()
_METRIC = MetricSettings()


def fit(
    out: RunFolder,
    data: Annotated[list[Path] | None, typer.Option(help="Folder or file with recordings; repeat for more.")] = None,
    file_rate: Annotated[float | None, typer.Option(help="Frames per second of files that do not say.")] = None,
    skip_first: Annotated[int, typer.Option(help="Frames to drop at the start of each file.")] = 0,
    synthetic: Annotated[int, typer.Option(help="Minutes of generated motion to add.")] = 0,
    rate: Annotated[float, typer.Option(help="Frames per second of the model.")] = _FIT.rate,
    cell: Annotated[str, typer.Option(help="gru or lstm.")] = _FIT.cell,
    hidden: Annotated[int, typer.Option(help="Units of the recurrent cell.")] = _FIT.hidden,
    source: Annotated[int, typer.Option(help="Frames read before predicting.")] = _FIT.source,
    target: Annotated[int, typer.Option(help="Frames predicted.")] = _FIT.target,
    shortest_source: Annotated[
        int, typer.Option(help="Least frames read, where a clip has no more.")
    ] = _FIT.shortest_source,
    batch: Annotated[int, typer.Option(help="Windows in a batch.")] = _FIT.batch,
    steps: Annotated[int, typer.Option(help="Batches in an epoch.")] = _FIT.steps,
    epochs: Annotated[int, typer.Option(help="Most epochs.")] = _FIT.epochs,
    patience: Annotated[int, typer.Option(help="Epochs without improvement before stopping.")] = _FIT.patience,
    learning_rate: Annotated[float, typer.Option(help="Of the first epoch.")] = _FIT.learning_rate,
    weight_decay: Annotated[float, typer.Option(help="Of AdamW.")] = _FIT.weight_decay,
    clip_norm: Annotated[float, typer.Option(help="Largest norm of the gradient.")] = _FIT.clip_norm,
    one_step_weight: Annotated[float, typer.Option(help="Weight of the error one frame ahead.")] = _FIT.one_step_weight,
    validation_share: Annotated[float, typer.Option(help="Share of the takes held out.")] = _FIT.validation_share,
    mirror: Annotated[bool, typer.Option(help="Swap left and right in half of the cases.")] = True,
    tempo: Annotated[tuple[float, float], typer.Option(help="Slowest and fastest tempo.")] = _AUGMENTATION.tempo,
    noise: Annotated[float, typer.Option(help="Noise on the input, normalised channels.")] = _AUGMENTATION.noise,
    seed: Seed = _FIT.seed,
    device: Device = "cpu",
    threads: Threads = 1,
    resume: Resume = False,
    quiet: Quiet = False,
) -> None:
    """Train the recurrent sequence-to-sequence predictor."""
    with reporting():
        torch.set_num_threads(threads)
        settings = FitSettings(
            rate=rate,
            hidden=hidden,
            cell=cell,  # type: ignore[arg-type]  # checked by the settings
            source=source,
            target=target,
            shortest_source=shortest_source,
            batch=batch,
            steps=steps,
            epochs=epochs,
            patience=patience,
            learning_rate=learning_rate,
            weight_decay=weight_decay,
            clip_norm=clip_norm,
            one_step_weight=one_step_weight,
            validation_share=validation_share,
            augmentation=replace(_AUGMENTATION, mirror=mirror, tempo=tempo, noise=noise),
            seed=seed,
        )
        corpus = load_corpus(Source(tuple(data or ()), file_rate, skip_first, synthetic))
        trained = fit_model(corpus, settings, out, device=device, resume=resume, progress=not quiet)
        if os.environ.get("RANK", "0") == "0":  # one of several processes speaks
            loss = trained.best.figures["validation_loss"]
            typer.echo(f"{out}: best epoch {trained.best_epoch}, validation loss {loss:.4f}")


def export(
    run: Annotated[Path, typer.Argument(help="Run folder of `fit`.")],
    out: Annotated[Path, typer.Argument(help="Bundle to write: a folder, or a file ending in .zip.")],
    data: Annotated[list[Path] | None, typer.Option(help="Where the training data lies now, if it has moved.")] = None,
    name: Annotated[str, typer.Option(help="Name of the model: lower-case letters, digits, '-'.")] = "motion",
    version: Annotated[str, typer.Option(help="Version of the model.")] = "1.0.0",
    block: Annotated[
        list[str] | None, typer.Option(help=f"What the embedding is made of ({', '.join(BLOCKS)}); repeat.")
    ] = None,
    dimensions: Annotated[int, typer.Option(help="Dimensions of the embedding.")] = _METRIC.dimensions,
    regularisation: Annotated[
        float, typer.Option(help="Of the metric; large leaves the features as they are.")
    ] = _METRIC.regularisation,
    mirror: Annotated[bool, typer.Option(help="Learn the metric from mirrored takes too.")] = True,
    description: Annotated[str, typer.Option(help="The training data in words, with source and licence.")] = "",
    licence: Annotated[str, typer.Option(help="Licence of the bundle, and credit.")] = "",
    segmenter: Annotated[
        list[str] | None, typer.Option(help="NAME=VALUE: a setting of the segmenter for this model; repeat.")
    ] = None,
    threads: Threads = 1,
) -> None:
    """Write a bundle that the service can run."""
    with reporting():
        torch.set_num_threads(threads)
        trained = load_trained(run)
        source = replace(trained.source, folders=tuple(data)) if data else trained.source
        settings = ExportSettings(
            name=name,
            version=version,
            blocks=check_blocks(block) if block else ExportSettings().blocks,
            metric=replace(_METRIC, dimensions=dimensions, regularisation=regularisation),
            mirror=mirror,
            description=description,
            licence=licence,
            segmenter=dict(_assignment(text) for text in segmenter or []),
        )
        export_bundle(trained, load_corpus(source), out, settings)
        typer.echo(f"wrote {out}")


def default(
    out: Annotated[Path, typer.Argument(help="Bundle to write.")] = recipe.SHIPPED,
    data: Annotated[Path | None, typer.Option(help="Folder of the CMU clips.")] = None,
    run: Annotated[Path | None, typer.Option(help="Keep the run here; a run that is there is gone on with.")] = None,
    threads: Threads = 1,
    quiet: Quiet = False,
) -> None:
    """Rebuild the bundle that the service ships; equal data gives equal bytes on one kind of machine."""
    with reporting(), tempfile.TemporaryDirectory() as scratch:
        torch.set_num_threads(threads)
        if out == recipe.SHIPPED and not out.parent.parent.is_dir():
            raise SettingsError(
                f"out: there is no {out.parent.parent} here; run in the root of the checkout or name it"
            )
        training, held_out = recipe.default_corpora(cmu_folder(data, "--data"))
        folder = run or Path(scratch) / "run"
        trained = fit_model(training, recipe.FIT, folder, resume=True, progress=not quiet)
        export_bundle(trained, training, out, recipe.EXPORT, held_out=held_out)
        typer.echo(f"wrote {out}")


def _assignment(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    try:
        return name.strip(), float(value)
    except ValueError:
        raise typer.BadParameter(f"{text!r}: expected NAME=NUMBER", param_hint="--segmenter") from None
