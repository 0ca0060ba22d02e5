"""`--record`: what came, in a file for each performer and for what each sent differently from some time on."""

from __future__ import annotations

import re
from pathlib import Path

from kineseg.sources import Frames, SourceInfo
from kineseg.sources.recorded import Recorder

from kineseg_cli.live.listener import LiveStream, Silent
from kineseg_cli.outputs import writing


class FrameFiles(Silent):
    """Keeps frames, also across streams where only the server is another; the first file gets the name as given, others
    what sets them apart.

    Args:
        path: Of the first file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._recorders: dict[SourceInfo, Recorder] = {}

    def frames(self, stream: LiveStream, frames: Frames) -> None:
        """Keeps them."""
        if frames.info not in self._recorders:
            self._recorders[frames.info] = Recorder(frames.info)
        self._recorders[frames.info].add(frames)

    def save(self) -> list[tuple[Path, int]]:
        """Write the files; which, and how many frames each has."""
        written: list[tuple[Path, int]] = []
        for at, (info, recorder) in enumerate(self._recorders.items()):
            path = self._path if at == 0 else self._path.with_stem(f"{self._path.stem}-{_apart(info, at)}")
            with writing(path):
                recorder.save(path)
            written.append((path, recorder.n_frames))
        return written


def _apart(info: SourceInfo, at: int) -> str:
    name = re.sub(r"[^A-Za-z0-9_-]+", "_", info.performer).strip("_")
    return f"{at + 1}-{name}" if name else str(at + 1)
