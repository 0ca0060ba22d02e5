"""The errors of kineseg.motion: one tree, each leaf able to say where in which file it happened."""

from __future__ import annotations

from pathlib import Path


class MotionError(ValueError):
    """Motion data that cannot be used, with the place and the remedy in the message.

    Attributes:
        path: The file it is about, if any.
        line: The 1-based line in that file, if known.
        field: The field, channel or argument it is about, if known.
    """

    def __init__(
        self, message: str, *, path: str | Path | None = None, line: int | None = None, field: str | None = None
    ) -> None:
        self.path = None if path is None else str(path)
        self.line = line
        self.field = field
        place = ""
        if self.path is not None:
            place = self.path if line is None else f"{self.path}, line {line}"
        elif line is not None:
            place = f"line {line}"
        super().__init__(f"{place}: {message}" if place else message)


class RecordingError(MotionError):
    """A recording, annotation or fault whose parts contradict each other or are not finite."""


class SkeletonError(MotionError):
    """A skeleton that is not one tree of uniquely named joints, parents before children."""


class MotionFileError(MotionError):
    """A file that cannot be read as motion: missing, empty, truncated or in another format."""


class JointMappingError(MotionError):
    """Joints from which the canonical pose cannot be built."""


class MissingDependencyError(MotionError):
    """A reader needs a package that the plain install does not bring; the message names the extra."""
