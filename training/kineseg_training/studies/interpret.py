"""`kineseg-train interpret`: what trained models see."""

from __future__ import annotations

import typer

from kineseg_training.studies.embedding_commands import app as embedding
from kineseg_training.studies.layers_commands import app as layers

app = typer.Typer(help="What a model sees: its states, through training, layer by layer.", no_args_is_help=True)
# Beside each other, not below names of their own.
app.add_typer(embedding)
app.add_typer(layers)
