"""The single-action CMU clips as recordings, which long streams are put together from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from kineseg.motion import Recording, read

from kineseg_training.errors import DataError

_KEEP_EVERY = 2  # 120 -> 60 frames a second: nothing that the model sees at 30 is lost, and half the work
_SAME = {"walking_extra": "walking"}


def action_clips(folder: Path) -> dict[str, list[Recording]]:
    """All clips by action, at 60 frames a second.

    Args:
        folder: Of the CMU clips, with ``train`` and ``test``, each with a folder an action.

    Raises:
        DataError: There are none.
    """
    found: dict[str, list[Recording]] = {}
    for part in ("train", "test"):
        for path in sorted((folder / part).glob("*/*.txt")):
            whole = read(path).slice(1)  # the first row is a calibration posture
            assert whole.positions is not None  # the reader makes them
            clip = replace(
                whole, frames=whole.frames[::_KEEP_EVERY], positions=whole.positions[::_KEEP_EVERY],
                rate=whole.rate / _KEEP_EVERY,
            )  # fmt: skip
            found.setdefault(_SAME.get(path.parent.name, path.parent.name), []).append(clip)
    if not found:
        raise DataError(
            f"{folder}: has no clips (train/<action>/*.txt, test/<action>/*.txt); name the CMU clips' folder"
        )
    return found
