"""A mapping of joints, put on a recording whose names do not say which joint is which."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from reprlib import repr as short
from typing import TYPE_CHECKING

from numpy.typing import ArrayLike

from kineseg._errors import InvalidRequest

if TYPE_CHECKING:
    from kineseg.motion import Recording


def mapped(recording: Recording | ArrayLike, mapping: Mapping[str, str] | None) -> Recording | ArrayLike:
    """The recording with the mapping that its canonical pose is made by.

    Args:
        recording: What is to be streamed.
        mapping: Canonical joint -> joint name; wins over what the recording has. None: nothing changes.

    Raises:
        InvalidRequest: There are no joints to map, or the mapping names one that is not there.
    """
    if mapping is None:
        return recording
    if not isinstance(mapping, Mapping):
        raise InvalidRequest(
            f"mapping must be a mapping of canonical joints to the recording's, got {short(mapping)}", field="mapping"
        )
    if not mapping:
        return recording
    from kineseg.motion import JointMappingError, Recording
    from kineseg.motion.joint_mapping import find_joints

    if not isinstance(recording, Recording) or recording.positions is None:
        raise InvalidRequest("mapping= is for a recording with joint positions: leave it out", field="mapping")
    merged = {**recording.mapping, **mapping}
    try:
        find_joints(recording.joints, merged)
    except JointMappingError as error:
        raise InvalidRequest(str(error), field="mapping") from error
    return replace(recording, mapping=merged)
