"""`kineseg label teach`: one more example of a name."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from kineseg_core.naming import Example, NameBank

from kineseg_cli.commands.label.options import BankFile, Name
from kineseg_cli.commands.label.result_file import read_segment
from kineseg_cli.error_console import ErrorConsole
from kineseg_cli.failures import CommandError
from kineseg_cli.local import choose_model
from kineseg_cli.name_store import KeptName, NameStore
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
from kineseg_cli.reading import FileReading
from kineseg_cli.source import model_input
from kineseg_cli.standard_output import print_line


def teach(
    name: Name,
    recording: Annotated[Path | None, typer.Argument(help="Recording with the example, see --frames.")] = None,
    frames: Annotated[
        str,
        typer.Option(
            "--frames", metavar="A:B", help="Frames from A up to, but not including, B. Default: the whole recording."
        ),
    ] = "",
    session: Annotated[str, typer.Option(help="Name of an open session of --server.")] = "",
    result: Annotated[Path | None, typer.Option(help="File of events, as `kineseg segment --out` writes it.")] = None,
    segment: Annotated[
        int | None, typer.Option(min=0, max=2**32 - 1, help="Number of a finished segment of --session or --result.")
    ] = None,
    server: ServerAddress = None,
    bank: BankFile = None,
    model: ModelName = "",
    rate: Rate = None,
    up: Up = Axis.AUTO,
    mapping: JointFile = None,
    layout: Columns = Layout.AUTO,
    source: Annotated[str, typer.Option(help="Note on where the example comes from. Default: file and frames.")] = "",
    bundle: Bundle = None,
    provider: Where = Provider.AUTO,
) -> None:
    """Teach a name by a range of a recording, or by a finished segment."""
    _check_example(recording, frames, session, result, segment, server)
    store = NameStore(server, bank, tuple(bundle or ()), provider.value)
    store.check_writable()
    if recording is not None:
        reading = FileReading(rate, up.value, mapping, layout.value)
        kept = _teach_range(name, recording, reading, frames, model, source, store)
    elif result is not None:
        kept = _teach_result(name, result, segment, model, source, store)
    else:
        with store.client() as client:
            taught = client.teach_name(name, session_id=session, segment_id=segment, source=source)
        kept = KeptName.on_server(taught)
    count = len(kept.sources)
    examples = f"{count} example{'' if count == 1 else 's'}"
    print_line(f"{kept.name}: {examples} for model {kept.model}, the last one from {kept.sources[-1]}")


def _check_example(
    recording: Path | None, frames: str, session: str, result: Path | None, segment: int | None, server: str | None
) -> None:
    """Raises CommandError unless exactly one example was given, with all its parts."""
    ways = [recording is not None, bool(session), result is not None]
    if sum(ways) != 1:
        raise CommandError(
            "name one example: a RECORDING with --frames A:B, or --session ID with --segment N, or --result FILE with "
            "--segment N"
        )
    if recording is None and segment is None:
        raise CommandError("--segment N is missing: it says which segment is the example")
    if recording is not None and segment is not None:
        raise CommandError("--segment is for --session or --result; a range of a recording is --frames A:B")
    if recording is None and frames:
        raise CommandError("--frames is a range of a recording: name the recording, or leave it out")
    if session and server is None:
        raise CommandError("--session names a session of a running server: give its --server HOST:PORT")


def _teach_range(
    name: str, path: Path, reading: FileReading, frames: str, model: str, source: str, store: NameStore
) -> KeptName:
    recording = reading.read(path)
    ErrorConsole().print_notes(recording.name, recording.notes)
    first, end = _range(frames, recording.n_frames)
    with store.client() as client:
        chosen = choose_model(client, model)
        taught = client.teach_name(
            name,
            recording=model_input(recording, chosen).recording,
            frames=(first, end),
            model=chosen.name,
            source=source or f"{path.name}, frames {first}:{end}",
        )
    return KeptName.on_server(taught)


def _teach_result(name: str, path: Path, segment_id: int | None, model: str, source: str, store: NameStore) -> KeptName:
    """From a file of events; with a bank, no server is needed for it."""
    segment, summary = read_segment(path, segment_id)
    source = source or f"{path.name}, segment {segment.segment_id}, {segment.start_frame}:{segment.end_frame}"
    if not segment.embedding:
        raise CommandError(
            f"{path}: segment {segment.segment_id} has no embedding: it was too short, or model {summary.model!r} has "
            "no embedding space that streams share; teach from the recording with a trained model"
        )
    if model not in ("", summary.model):
        raise CommandError(f"{path} was made by model {summary.model!r}, not {model!r}")
    if store.bank is None:
        with store.client() as client:
            taught = client.teach_name(
                name, example=segment, model=summary.model, model_sha256=summary.model_sha256, source=source
            )
        return KeptName.on_server(taught)
    example = Example.of(segment.embedding, source)
    bank = NameBank.load(store.bank).teach(name, summary.model, summary.model_sha256, example)
    bank.save(store.bank)
    return KeptName.in_bank(bank.find(name, summary.model, summary.model_sha256))


def _range(text: str, n_frames: int) -> tuple[int, int]:
    if not text:
        return 0, n_frames
    first, colon, end = text.partition(":")
    try:
        frames = int(first or 0), int(end or n_frames)
    except ValueError:
        colon = ""
    if not colon:
        raise CommandError(f"--frames {text}: give the first frame and the one after the last, such as 120:360")
    if not 0 <= frames[0] < frames[1] <= n_frames:
        raise CommandError(f"--frames {text}: the recording has frames 0:{n_frames}")
    return frames
