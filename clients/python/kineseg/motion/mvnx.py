"""Reads MVNX, the XML that Xsens MVN exports: positions of segments in metres, z up."""

from __future__ import annotations

import io
import re
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from kineseg.motion.errors import MotionFileError
from kineseg.motion.recording import Recording
from kineseg.motion.source_file import SourceFile
from kineseg.motion.timing import required_rate

_MOST_SEGMENTS = 256


def read_mvnx(source: SourceFile, *, rate: float | None = None) -> Recording:
    """Read an MVNX file.

    Args:
        source: The file.
        rate: Frames per second, instead of what the file says.

    Returns:
        Positions of the segments, each that of its joint nearest to the body; the frames of the calibration pose
        are left out.

    Raises:
        MotionFileError: It is damaged, has no positions, or defines entities.
    """
    if re.search(rb"<!(DOCTYPE|ENTITY)", source.data[:65536], re.IGNORECASE):
        raise MotionFileError(
            "an XML file with definitions of its own, which is not MVNX as MVN writes it", path=source.path
        )
    found = _Found(source)
    try:
        for event, element in ElementTree.iterparse(io.BytesIO(source.data), ("start", "end")):
            found.take(event, element)
    except ElementTree.ParseError as error:
        if not found.rows:
            raise MotionFileError(f"a damaged MVNX file ({error})", path=source.path) from None
        found.notes.append("the file breaks off: what is whole is read")
    if not found.rows:
        raise MotionFileError(
            "an MVNX file without positions; export it from MVN with segment positions ticked", path=source.path
        )
    rows = np.array(found.rows)
    count = rows.shape[1] // 3
    names = found.segments or tuple(f"segment_{at}" for at in range(count))
    if rows.shape[1] != 3 * len(names) or len(set(names)) != len(names):
        raise MotionFileError(f"{rows.shape[1]} numbers for {len(names)} segments", path=source.path, field="position")
    return Recording(
        frames=rows,
        rate=required_rate(rate or found.rate, path=source.path, remedy="give a rate"),
        channels=tuple(f"{name}.{axis}" for name in names for axis in "xyz"),
        positions=rows.reshape(len(rows), -1, 3),
        name=source.name,
        joints=names,
        up="z",
        notes=("MVNX: positions of segments, in metres", *found.notes),
    )


class _Found:
    """What has been read of the file so far; only of the first subject."""

    def __init__(self, source: SourceFile) -> None:
        self._source = source
        self.rate: float | None = None
        self.segments: tuple[str, ...] = ()
        self.rows: list[NDArray[np.float64]] = []
        self.notes: list[str] = []
        self._subjects = 0
        self._kind = ""

    def take(self, event: str, element: ElementTree.Element) -> None:
        """An element begins or ends."""
        name = element.tag.rpartition("}")[2]
        if event == "start":
            self._begins(name, element)
            return
        if self._subjects > 1:
            element.clear()
        elif name == "segments" and not self.segments:
            labels = [each.get("label", "") for each in element if each.tag.rpartition("}")[2] == "segment"]
            if len(labels) > _MOST_SEGMENTS:
                raise MotionFileError(f"more than {_MOST_SEGMENTS} segments", path=self._source.path)
            self.segments = tuple(labels)
        elif name == "position" and self._kind == "normal":
            self._take_positions(element.text or "")
        elif name == "frame":
            element.clear()

    def _begins(self, name: str, element: ElementTree.Element) -> None:
        if name == "subject":
            self._subjects += 1
            if self._subjects == 2:
                self.notes.append("several subjects: the first is read")
            elif self._subjects == 1:
                self.rate = _number(element.get("frameRate", ""))
        elif name == "frame":
            self._kind = element.get("type", "normal")

    def _take_positions(self, text: str) -> None:
        words = text.split()
        try:
            row = np.array(words, np.float64)
        except ValueError:
            row = np.array([])
        width = self.rows[0].size if self.rows else 3 * len(self.segments) or len(words)
        if row.size != width or not width or width % 3 or not (np.abs(row) < 1e9).all():
            raise MotionFileError(
                f"frame {len(self.rows)}: {len(words)} words where {width} numbers were expected",
                path=self._source.path,
                field="position",
            )
        self.rows.append(row)


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 < value < 1e5 else None
