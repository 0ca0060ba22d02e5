"""What commands that make training streams are given, checked."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from kineseg_training.default.boundary_network.streams.library import RECORDED, check_left_out
from kineseg_training.errors import SettingsError
from kineseg_training.options import cmu_folder


def checked(
    out: Path, seed: int, leave_out: Iterable[str] | None, data: Path | None
) -> tuple[frozenset[str], Path | None]:
    """What is left out, and the folder of the CMU clips; None where these are left out, too.

    Args:
        out: File to write.
        seed: Of the streams.
        leave_out: Sources of actions.
        data: Folder of the clips, if it was given.

    Raises:
        DataError: There is no folder of clips.
        SettingsError: One of them makes no sense.
    """
    if not out.parent.is_dir():
        raise SettingsError(f"out: there is no folder {out.parent}; make it, or name another file")
    if seed < 0:
        raise SettingsError(f"seed must not be negative, got {seed}")
    left_out = check_left_out(leave_out or ())
    return left_out, None if left_out.issuperset(RECORDED) else cmu_folder(data, "--data")
