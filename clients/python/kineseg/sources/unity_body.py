"""A humanoid as Unity has it: its bones, and how a body of usual proportions stands."""

from __future__ import annotations

from kineseg.sources.local_bones import Vector

# Unity's humanoid: bone -> the one above it, without fingers, eyes and jaw, which say nothing about actions.
_SIDES = ("Left", "Right")
PARENTS: dict[str, str] = {
    "Hips": "",
    "Spine": "Hips",
    "Chest": "Spine",
    "UpperChest": "Chest",
    "Neck": "UpperChest",
    "Head": "Neck",
    **{
        f"{side}{bone}": above if above in ("UpperChest", "Hips") else f"{side}{above}"
        for side in _SIDES
        for bone, above in (
            ("Shoulder", "UpperChest"),
            ("UpperArm", "Shoulder"),
            ("LowerArm", "UpperArm"),
            ("Hand", "LowerArm"),
            ("UpperLeg", "Hips"),
            ("LowerLeg", "UpperLeg"),
            ("Foot", "LowerLeg"),
            ("Toes", "Foot"),
        )
    },
}
# A body at rest for senders that give rotations alone: metres, Unity's axes, relative to the bone above in the whole
# tree. Those of the right side have x the other way (Unity's left is -x).
REST: dict[str, Vector] = {
    "Hips": (0.0, 0.95, 0.0),
    "Spine": (0.0, 0.1, 0.0),
    "Chest": (0.0, 0.13, 0.0),
    "UpperChest": (0.0, 0.12, 0.0),
    "Neck": (0.0, 0.13, 0.0),
    "Head": (0.0, 0.09, 0.0),
    "LeftShoulder": (-0.03, 0.1, 0.0),
    "LeftUpperArm": (-0.13, 0.0, 0.0),
    "LeftLowerArm": (-0.27, 0.0, 0.0),
    "LeftHand": (-0.25, 0.0, 0.0),
    "LeftUpperLeg": (-0.09, -0.05, 0.0),
    "LeftLowerLeg": (0.0, -0.42, 0.0),
    "LeftFoot": (0.0, -0.42, 0.0),
    "LeftToes": (0.0, -0.06, 0.13),
}
REST |= {f"Right{bone[4:]}": (-x, y, z) for bone, (x, y, z) in REST.items() if bone.startswith("Left")}
