"""All commands of `kineseg-train`."""

from __future__ import annotations

import typer

from kineseg_training.default.anomaly_priors.command import anomaly_priors
from kineseg_training.default.boundary_network.commands import boundary_network
from kineseg_training.default.commands import default, export, fit
from kineseg_training.default.repetition.command import repetition
from kineseg_training.report.commands import report
from kineseg_training.studies.commands import bundle, evaluate, interpret
from kineseg_training.studies.das_2023.commands import app as recognition
from kineseg_training.studies.service.video.commands import app as video
from kineseg_training.studies.srivastava_2015.commands import app as composite
from kineseg_training.studies.su_shlizerman_2019.commands import app as baseline

app = typer.Typer(
    help="Train a predictor of motion, export it as a bundle for the service, and evaluate it.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

app.add_typer(baseline, name="baseline")
app.add_typer(composite, name="composite")
app.add_typer(recognition, name="recognition")
app.add_typer(interpret, name="interpret")
app.add_typer(video, name="video")
for command in (report, bundle, fit, export, default, boundary_network, repetition, anomaly_priors, evaluate):
    app.command()(command)
