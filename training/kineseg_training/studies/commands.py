"""`kineseg-train interpret`, `bundle` and `evaluate`: what is looked at, exported and measured of any family."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Annotated

import torch
import typer

from kineseg_training import options
from kineseg_training.data import cmu_actions
from kineseg_training.errors import SettingsError
from kineseg_training.export.families import export_family
from kineseg_training.export.features import BLOCKS, check_blocks
from kineseg_training.export.metric import MetricSettings
from kineseg_training.files import EVAL_VARIABLE, find_beside
from kineseg_training.options import CmuFolder, cmu_folder, reporting
from kineseg_training.studies import experiment
from kineseg_training.studies.families import FAMILIES, SUBJECTS, check_family, described
from kineseg_training.studies.service.evaluate import Evaluation
from kineseg_training.studies.service.evaluate import evaluate as evaluate_bundle
from kineseg_training.studies.service.faults.detect import Detection, detect, load_takes

interpret = typer.Typer(help="What a model sees: its states, through training, layer by layer.", no_args_is_help=True)


@interpret.command("views")
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
        experiment.show(
            lambda context: views(context, names=names, umap=umap, dimensions=dimensions or (2, 3)),
            experiment.run_context(out, preset, cmu, bvh, device, quiet=quiet, seed=seed),
            threads,
        )


@interpret.command("optimality")
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
        experiment.show(
            lambda context: optimality(context, hidden=_numbers(hidden), iterations=iterations),
            experiment.run_context(out, preset, cmu, bvh, device, quiet=quiet, seed=seed),
            threads,
        )


experiment.add_experiment(
    interpret,
    "layers",
    "studies.das_2023.layers.run:layers",
    "Smoothness of the actions on the dataset graph of every layer of every family.",
)


@interpret.command("gradcam")
def gradcam_command(
    out: options.Out,
    gif: Annotated[bool, typer.Option(help="Also animate the moving body.")] = True,
    preset: options.PresetOption = "small",
    cmu: options.CmuFolder = None,
    bvh: options.BvhFolder = None,
    device: options.Device = "cpu",
    seed: options.Seed = 0,
    threads: options.Threads = 1,
    quiet: options.Quiet = False,
) -> None:
    """Joints and moments that speak for an action, at an early, a middle and a late layer of the ST-GCN."""
    from kineseg_training.studies.das_2023.gradcam.run import gradcam

    with options.reporting():
        experiment.show(
            lambda context: gradcam(context, animate=gif),
            experiment.run_context(out, preset, cmu, bvh, device, quiet=quiet, seed=seed),
            threads,
        )


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


def evaluate(
    bundle: Annotated[list[Path], typer.Option(help="Bundle to evaluate: a folder or .zip; repeat for more.")],
    data: Annotated[Path | None, typer.Option(help="Folder of the CMU clips, with subject_86.")] = None,
    eval_dir: Annotated[
        Path | None, typer.Option(help="Folder with score.py and the annotation.", envvar=EVAL_VARIABLE)
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Keep the predictions here; only with one bundle.")] = None,
    latency: Annotated[float | None, typer.Option(help="Latency budget, seconds.")] = None,
    faults: Annotated[
        bool, typer.Option("--faults", help="Put faults into the takes instead, and evaluate the anomaly score.")
    ] = False,
    passes: Annotated[int, typer.Option(min=1, help="How often each take is sent with faults.")] = 3,
    seed: Annotated[int, typer.Option(help="Of the faults' kinds and places.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Evaluate bundles on annotated takes, through the real server: segments, or with --faults the anomaly score."""
    with reporting():
        if out is not None and (faults or len(bundle) > 1):
            raise SettingsError("out: predictions are kept of one bundle only, and not with --faults")
        for path in bundle:
            result: Evaluation | Detection
            if faults:
                takes = load_takes(cmu_folder(data, "--data") / "subject_86")
                result, _ = detect(path, takes, passes=passes, seed=seed)
            else:
                with tempfile.TemporaryDirectory() as scratch:
                    folder = eval_dir or find_beside(Path(__file__), "eval", EVAL_VARIABLE)
                    result = evaluate_bundle(
                        path, cmu_folder(data, "--data"), folder, out or Path(scratch), latency_s=latency
                    )
            typer.echo(json.dumps(result.plain(), indent=1) if as_json else result.table())


def _numbers(text: str) -> list[int] | None:
    try:
        return [int(part) for part in text.split(",") if part.strip()] or None
    except ValueError:
        raise typer.BadParameter(
            f"{text!r}: expected whole numbers with commas between", param_hint="--hidden"
        ) from None
