"""A recording's joints under the names that a protocol has for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from kineseg.motion import MotionError
from kineseg.motion.joint_mapping import find_joints
from kineseg.sources.errors import SourceError
from kineseg.sources.frames import SourceInfo

_METRES = {"m": 1.0, "cm": 0.01, "mm": 0.001, "in": 0.0254, "": 1.0}


class BodyAs:
    """Picks the joints of a protocol out of a frame, in metres.

    Args:
        info: What the frames are.
        names: Canonical joint -> name in the protocol.
        order: Names in the protocol, in its order.
        up: The vertical axis of the protocol.

    Raises:
        SourceError: The frames are no positions of a body.
    """

    def __init__(self, info: SourceInfo, names: Mapping[str, str], order: Sequence[str], up: str) -> None:
        if info.joints is None:
            raise SourceError(
                "this protocol carries bodies, and the recording has channels only: play it to ndjson+udp://"
            )
        try:
            found = find_joints(tuple(info.joints.names), info.joints.mapping)
        except MotionError as error:
            raise SourceError(str(error)) from None
        here = {names[joint]: at for joint, at in found.items() if joint in names}
        here |= {name: at for at, name in enumerate(info.joints.names) if name in order and name not in here}
        if len(here) < 3:
            raise SourceError(
                f"none of the joints {', '.join(info.joints.names[:6])} ... is known; --mapping names them"
            )
        self.names = tuple(name for name in order if name in here)
        self._columns = [here[name] for name in self.names]
        self._scale = _METRES[info.joints.unit]
        self._from, self._to = info.joints.up, up

    def positions(self, values: NDArray[np.float32]) -> NDArray[np.float64]:
        """``(K, 3)`` of `names`, right-handed, with the protocol's axis up."""
        points = values[self._columns].astype(np.float64) * self._scale
        if self._from == self._to:
            return points
        x, y, z = points[:, 0], points[:, 1], points[:, 2]
        return np.stack([x, z, -y] if self._from == "z" else [x, -z, y], axis=1)


def unity_names() -> dict[str, str]:
    """Canonical joint -> Unity's bone."""
    sided = (
        *(("shoulder", "UpperArm"), ("elbow", "LowerArm"), ("wrist", "Hand"), ("hip", "UpperLeg")),
        *(("knee", "LowerLeg"), ("ankle", "Foot"), ("toe", "Toes")),
    )
    return {
        **{"hips": "Hips", "spine": "Spine", "chest": "Chest", "neck": "Neck", "head": "Head"},
        **{f"{side}_{joint}": f"{side.title()}{bone}" for side in ("left", "right") for joint, bone in sided},
    }
