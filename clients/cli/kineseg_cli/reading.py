"""How a motion file is read: what the command line adds or corrects."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from kineseg.motion import Recording, read
from kineseg.motion.errors import MotionFileError
from kineseg.motion.tables import TableLayout
from kineseg.motion.upright import UpChoice

from kineseg_cli.failures import CommandError
from kineseg_cli.joint_file import read_mapping

_LEAST_RATE, _LARGEST_RATE = 1.0, 1000.0  # frames per second that the contract allows


@dataclass(frozen=True, slots=True)
class FileReading:
    """How to read a motion file; see the options of the commands.

    Attributes:
        rate: Frames a second, instead of what the file says.
        up: The vertical axis of the file's world.
        mapping: File with the names of joints, see `read_mapping`.
        layout: What the columns of a table without a header are.
    """

    rate: float | None = None
    up: UpChoice = "auto"
    mapping: Path | None = None
    layout: TableLayout = "auto"

    def read(self, path: Path) -> Recording:
        """The recording in a file, with the name of the file.

        Raises:
            MotionError: It cannot be read; names the file.
            CommandError: It has no frame rate, or one that no stream can have, or the mapping cannot be read; names
                the file.
        """
        mapping = read_mapping(self.mapping)
        try:
            recording = read(path, rate=self.rate, up=self.up, mapping=mapping, layout=self.layout)
        except MotionFileError as error:
            if self.rate is None and error.field == "rate" and "--rate" not in str(error):
                raise CommandError(f"{error} (--rate gives one)") from error
            raise
        if not _LEAST_RATE <= recording.rate <= _LARGEST_RATE:
            raise CommandError(
                f"{path}: {recording.rate:g} frames a second; a stream has {_LEAST_RATE:g} to {_LARGEST_RATE:g}: give "
                "another with --rate"
            )
        return replace(recording, name=path.name)
