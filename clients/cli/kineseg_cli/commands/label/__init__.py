"""What the `kineseg label` commands take."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from kineseg_cli.options import (
    Axis,
    Bundle,
    Columns,
    JointFile,
    Layout,
    ModelName,
    Provider,
    Rate,
    ServerAddress,
    Up,
    Where,
)

label = typer.Typer(
    name="label",
    help="Teach names by examples, so that segments like them are named; what is unknown stays unknown.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)

BankFile = Annotated[
    Path | None, typer.Option("--bank", help="Label bank, a JSON file; `teach` makes it if it is not there.")
]
Name = Annotated[str, typer.Argument(help="The name, such as walking.")]


@label.command()
def teach(
    name: Name,
    recording: Annotated[Path | None, typer.Argument(help="Recording with the example, see --frames.")] = None,
    frames: Annotated[
        str, typer.Option("--frames", metavar="A:B", help="Frames A up to B, without B. Default: the whole recording.")
    ] = "",
    session: Annotated[str, typer.Option(help="Name of an open session of --server.")] = "",
    result: Annotated[Path | None, typer.Option(help="Events that `kineseg segment --out` has written.")] = None,
    segment: Annotated[int | None, typer.Option(help="Number of a finished segment of --session or --result.")] = None,
    server: ServerAddress = None,
    bank: BankFile = None,
    model: ModelName = "",
    rate: Rate = None,
    up: Up = Axis.AUTO,
    mapping: JointFile = None,
    layout: Columns = Layout.AUTO,
    source: Annotated[str, typer.Option(help="Where it comes from, for people. Default: file and frames.")] = "",
    bundle: Bundle = None,
    provider: Where = Provider.AUTO,
) -> None:
    """Teach a name by a range of a recording, or by a finished segment."""
    from kineseg_cli.commands.label.teach import Lesson, Place
    from kineseg_cli.commands.label.teach import teach as learn

    lesson = Lesson(
        name=name,
        recording=recording,
        frames=frames,
        session=session,
        result=result,
        segment=segment,
        model=model,
        rate=rate,
        up=up.value,
        mapping=mapping,
        layout=layout.value,
        source=source,
    )
    learnt = learn(lesson, Place(server, bank, tuple(bundle or ()), provider.value))
    count = len(learnt.sources)
    examples = f"{count} example{'' if count == 1 else 's'}"
    _say(f"{learnt.name}: {examples} for model {learnt.model}, the last one from {learnt.sources[-1]}")


@label.command("list")
def list_names(
    server: ServerAddress = None,
    bank: BankFile = None,
    model: Annotated[str, typer.Option("--model", help="Only the names of this model.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """List the names that have been taught."""
    from kineseg_cli.commands.label.teach import Place, names
    from kineseg_cli.tables import name_table

    found = names(Place(server, bank), model)
    if as_json:
        print(json.dumps([asdict(learnt) for learnt in found], indent=2, ensure_ascii=False))
    elif found:
        Console().print(name_table(found))
    else:
        _say("no names have been taught")


@label.command()
def forget(
    name: Name,
    server: ServerAddress = None,
    bank: BankFile = None,
    model: Annotated[str, typer.Option("--model", help="Only what was taught for this model.")] = "",
) -> None:
    """Forget a name and all its examples."""
    from kineseg_cli.commands.label.teach import Place
    from kineseg_cli.commands.label.teach import forget as drop

    examples = drop(name, Place(server, bank), model)
    _say(f"{name}: forgotten, with {examples} example{'' if examples == 1 else 's'}")


def _say(line: str) -> None:
    Console().print(line, markup=False, highlight=False, soft_wrap=True)
