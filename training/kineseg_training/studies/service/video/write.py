"""Write rendered frames as mp4 or gif, whole or not at all."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import imageio.v2 as imageio
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from tqdm import tqdm

from kineseg_training.errors import DataError
from kineseg_training.files import write_atomically
from kineseg_training.studies.service.video.figure import Stage
from kineseg_training.studies.service.video.frames import Scene, Shot, check_suffix

Picture = NDArray[np.uint8]
# Equal bytes for equal pictures: one thread, no time and no version in the file.
_ENCODER = "-crf 20 -preset fast -threads 1 -movflags +faststart -map_metadata -1 -fflags +bitexact -flags:v +bitexact"
_GIF_COLORS, _GIF_SAMPLES, _NEARLY_WHITE = 128, 8, 247


def write_video(scene: Scene, path: Path, shot: Shot, *, progress: bool = False) -> int:
    """Render a scene.

    Equal scenes give equal bytes on one kind of machine.

    Args:
        scene: What to show.
        path: Ends in ``.mp4`` (H.264) or ``.gif``.
        shot: Part, speed and size.
        progress: Show a bar.

    Returns:
        The number of frames written.

    Raises:
        SettingsError: Another suffix, or seconds outside the recording.
        DataError: The encoder failed.
    """
    check_suffix(path)
    rows = shot.rows(scene)
    stage = Stage(scene, rows, shot.width, shot.height)
    encode = _mp4 if path.suffix.lower() == ".mp4" else _gif
    path.parent.mkdir(parents=True, exist_ok=True)
    with tqdm(total=len(rows), disable=not progress, unit="frame") as bar:

        def draw(index: int) -> Picture:
            bar.update(index >= bar.n)
            return stage.draw(int(rows[index]))

        write_atomically(path, encode(draw, len(rows), shot.fps))
    return len(rows)


def still(scene: Scene, path: Path, shot: Shot, time_s: float) -> None:
    """One frame of the video as PNG.

    Raises:
        SettingsError: Seconds outside the recording.
    """
    rows = shot.rows(scene)
    row = int(rows[np.abs(scene.times[rows] - time_s).argmin()])
    content = io.BytesIO()
    Image.fromarray(Stage(scene, rows, shot.width, shot.height).draw(row)).save(content, "PNG", optimize=True)
    write_atomically(path, content.getvalue())


def _mp4(draw: Callable[[int], Picture], count: int, fps: float) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "video.mp4"
        try:
            with imageio.get_writer(
                file, format="FFMPEG", fps=fps, codec="libx264", quality=None, macro_block_size=2,
                pixelformat="yuv420p", output_params=_ENCODER.split(), ffmpeg_log_level="error",
            ) as writer:  # fmt: skip
                for index in range(count):
                    writer.append_data(draw(index))  # type: ignore[attr-defined]  # its stub has the base class
        except OSError as error:
            raise DataError(f"the encoder of the mp4 failed: {error}; try .gif") from error
        return file.read_bytes()


def _gif(draw: Callable[[int], Picture], count: int, fps: float) -> bytes:
    # One palette for all: what does not change between two frames then takes no space.
    samples = [draw(index) for index in np.linspace(0, count - 1, min(count, _GIF_SAMPLES)).round().astype(int)]
    common = Image.fromarray(np.concatenate(samples)).quantize(_GIF_COLORS, method=Image.Quantize.MEDIANCUT)
    colors = np.array(common.getpalette()).reshape(-1, 3)
    colors[(colors > _NEARLY_WHITE).all(axis=1)] = 255  # white has to be itself, not the mean of it and its like
    palette = Image.new("P", (1, 1))
    palette.putpalette(colors.ravel().tolist())

    def pictures() -> Iterator[Image.Image]:
        for index in range(count):
            yield Image.fromarray(draw(index)).quantize(palette=palette, dither=Image.Dither.NONE)

    every = pictures()
    content = io.BytesIO()
    # A gif counts in hundredths of a second: rounding the ends of the frames keeps the whole as long as it should be.
    ends = np.round(np.arange(count + 1) * 100 / fps).astype(int)
    durations = [10 * max(2, int(length)) for length in np.diff(ends)]
    next(every).save(content, "GIF", save_all=True, append_images=every, duration=durations, loop=0, optimize=False)
    return content.getvalue()
