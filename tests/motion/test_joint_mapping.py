"""Joint names of many sources lead to the same body."""

from __future__ import annotations

import pytest
from kineseg.motion import CANONICAL_JOINTS
from kineseg.motion.cmu_skeleton import CMU_SKELETON
from kineseg.motion.joint_mapping import map_joints

CMU = {
    "hips": "Hips",
    "spine": "Spine",
    "chest": "Spine1",
    "neck": "Neck1",
    "head": "Head",
    "left_shoulder": "LeftArm",
    "left_elbow": "LeftForeArm",
    "left_wrist": "LeftHand",
    "right_hip": "RightUpLeg",
    "right_knee": "RightLeg",
    "right_ankle": "RightFoot",
    "right_toe": "RightToeBase",
}
BANDAI_NAMES = [
    "joint_Root",
    "Hips",
    "Spine",
    "Chest",
    "Neck",
    "Head",
    "Head_end",
    "Shoulder_L",
    "UpperArm_L",
    "LowerArm_L",
    "Hand_L",
    "Shoulder_R",
    "UpperArm_R",
    "LowerArm_R",
    "Hand_R",
    "UpperLeg_L",
    "LowerLeg_L",
    "Foot_L",
    "Toes_L",
    "UpperLeg_R",
    "LowerLeg_R",
    "Foot_R",
    "Toes_R",
]
BANDAI = {
    "hips": "Hips",
    "chest": "Chest",
    "left_shoulder": "UpperArm_L",
    "right_elbow": "LowerArm_R",
    "right_wrist": "Hand_R",
    "left_hip": "UpperLeg_L",
    "left_ankle": "Foot_L",
    "left_toe": "Toes_L",
}
MIXAMO_NAMES = [
    f"mixamorig:{name}"
    for name in [
        "Hips",
        "Spine",
        "Spine1",
        "Spine2",
        "Neck",
        "Head",
        "HeadTop_End",
        "LeftShoulder",
        "LeftArm",
        "LeftForeArm",
        "LeftHand",
        "LeftHandIndex1",
        "RightShoulder",
        "RightArm",
        "RightForeArm",
        "RightHand",
        "LeftUpLeg",
        "LeftLeg",
        "LeftFoot",
        "LeftToeBase",
        "LeftToe_End",
        "RightUpLeg",
        "RightLeg",
        "RightFoot",
        "RightToeBase",
    ]
]
MIXAMO = {
    "chest": "mixamorig:Spine2",
    "left_shoulder": "mixamorig:LeftArm",
    "left_hip": "mixamorig:LeftUpLeg",
    "right_toe": "mixamorig:RightToeBase",
}
SMPL_NAMES = [
    "Pelvis",
    "L_Hip",
    "R_Hip",
    "Spine1",
    "L_Knee",
    "R_Knee",
    "Spine2",
    "L_Ankle",
    "R_Ankle",
    "Spine3",
    "L_Foot",
    "R_Foot",
    "Neck",
    "L_Collar",
    "R_Collar",
    "Head",
    "L_Shoulder",
    "R_Shoulder",
    "L_Elbow",
    "R_Elbow",
    "L_Wrist",
    "R_Wrist",
    "L_Hand",
    "R_Hand",
]
SMPL = {
    "hips": "Pelvis",
    "spine": "Spine1",
    "chest": "Spine3",
    "left_hip": "L_Hip",
    "left_ankle": "L_Ankle",
    "left_toe": "L_Foot",
    "left_shoulder": "L_Shoulder",
    "right_wrist": "R_Wrist",
}
ASF_NAMES = [
    "root",
    "lhipjoint",
    "lfemur",
    "ltibia",
    "lfoot",
    "ltoes",
    "rhipjoint",
    "rfemur",
    "rtibia",
    "rfoot",
    "rtoes",
    "lowerback",
    "upperback",
    "thorax",
    "lowerneck",
    "upperneck",
    "head",
    "lclavicle",
    "lhumerus",
    "lradius",
    "lwrist",
    "lhand",
    "rclavicle",
    "rhumerus",
    "rradius",
    "rwrist",
    "rhand",
]
ASF = {
    "hips": "root",
    "left_hip": "lfemur",
    "right_knee": "rtibia",
    "right_ankle": "rfoot",
    "left_toe": "ltoes",
    "left_elbow": "lradius",
    "left_wrist": "lwrist",
    "chest": "thorax",
}
UNREAL_NAMES = [
    "root",
    "pelvis",
    "spine_01",
    "spine_02",
    "spine_03",
    "neck_01",
    "head",
    "clavicle_l",
    "upperarm_l",
    "lowerarm_l",
    "hand_l",
    "clavicle_r",
    "upperarm_r",
    "lowerarm_r",
    "hand_r",
    "thigh_l",
    "calf_l",
    "foot_l",
    "ball_l",
    "thigh_r",
    "calf_r",
    "foot_r",
    "ball_r",
]
UNREAL = {"hips": "pelvis", "left_hip": "thigh_l", "right_knee": "calf_r", "left_toe": "ball_l", "neck": "neck_01"}
COCO_NAMES = [
    "nose",
    "left_eye",
    "right_eye",
    "left_ear",
    "right_ear",
    "left_shoulder",
    "right_shoulder",
    "left_elbow",
    "right_elbow",
    "left_wrist",
    "right_wrist",
    "left_hip",
    "right_hip",
    "left_knee",
    "right_knee",
    "left_ankle",
    "right_ankle",
]
COCO = {"head": "nose", "left_shoulder": "left_shoulder", "right_ankle": "right_ankle"}


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (list(CMU_SKELETON.names), CMU),
        (BANDAI_NAMES, BANDAI),
        (MIXAMO_NAMES, MIXAMO),
        (SMPL_NAMES, SMPL),
        (ASF_NAMES, ASF),
        (UNREAL_NAMES, UNREAL),
        (COCO_NAMES, COCO),
        (list(CANONICAL_JOINTS), {joint: joint for joint in CANONICAL_JOINTS}),
    ],
    ids=["cmu", "bandai", "mixamo", "smpl", "asf", "unreal", "coco", "canonical"],
)
def test_names_of_known_sources(names: list[str], expected: dict[str, str]) -> None:
    found = {joint: names[index] for joint, index in map_joints(names).items()}
    assert {joint: found.get(joint) for joint in expected} == expected
    assert len(set(found.values())) == len(found)


@pytest.mark.parametrize("change", [str.upper, str.lower, lambda name: name.replace("_", " "), lambda n: f"Bob:{n}"])
def test_letter_case_separators_and_prefixes_do_not_matter(change: object) -> None:
    assert callable(change)
    assert map_joints([change(joint) for joint in CANONICAL_JOINTS]) == map_joints(CANONICAL_JOINTS)
