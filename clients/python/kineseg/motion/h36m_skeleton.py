"""The 32-joint skeleton of Human3.6M, as its exponential-map release uses it; lengths in millimetres.

The joints ending in ``_end`` only close a bone.
"""

from __future__ import annotations

import numpy as np

from kineseg.motion.skeleton import Skeleton

_JOINTS: tuple[tuple[str, int, tuple[float, float, float]], ...] = (
    ("Hips", -1, (0.0, 0.0, 0.0)),
    ("RightUpLeg", 0, (-132.948591, 0.0, 0.0)),
    ("RightLeg", 1, (0.0, -442.894612, 0.0)),
    ("RightFoot", 2, (0.0, -454.206447, 0.0)),
    ("RightToeBase", 3, (0.0, 0.0, 162.767078)),
    ("RightToeBase_end", 4, (0.0, 0.0, 74.999437)),
    ("LeftUpLeg", 0, (132.948826, 0.0, 0.0)),
    ("LeftLeg", 6, (0.0, -442.894413, 0.0)),
    ("LeftFoot", 7, (0.0, -454.20659, 0.0)),
    ("LeftToeBase", 8, (0.0, 0.0, 162.767426)),
    ("LeftToeBase_end", 9, (0.0, 0.0, 74.999948)),
    ("Spine", 0, (0.0, 0.1, 0.0)),
    ("Spine1", 11, (0.0, 233.383263, 0.0)),
    ("Neck", 12, (0.0, 257.077681, 0.0)),
    ("Head", 13, (0.0, 121.134938, 0.0)),
    ("Head_end", 14, (0.0, 115.002227, 0.0)),
    ("LeftShoulder", 12, (0.0, 257.077681, 0.0)),
    ("LeftArm", 16, (0.0, 151.034226, 0.0)),
    ("LeftForeArm", 17, (0.0, 278.882773, 0.0)),
    ("LeftHand", 18, (0.0, 251.733451, 0.0)),
    ("LeftHandThumb", 19, (0.0, 0.0, 0.0)),
    ("LeftHandThumb_end", 20, (0.0, 0.0, 99.999627)),
    ("LeftWrist_end", 19, (0.0, 100.000188, 0.0)),
    ("LeftWrist_end_end", 22, (0.0, 0.0, 0.0)),
    ("RightShoulder", 12, (0.0, 257.077681, 0.0)),
    ("RightArm", 24, (0.0, 151.031437, 0.0)),
    ("RightForeArm", 25, (0.0, 278.892924, 0.0)),
    ("RightHand", 26, (0.0, 251.72868, 0.0)),
    ("RightHandThumb", 27, (0.0, 0.0, 0.0)),
    ("RightHandThumb_end", 28, (0.0, 0.0, 99.999888)),
    ("RightWrist_end", 27, (0.0, 137.499922, 0.0)),
    ("RightWrist_end_end", 30, (0.0, 0.0, 0.0)),
)

H36M_SKELETON = Skeleton(
    names=tuple(name for name, _, _ in _JOINTS),
    parents=tuple(parent for _, parent, _ in _JOINTS),
    offsets=np.array([offset for _, _, offset in _JOINTS]),
)
