"""The commands of `kineseg-train video`."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer
from kineseg.motion import MotionError, read

from kineseg_training.default import recipe
from kineseg_training.errors import DataError, SettingsError
from kineseg_training.options import CmuFolder, Out, PresetOption, Quiet, Threads, reporting
from kineseg_training.studies.experiment import run_context, show
from kineseg_training.studies.service.video.frames import Scene, Shot, check_suffix, shot_size
from kineseg_training.studies.service.video.run import example
from kineseg_training.studies.service.video.scenes import baseline_scene, served, service
from kineseg_training.studies.service.video.write import write_video

app = typer.Typer(help="Videos of segmented motion: body, bars with a cursor, embedding.", no_args_is_help=True)

Video = Annotated[Path, typer.Argument(help="File to write, ending in .mp4 or .gif.")]
Start = Annotated[float, typer.Option(help="First second shown.")]
Stop = Annotated[float | None, typer.Option(help="Last second shown; none: the end.")]
Speed = Annotated[float, typer.Option(help="Seconds of motion in a second of video.")]
Fps = Annotated[float | None, typer.Option(help="Frames in a second of video; none: 30 in an mp4, 10 in a gif.")]
Size = Annotated[str | None, typer.Option(help="WIDTHxHEIGHT; none: 1280x720 for an mp4, 640x360 for a gif.")]


@app.command("recording")
def recording_command(
    recording: Annotated[Path, typer.Argument(help="BVH, CMU .mat or .txt, NPZ: anything with joint positions.")],
    out: Video,
    server: Annotated[str | None, typer.Option(help="host:port of a service that runs; none: start one.")] = None,
    bundle: Annotated[
        Path | None, typer.Option(help="What the service that is started serves; none: the shipped bundle.")
    ] = None,
    model: Annotated[str, typer.Option(help="Of the service's models; none: its default.")] = "",
    latency: Annotated[float | None, typer.Option(help="Latency budget, seconds.")] = None,
    rate: Annotated[float | None, typer.Option(help="Frames per second, where the file does not say.")] = None,
    start: Start = 0.0,
    stop: Stop = None,
    speed: Speed = 1.0,
    fps: Fps = None,
    size: Size = None,
    quiet: Quiet = False,
) -> None:
    """A recording as the service segments it while it streams; the whole of it is streamed, whatever part is shown."""
    with reporting():
        shot = _shot(out, start, stop, speed, fps, size)
        try:
            motion = read(recording, rate=rate)
        except MotionError as error:
            raise DataError(str(error)) from error
        with service(server, bundle or recipe.shipped_bundle()) as address:
            scene = served(motion, address, model=model, latency_s=latency)
        _write(scene, out, shot, quiet=quiet)


@app.command("take")
def take_command(
    run: Annotated[Path, typer.Argument(help="Folder that `kineseg-train baseline take` wrote.")],
    out: Video,
    oracle_split: Annotated[
        bool, typer.Option("--oracle-split/--no-oracle-split", help="Which result; the first is an ORACLE's.")
    ] = False,
    linkage: Annotated[str, typer.Option(help="single or average.")] = "single",
    cmu: CmuFolder = None,
    start: Start = 0.0,
    stop: Stop = None,
    speed: Speed = 1.0,
    fps: Fps = None,
    size: Size = None,
    quiet: Quiet = False,
) -> None:
    """A take as the offline baseline segments it; the embedding is that of the decoder states."""
    with reporting():
        shot = _shot(out, start, stop, speed, fps, size)
        context = run_context(out.parent, "small", cmu, None)
        scene = baseline_scene(run, context.needs_cmu(), oracle_split=oracle_split, linkage=linkage)
        _write(scene, out, shot, quiet=quiet)


@app.command("example")
def example_command(
    out: Out, preset: PresetOption = "small", cmu: CmuFolder = None, threads: Threads = 1, quiet: Quiet = False
) -> None:
    """A piece of take 86_03 as the service segments it: mp4, gif and a still."""
    with reporting():
        command = shlex.join(["kineseg-train", *sys.argv[1:]])
        show(lambda at: example(at, command=command), run_context(out, preset, cmu, None, quiet=quiet), threads)


def _shot(out: Path, start: float, stop: float | None, speed: float, fps: float | None, size: str | None) -> Shot:
    check_suffix(out)
    small = out.suffix.lower() == ".gif"
    width, height = shot_size(size or ("640x360" if small else "1280x720"))
    return Shot(start, stop, speed, fps or (10.0 if small else 30.0), width, height)


def _write(scene: Scene, out: Path, shot: Shot, *, quiet: bool) -> None:
    try:
        count = write_video(scene, out, shot, progress=not quiet)
    except OSError as error:
        raise SettingsError(f"out: {out} cannot be written: {error}") from error
    typer.echo(f"wrote {out}: {count} frames, {out.stat().st_size / 1e6:.1f} MB")
