"""The 38-joint skeleton of the CMU Graphics Lab Motion Capture Database, as its exponential-map releases use it.

Lengths are in the database's units. The joints ending in ``_end`` only close a bone and never turn.
"""

from __future__ import annotations

import numpy as np

from kineseg.motion.skeleton import Skeleton

_JOINTS: tuple[tuple[str, int, tuple[float, float, float]], ...] = (
    ("Hips", -1, (0.0, 0.0, 0.0)),
    ("LHipJoint", 0, (0.0, 0.0, 0.0)),
    ("LeftUpLeg", 1, (1.65674, -1.80282, 0.62477)),
    ("LeftLeg", 2, (2.5972, -7.13576, 0.0)),
    ("LeftFoot", 3, (2.49236, -6.8477, 0.0)),
    ("LeftToeBase", 4, (0.19704, -0.54136, 2.14581)),
    ("LeftToeBase_end", 5, (0.0, 0.0, 1.11249)),
    ("RHipJoint", 0, (0.0, 0.0, 0.0)),
    ("RightUpLeg", 7, (-1.6107, -1.80282, 0.62476)),
    ("RightLeg", 8, (-2.59502, -7.12977, 0.0)),
    ("RightFoot", 9, (-2.4678, -6.78024, 0.0)),
    ("RightToeBase", 10, (-0.23024, -0.63258, 2.13368)),
    ("RightToeBase_end", 11, (0.0, 0.0, 1.11569)),
    ("LowerBack", 0, (0.0, 0.0, 0.0)),
    ("Spine", 13, (0.01961, 2.0545, -0.14112)),
    ("Spine1", 14, (0.01021, 2.06436, -0.05921)),
    ("Neck", 15, (0.0, 0.0, 0.0)),
    ("Neck1", 16, (0.00713, 1.56711, 0.14968)),
    ("Head", 17, (0.03429, 1.56041, -0.10006)),
    ("Head_end", 18, (0.01305, 1.6256, -0.05265)),
    ("LeftShoulder", 15, (0.0, 0.0, 0.0)),
    ("LeftArm", 20, (3.54205, 0.90436, -0.17364)),
    ("LeftForeArm", 21, (4.86513, 0.0, 0.0)),
    ("LeftHand", 22, (3.35554, 0.0, 0.0)),
    ("LeftFingerBase", 23, (0.0, 0.0, 0.0)),
    ("LeftHandIndex1", 24, (0.66117, 0.0, 0.0)),
    ("LeftHandIndex1_end", 25, (0.53306, 0.0, 0.0)),
    ("LThumb", 23, (0.0, 0.0, 0.0)),
    ("LThumb_end", 27, (0.5412, 0.0, 0.5412)),
    ("RightShoulder", 15, (0.0, 0.0, 0.0)),
    ("RightArm", 29, (-3.49802, 0.75994, -0.32616)),
    ("RightForeArm", 30, (-5.02649, 0.0, 0.0)),
    ("RightHand", 31, (-3.36431, 0.0, 0.0)),
    ("RightFingerBase", 32, (0.0, 0.0, 0.0)),
    ("RightHandIndex1", 33, (-0.73041, 0.0, 0.0)),
    ("RightHandIndex1_end", 34, (-0.58887, 0.0, 0.0)),
    ("RThumb", 32, (0.0, 0.0, 0.0)),
    ("RThumb_end", 36, (-0.59786, 0.0, 0.59786)),
)

CMU_SKELETON = Skeleton(
    names=tuple(name for name, _, _ in _JOINTS),
    parents=tuple(parent for _, parent, _ in _JOINTS),
    offsets=np.array([offset for _, _, offset in _JOINTS]),
)

# The compact layout leaves these seven out: they have no channels of their own.
CMU_END_JOINTS: tuple[int, ...] = (6, 12, 19, 26, 28, 35, 37)

# The compact layout keeps what the database's AMC files have: rotations about each bone's own axes, which its ASF files
# give as angles about x, then y, then z in degrees. Bones that are not here turn about the axes of the world; those of
# the hand do have axes of their own, but nothing that is moved by them enters a pose.
CMU_BONE_AXES: dict[str, tuple[float, float, float]] = {
    **{
        f"{side}{bone}": (0.0, 0.0, tilt)
        for side, tilt in (("Left", 20.0), ("Right", -20.0))
        for bone in ("UpLeg", "Leg")
    },
    **{
        f"{side}{bone}": (-90.0, 0.0, tilt)
        for side, tilt in (("Left", 20.0), ("Right", -20.0))
        for bone in ("Foot", "ToeBase")
    },
    **{f"Left{bone}": (180.0, -30.0, -90.0) for bone in ("Arm", "ForeArm")},
    **{f"Right{bone}": (180.0, 30.0, 90.0) for bone in ("Arm", "ForeArm")},
}
