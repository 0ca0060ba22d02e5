"""The commands of `kineseg-train baseline`."""

from __future__ import annotations

import typer

from kineseg_training.studies.su_shlizerman_2019.clips_commands import clips_command, train_command
from kineseg_training.studies.su_shlizerman_2019.takes_commands import take_command, takes_command

app = typer.Typer(help="The offline baseline of Su & Shlizerman: train, cut, cluster.", no_args_is_help=True)

app.command("train")(train_command)
app.command("clips")(clips_command)
app.command("take")(take_command)
app.command("takes")(takes_command)
