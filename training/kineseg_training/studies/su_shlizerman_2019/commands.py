"""`kineseg-train baseline`: train the tied predictor, cut and cluster clips and takes with it."""

from __future__ import annotations

import os
import shlex
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import torch
import typer

from kineseg_training.errors import SettingsError
from kineseg_training.loop import LoopSettings
from kineseg_training.options import (
    CmuFolder,
    Device,
    Out,
    PrecisionOption,
    PresetOption,
    Quiet,
    Resume,
    RunFolder,
    Seed,
    TensorBoard,
    Threads,
    reporting,
)
from kineseg_training.studies.experiment import run_context, show
from kineseg_training.studies.su_shlizerman_2019.clips.run import Case, clips
from kineseg_training.studies.su_shlizerman_2019.takes.data import load_take
from kineseg_training.studies.su_shlizerman_2019.takes.run import takes
from kineseg_training.studies.su_shlizerman_2019.takes.segment import (
    EVERY,
    SETTINGS,
    save_take,
    segment_take,
    variants_of,
)
from kineseg_training.studies.su_shlizerman_2019.task import PRESETS, BaselineSettings
from kineseg_training.studies.su_shlizerman_2019.trained import CANONICAL_PRESETS, train_su

app = typer.Typer(help="The offline baseline of Su & Shlizerman: train, cut, cluster.", no_args_is_help=True)

Source = Annotated[int | None, typer.Option(help="Frames read, instead of the preset's.")]
Target = Annotated[int | None, typer.Option(help="Frames predicted, instead of the preset's.")]
Hidden = Annotated[int | None, typer.Option(help="Units of the GRU, instead of the preset's.")]
Iterations = Annotated[int | None, typer.Option(help="Steps of the optimiser, instead of the preset's.")]
Batch = Annotated[int | None, typer.Option(help="Windows in a step, instead of the preset's.")]
LearningRate = Annotated[float | None, typer.Option(help="Of Adam, instead of the preset's.")]
Adversarial = Annotated[bool, typer.Option("--adversarial", help="Train against the two adversaries too.")]
AdversaryRate = Annotated[
    float | None, typer.Option(help="Learning rate of the adversaries, in learning rates of the predictor.")
]
Every = Annotated[int | None, typer.Option(help="Keep every so many-th frame of 120 a second; none: the preset's.")]
Number = Annotated[int | None, typer.Option(min=1, help="Instead of the preset's.")]


@app.command("train")
def train_command(
    out: RunFolder,
    preset: PresetOption = "small",
    cmu: CmuFolder = None,
    source: Source = None,
    target: Target = None,
    hidden: Hidden = None,
    iterations: Iterations = None,
    batch: Batch = None,
    learning_rate: LearningRate = None,
    adversarial: Adversarial = False,
    adversary_rate: AdversaryRate = None,
    patience: Annotated[int, typer.Option(help="Validations without improvement before stopping; 0: never.")] = 0,
    stop_by: Annotated[
        str, typer.Option(help="What is to improve: loss, or embedding (of held-out clips, without labels).")
    ] = "loss",
    device: Device = "cpu",
    precision: PrecisionOption = "float32",
    resume: Resume = False,
    tensorboard: TensorBoard = False,
    seed: Seed = 0,
    threads: Threads = 1,
    quiet: Quiet = False,
) -> None:
    """Train the tied predictor on the canonical pose of the CMU actions; `torchrun` trains in several processes."""
    with reporting():
        torch.set_num_threads(threads)
        context = run_context(out, preset, cmu, None, device, quiet=quiet, seed=seed)
        settings = replace(
            _changed(
                CANONICAL_PRESETS[context.preset],
                source,
                target,
                hidden,
                iterations,
                batch,
                learning_rate,
                adversary_rate,
            ),
            adversarial=adversarial,
        )
        loop = LoopSettings(
            settings.iterations,
            min(settings.validate_every, settings.iterations),
            patience,
            precision,  # type: ignore[arg-type]  # checked by the settings
            device,
            seed,
            tensorboard,
        )
        _, saved = train_su(
            context.needs_cmu(), out, settings, loop, resume=resume, progress=not quiet, stop_by=stop_by
        )
        best = saved.best_row
        if os.environ.get("RANK", "0") == "0":  # one of several processes speaks
            typer.echo(
                f"{out}: best validation loss {best.figures['validation_loss']:.4f}, iteration {best.iteration} "
                f"(standing still: {best.figures['standing_still_loss']:.4f})"
            )


