"""Options that several commands take."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import Annotated

import typer


class Provider(enum.StrEnum):
    """Where models run."""

    AUTO = "auto"
    CUDA = "cuda"
    CPU = "cpu"


class Axis(enum.StrEnum):
    """The vertical axis of a file."""

    AUTO = "auto"
    Y = "y"
    Z = "z"


class Layout(enum.StrEnum):
    """What the columns of a table are."""

    AUTO = "auto"
    TABLE = "table"
    POSITIONS = "positions"
    CMU = "cmu"
    H36M = "h36m"


Bundle = Annotated[
    list[Path] | None,
    typer.Option("--bundle", help="Model bundle, a folder or .zip, besides the packaged one. May be repeated."),
]
ModelName = Annotated[str, typer.Option("--model", help="Name of the model. Default: the server's default model.")]
Where = Annotated[
    Provider, typer.Option("--provider", help="Where models run; auto: CUDA where it is faster, else CPU.")
]
Rate = Annotated[float | None, typer.Option("--rate", help="Frames per second, instead of what the file says.")]
Up = Annotated[Axis, typer.Option("--up", help="The vertical axis of the file; auto: found from how the body stands.")]
JointFile = Annotated[
    Path | None,
    typer.Option(
        "--mapping",
        metavar="FILE",
        help='JSON or TOML: canonical joint to joint name, such as {"left_elbow": "LFarm"}, for names not recognised.',
    ),
]
Columns = Annotated[
    Layout,
    typer.Option("--layout", help="What the columns of a table without a header are; auto: found from their values."),
]
ServerAddress = Annotated[
    str | None, typer.Option("--server", metavar="HOST:PORT", help="Use this server, instead of starting one.")
]
Latency = Annotated[
    float | None,
    typer.Option("--latency", help="Seconds within which boundaries are confirmed, 0.5 to 10. Default: 4."),
]
Threshold = Annotated[
    float | None,
    typer.Option(
        "--threshold",
        help="How likely a boundary must be to become final, 0.01 to 0.99: lower gives more, higher fewer; `kineseg "
        "tune` finds one. Default: the model's own.",
    ),
]
AlarmsPerHour = Annotated[
    float | None,
    typer.Option(
        "--alarms-per-hour", help="How many alarms an hour may be false, 0.01 to 1000. Default: the server's, 2."
    ),
]
ReportsPerHour = Annotated[
    float | None,
    typer.Option(
        "--reports-per-hour",
        help="Report unusual behaviour, too: how many reports an hour may be about nothing, 0.01 to 1000, such as 30. "
        "Default: the server's, none.",
    ),
]
ProfileFile = Annotated[
    Path | None,
    typer.Option(
        "--profile",
        metavar="FILE",
        help="JSON file with what earlier streams of the same rig have taught: read if there, written at the end.",
    ),
]
RulesFile = Annotated[
    Path | None,
    typer.Option(
        "--rules",
        metavar="FILE",
        help="TOML file of names, and absences of names, that are alerts by themselves, see docs/alerts.md.",
    ),
]
Names = Annotated[
    Path | None,
    typer.Option("--bank", "--label-bank", help="Name bank: file with taught names, see `kineseg label`."),
]
SinkURL = typer.Option(
    "--sink",
    metavar="URL",
    help="Where events go to, such as jsonl:events.jsonl; see docs/sinks. May be repeated.",
)
SinkURLs = Annotated[list[str] | None, SinkURL]
Spool = Annotated[
    Path | None,
    typer.Option(
        "--cursor",
        metavar="FILE",
        help="Keeps what waits for a sink, for the next time. Default: memory.",
    ),
]
