"""`kineseg label`: names taught by examples, listed and forgotten, on a server or in a label bank's file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from kineseg import Client, KinesegError, SegmentClosed, Summary, TaughtName, event_from_dict
from kineseg.motion.tables import TableLayout
from kineseg.motion.upright import UpChoice
from kineseg_core.naming import Example, NameBank, NamedExamples

from kineseg_cli.failures import CommandError
from kineseg_cli.local import Provider, choose_model, connect
from kineseg_cli.notes import Notes
from kineseg_cli.source import model_input, open_recording


@dataclass(frozen=True, slots=True)
class Place:
    """Where names are kept: on a server, or in a file; see the options of the command."""

    server: str | None = None
    bank: Path | None = None
    bundles: tuple[Path, ...] = ()
    provider: Provider = "auto"


@dataclass(frozen=True, slots=True)
class Lesson:
    """A name and one example of it; see the options of the command."""

    name: str
    recording: Path | None = None
    frames: str = ""
    session: str = ""
    result: Path | None = None
    segment: int | None = None
    model: str = ""
    rate: float | None = None
    up: UpChoice = "auto"
    mapping: Path | None = None
    layout: TableLayout = "auto"
    source: str = ""


@dataclass(frozen=True, slots=True)
class Learnt:
    """A name as it is kept now; `in_use` is None where nothing tells what runs."""

    name: str
    model: str
    sha256: str
    sources: tuple[str, ...]
    in_use: bool | None


def teach(lesson: Lesson, place: Place) -> Learnt:
    """Teach one example.

    Raises:
        CommandError: What was asked for cannot be done.
        MotionError: The recording cannot be read.
        BadBank: The file is no label bank.
        KinesegError: The server refused or failed.
    """
    _check(lesson, place)
    if lesson.result is not None:
        return _teach_result(lesson, lesson.result, place)
    with _client(place) as client:
        if lesson.session:
            taught = client.teach_name(
                lesson.name, session_id=lesson.session, segment_id=lesson.segment, source=lesson.source
            )
        else:
            assert lesson.recording is not None  # checked
            recording = open_recording(
                lesson.recording, rate=lesson.rate, up=lesson.up, mapping=lesson.mapping, layout=lesson.layout
            )
            Notes().say_of(recording.name, recording.notes)
            frames = _range(lesson.frames, recording.n_frames)
            model = choose_model(client, lesson.model)
            source = lesson.source or f"{lesson.recording.name}, frames {frames[0]}:{frames[1]}"
            taught = client.teach_name(
                lesson.name,
                recording=model_input(recording, model).recording,
                frames=frames,
                model=model.name,
                source=source,
            )
    return _learnt(taught)


def names(place: Place, model: str = "") -> list[Learnt]:
    """What has been taught.

    Raises:
        CommandError: Neither a server nor a file is named, or both are; or the file is not there.
        BadBank: The file is no label bank.
        KinesegError: The server refused or failed.
    """
    bank = _bank_file(place, must_exist=True)
    if bank is not None:
        return [_kept(taught) for taught in NameBank.load(bank).entries if model in ("", taught.model)]
    with _client(place) as client:
        return [_learnt(taught) for taught in client.names(model)]


def forget(name: str, place: Place, model: str = "") -> int:
    """Forget a name, of one model or of all, and return how many examples it had.

    Raises:
        CommandError: Neither a server nor a file is named, or both are; or the file is not there.
        UnknownName: It is not in the file.
        BadBank: The file is no label bank.
        KinesegError: The server refused or failed.
    """
    path = _bank_file(place, must_exist=True)
    if path is not None:
        bank, examples = NameBank.load(path).forget(name, model)
        bank.save(path)
        return examples
    with _client(place) as client:
        return client.forget_name(name, model=model)


def existing_bank(path: Path | None) -> Path | None:
    """A bank to be read: its path, if it is there.

    Raises:
        CommandError: It is not.
    """
    if path is not None and not path.is_file():
        raise CommandError(f"--bank {path}: there is no such file; `kineseg label teach` makes one")
    return path


def _check(lesson: Lesson, place: Place) -> None:
    ways = [lesson.recording is not None, bool(lesson.session), lesson.result is not None]
    if sum(ways) != 1:
        raise CommandError(
            "name one example: a RECORDING with --frames A:B, or --session ID with --segment N, or --result FILE with "
            "--segment N"
        )
    if lesson.recording is None and lesson.segment is None:
        raise CommandError("--segment N is missing: which of the segments is the example")
    if lesson.recording is not None and lesson.segment is not None:
        raise CommandError("--segment is for --session or --result; a range of a recording is --frames A:B")
    if lesson.recording is None and lesson.frames:
        raise CommandError("--frames is a range of a recording: name the recording, or leave it out")
    if lesson.session and place.server is None:
        raise CommandError("--session names a session of a running server: give its --server HOST:PORT")
    _bank_file(place)


def _bank_file(place: Place, *, must_exist: bool = False) -> Path | None:
    """The file, or None for a server; exactly one must be named."""
    if (place.server is None) == (place.bank is None):
        raise CommandError("where are the names kept? give either --server HOST:PORT or --bank FILE")
    return existing_bank(place.bank) if must_exist else place.bank


@contextmanager
def _client(place: Place) -> Iterator[Client]:
    with connect(place.server, bundles=place.bundles, provider=place.provider, bank=place.bank) as client:
        yield client


def _teach_result(lesson: Lesson, path: Path, place: Place) -> Learnt:
    """From a file of events; without a server nothing has to be run for it."""
    segment, summary = _read_result(path, lesson.segment)
    source = lesson.source or f"{path.name}, segment {segment.segment_id}, {segment.start_frame}:{segment.end_frame}"
    if not segment.embedding:
        raise CommandError(
            f"{path}: segment {segment.segment_id} has no embedding: it was too short, or model {summary.model!r} has "
            "no embedding space that streams share; teach from the recording with a trained model"
        )
    if lesson.model not in ("", summary.model):
        raise CommandError(f"{path} was made by model {summary.model!r}, not {lesson.model!r}")
    if place.bank is None:
        with _client(place) as client:
            return _learnt(
                client.teach_name(
                    lesson.name, example=segment, model=summary.model, model_sha256=summary.model_sha256, source=source
                )
            )
    example = Example.of(segment.embedding, source)
    bank = NameBank.load(place.bank).teach(lesson.name, summary.model, summary.model_sha256, example)
    bank.save(place.bank)
    return _kept(bank.find(lesson.name, summary.model, summary.model_sha256))


def _read_result(path: Path, segment_id: int | None) -> tuple[SegmentClosed, Summary]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise CommandError(f"{path}: not a file of events, as `kineseg segment --out` writes them ({error})") from error
    closed: dict[int, SegmentClosed] = {}
    summary = None
    for number, line in enumerate(lines, 1):
        try:
            values = json.loads(line)
            event = event_from_dict(values if isinstance(values, dict) else {})
        except (ValueError, TypeError, KinesegError) as error:
            raise CommandError(
                f"{path}: line {number} is not an event, as `kineseg segment --out` writes them ({error})"
            ) from error
        if isinstance(event, SegmentClosed):
            closed[event.segment_id] = event
        summary = event if isinstance(event, Summary) else summary
    if summary is None or not summary.model:
        raise CommandError(
            f"{path}: does not say which model made it (a summary event with the model is missing): segment again"
        )
    if segment_id not in closed:
        known = ", ".join(map(str, sorted(closed)[:12])) + (", ..." if len(closed) > 12 else "")
        raise CommandError(f"{path}: has no finished segment {segment_id}; it has {known or 'none'}")
    return closed[segment_id], summary


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


def _learnt(taught: TaughtName) -> Learnt:
    return Learnt(taught.name, taught.model, taught.model_sha256, taught.sources, taught.in_use)


def _kept(taught: NamedExamples) -> Learnt:
    sources = tuple(example.source for example in taught.examples)
    return Learnt(taught.name, taught.model, taught.sha256, sources, None)