@app.command("clips")
def clips_command(
    out: Out,
    preset: PresetOption = "small",
    actions: Annotated[str, typer.Option(help="Names, separated by commas; none: those of the preset.")] = "",
    num_actions: Annotated[int | None, typer.Option(help="Draw so many actions instead.")] = None,
    total_num_actions: Annotated[int, typer.Option(help="Appearances; 0: each action once.")] = 0,
    root: Annotated[bool, typer.Option(help="Keep translation and rotation of the root, as published.")] = True,
    cmu: CmuFolder = None,
    clips_folder: Annotated[
        Path | None, typer.Option("--clips", help="Folder in the CMU or Human3.6M text layout, instead of --cmu.")
    ] = None,
    source: Source = None,
    target: Target = None,
    hidden: Hidden = None,
    iterations: Iterations = None,
    batch: Batch = None,
    learning_rate: LearningRate = None,
    adversarial: Adversarial = False,
    adversary_rate: AdversaryRate = None,
    device: Device = "cpu",
    seed: Seed = 0,
    threads: Threads = 1,
    quiet: Quiet = False,
) -> None:
    """Concatenate clips of several actions, train on them, cut where the error peaks, cluster the decoder states.

    Offline: it trains on what it segments, and is given the number of actions.
    """
    with reporting():
        context = run_context(out, preset, cmu, None, device, quiet=quiet, seed=seed)
        named = tuple(action.strip() for action in actions.split(",") if action.strip())
        if named and num_actions is not None and num_actions != len(named):
            raise SettingsError(f"num_actions: {num_actions}, but --actions names {len(named)}; give one of the two")
        cases = None
        if named or num_actions is not None or total_num_actions or adversarial or not root or clips_folder:
            case = Case(named, num_actions or 3, total_num_actions, root, adversarial)
            cases = {", ".join(named) or f"{case.number} actions drawn": case}
        settings = _changed(
            PRESETS[context.preset], source, target, hidden, iterations, batch, learning_rate, adversary_rate
        )
        command = shlex.join(["kineseg-train", *sys.argv[1:]])
        show(lambda at: clips(at, cases, folder=clips_folder, settings=settings, command=command), context, threads)


@app.command("take")
def take_command(
    take: Annotated[str, typer.Argument(help="Number of the take: 01, 03 ...")],
    out: Out,
    oracle_split: Annotated[
        bool | None,
        typer.Option(
            "--oracle-split/--no-oracle-split",
            help="Use the true boundaries, as the published script does (an ORACLE), or do not; default: both.",
        ),
    ] = None,
    mixed: Annotated[bool, typer.Option(help="With both: also what lies between them.")] = False,
    preset: PresetOption = "small",
    cmu: CmuFolder = None,
    every: Every = None,
    source: Number = None,
    target: Number = None,
    hidden: Number = None,
    iterations: Number = None,
    device: Device = "cpu",
    seed: Seed = 0,
    threads: Threads = 1,
    quiet: Quiet = False,
) -> None:
    """Segment one annotated take of subject 86 with a predictor trained on it; an interrupted run is gone on with.

    Offline: it trains on what it segments and is given the number of classes. With the oracle split it is given the
    true boundaries too, so that figure says nothing about a take without annotation.
    """
    with reporting():
        torch.set_num_threads(threads)
        context = run_context(out, preset, cmu, None, device, quiet=quiet, seed=seed)
        settings = SETTINGS[context.preset]
        settings = replace(
            settings,
            source=source or settings.source,
            target=target or settings.target,
            hidden=hidden or settings.hidden,
            iterations=iterations or settings.iterations,
        )
        settings = replace(settings, validate_every=min(settings.validate_every, settings.iterations))
        loaded = load_take(context.needs_cmu(), take, every=EVERY[context.preset] if every is None else every)
        variants = variants_of(oracle_split is not False, oracle_split is not True, mixed=mixed)
        loop = LoopSettings(settings.iterations, settings.validate_every, device=device, seed=seed)
        found = segment_take(loaded, settings, out, variants, loop=loop, progress=not quiet)
        save_take(loaded, found, out)
        typer.echo(f"take {loaded.name}: {loaded.classes} classes (given), {len(loaded.frames)} frames")
        for one in found:
            s = one.scores
            typer.echo(
                f"{one.variant.name:<58} {one.linkage:<8} MoF {s.mof:6.1%}  ARI {s.ari:5.2f}  AMI {s.ami:5.2f}  "
                f"V-measure = NMI {s.v_measure:5.2f}"
            )
        typer.echo(f"wrote {out}")


@app.command("takes")
def takes_command(
    out: Out,
    preset: PresetOption = "small",
    take: Annotated[list[str] | None, typer.Option(help="Number of a take, instead of the preset's; repeat.")] = None,
    cmu: CmuFolder = None,
    device: Device = "cpu",
    seed: Seed = 0,
    threads: Threads = 1,
    quiet: Quiet = False,
) -> None:
    """Several takes with the oracle split, without it and in between, and the service beside them."""
    with reporting():
        context = run_context(out, preset, cmu, None, device, quiet=quiet, seed=seed)
        command = shlex.join(["kineseg-train", *sys.argv[1:]])
        show(lambda at: takes(at, take or (), command=command), context, threads)


def _changed(
    settings: BaselineSettings,
    source: int | None,
    target: int | None,
    hidden: int | None,
    iterations: int | None,
    batch: int | None,
    learning_rate: float | None,
    adversary_rate: float | None,
) -> BaselineSettings:
    """The settings of a preset, but for what was given."""
    return replace(
        settings,
        source=settings.source if source is None else source,
        target=settings.target if target is None else target,
        hidden=settings.hidden if hidden is None else hidden,
        iterations=settings.iterations if iterations is None else iterations,
        batch=settings.batch if batch is None else batch,
        learning_rate=settings.learning_rate if learning_rate is None else learning_rate,
        adversary_rate=settings.adversary_rate if adversary_rate is None else adversary_rate,
    )
