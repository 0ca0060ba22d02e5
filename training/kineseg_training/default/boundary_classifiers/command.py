"""The command `kineseg-train boundary-classifiers`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import kineseg_core.segmenter
import torch
import typer
from kineseg_core.inference.bundle import load_bundle, packaged_bundle
from kineseg_core.segmenter.boundary_classifier import FILE

from kineseg_training.errors import BundleError, SettingsError
from kineseg_training.files import write_atomically
from kineseg_training.options import CmuFolder, Quiet, Threads, cmu_folder, reporting

SHIPPED = Path(kineseg_core.segmenter.__file__).parent / FILE


def boundary_classifiers(
    out: Annotated[Path, typer.Argument(help="File to write.", show_default="the one that is shipped")] = SHIPPED,
    bundle: Annotated[
        Path | None, typer.Option(help="Whose embedding to learn on; the packaged one unless given.")
    ] = None,
    cmu: CmuFolder = None,
    generated: Annotated[int, typer.Option(help="Generated streams to learn from.")] = 90,
    assembled: Annotated[int, typer.Option(help="Streams assembled from the CMU clips to learn from.")] = 60,
    takes: Annotated[bool, typer.Option(help="Learn provisional boundaries from the takes of subject 86 too.")] = True,
    threads: Threads = 1,
    quiet: Quiet = False,
) -> None:
    """Train the segmenter's boundary classifiers, say how well they do on streams kept out, and write them."""
    from kineseg_training.default.boundary_classifiers.train import TrainingSettings, train

    with reporting():
        torch.set_num_threads(threads)
        path = bundle or packaged_bundle()
        if path is None:
            raise BundleError("the service has no packaged bundle; give one with --bundle")
        if not out.parent.is_dir():
            raise SettingsError(f"out: there is no folder {out.parent}; make it, or name another file")
        settings = TrainingSettings(generated, assembled)
        if not takes:
            settings = TrainingSettings(generated, assembled, take_tempos=())
        trained = train(load_bundle(path), cmu_folder(cmu), settings, report=typer.echo, progress=not quiet)
        write_atomically(out, trained.text().encode())
        typer.echo(f"wrote {out}")
