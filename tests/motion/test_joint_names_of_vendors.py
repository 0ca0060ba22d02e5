"""Every vendor's names of joints, as their files have them, make a body."""

from __future__ import annotations

import pytest
from kineseg.motion import JointMappingError
from kineseg.motion.joint_mapping import find_joints, map_joints


def sided(left: str, right: str, *names: str) -> list[str]:
    """The names with a ``*`` for the side, on both sides."""
    return [name.replace("*", side) for side in (left, right) for name in names]


def expect(pattern: dict[str, str], left: str, right: str) -> dict[str, str]:
    return {
        (f"{word}_{joint}" if "*" in name else joint): name.replace("*", side)
        for word, side in (("left", left), ("right", right))
        for joint, name in pattern.items()
    }


def limbs(arm: str, elbow: str, wrist: str, hip: str, knee: str, ankle: str, toe: str = "") -> dict[str, str]:
    joints = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle", "toe")
    return {joint: name for joint, name in zip(joints, (arm, elbow, wrist, hip, knee, ankle, toe), strict=True) if name}


# Vendor -> names on the midline, names of both sides, what is expected of both and of the midline, the sides.
VENDORS: dict[str, tuple[list[str], list[str], dict[str, str], dict[str, str], tuple[str, str]]] = {
    "poser": (
        ["hip", "abdomen", "chest", "neck", "head", "leftEye", "rightEye"],
        [
            "*Collar",
            "*Shldr",
            "*ForeArm",
            "*Hand",
            "*Thumb1",
            "*Index1",
            "*Buttock",
            "*Thigh",
            "*Shin",
            "*Foot",
            "*Toe",
        ],
        limbs("*Shldr", "*ForeArm", "*Hand", "*Thigh", "*Shin", "*Foot", "*Toe"),
        {"hips": "hip", "spine": "abdomen", "chest": "chest", "neck": "neck", "head": "head"},
        ("l", "r"),
    ),
    "daz genesis 8": (
        [
            *("hip", "pelvis", "abdomenLower", "abdomenUpper", "chestLower", "chestUpper", "neckLower", "neckUpper"),
            *("head", "lowerJaw", "tongue01"),
        ],
        [
            *("*ThighBend", "*ThighTwist", "*Shin", "*Foot", "*Metatarsals", "*Toe", "*Collar", "*ShldrBend"),
            *("*ShldrTwist", "*ForearmBend", "*ForearmTwist", "*Hand", "*Eye", "*Pectoral"),
        ],
        limbs("*ShldrBend", "*ForearmBend", "*Hand", "*ThighBend", "*Shin", "*Foot", "*Toe"),
        {"hips": "pelvis", "spine": "abdomenLower", "chest": "chestUpper", "head": "head"},
        ("l", "r"),
    ),
    "daz genesis 9": (
        ["hip", "pelvis", "spine1", "spine2", "spine3", "spine4", "neck1", "neck2", "head"],
        ["*_thigh", "*_shin", "*_foot", "*_toes", "*_shoulder", "*_upperarm", "*_forearm", "*_hand"],
        limbs("*_upperarm", "*_forearm", "*_hand", "*_thigh", "*_shin", "*_foot", "*_toes"),
        {"hips": "pelvis", "chest": "spine4", "neck": "neck1"},
        ("l", "r"),
    ),
    "mocopi": (
        ["root", *(f"torso_{i}" for i in range(1, 8)), "neck_1", "neck_2", "head"],
        ["*_shoulder", "*_up_arm", "*_low_arm", "*_hand", "*_up_leg", "*_low_leg", "*_foot", "*_toes"],
        limbs("*_up_arm", "*_low_arm", "*_hand", "*_up_leg", "*_low_leg", "*_foot", "*_toes"),
        {"hips": "root", "chest": "torso_7", "head": "head"},
        ("l", "r"),
    ),
    "motive": (
        ["Hip", "Ab", "Chest", "Neck", "Head"],
        ["*Shoulder", "*UArm", "*FArm", "*Hand", "*Thigh", "*Shin", "*Foot", "*Toe"],
        limbs("*UArm", "*FArm", "*Hand", "*Thigh", "*Shin", "*Foot", "*Toe"),
        {"hips": "Hip", "spine": "Ab", "chest": "Chest"},
        ("L", "R"),
    ),
    "motive csv": (
        [f"Skeleton 001:{name}" for name in ("Hip", "Ab", "Chest", "Neck", "Head")],
        [
            f"Skeleton 001:*{name}"
            for name in ("Shoulder", "UArm", "FArm", "Hand", "Thumb1", "Thigh", "Shin", "Foot", "Toe")
        ],
        limbs(*(f"Skeleton 001:*{n}" for n in ("UArm", "FArm", "Hand", "Thigh", "Shin", "Foot", "Toe"))),
        {"hips": "Skeleton 001:Hip"},
        ("L", "R"),
    ),
    "vroid": (
        [f"J_Bip_C_{name}" for name in ("Hips", "Spine", "Chest", "UpperChest", "Neck", "Head")],
        [
            *(f"J_Bip_*_{n}" for n in ("Shoulder", "UpperArm", "LowerArm", "Hand", "Thumb1", "Index1")),
            *(f"J_Bip_*_{n}" for n in ("UpperLeg", "LowerLeg", "Foot", "ToeBase")),
            *("J_Sec_*_Bust1", "J_Adj_*_FaceEye"),
        ],
        limbs(*(f"J_Bip_*_{n}" for n in ("UpperArm", "LowerArm", "Hand", "UpperLeg", "LowerLeg", "Foot", "ToeBase"))),
        {"hips": "J_Bip_C_Hips", "chest": "J_Bip_C_UpperChest"},
        ("L", "R"),
    ),
    "vrm": (
        ["hips", "spine", "chest", "upperChest", "neck", "head", "jaw"],
        ["*Shoulder", "*UpperArm", "*LowerArm", "*Hand", "*UpperLeg", "*LowerLeg", "*Foot", "*Toes", "*ThumbProximal"],
        limbs("*UpperArm", "*LowerArm", "*Hand", "*UpperLeg", "*LowerLeg", "*Foot", "*Toes"),
        {"hips": "hips", "chest": "upperChest"},
        ("left", "right"),
    ),
    "unity": (
        ["Hips", "Spine", "Chest", "UpperChest", "Neck", "Head", "Jaw"],
        [
            *("*Eye", "*Shoulder", "*UpperArm", "*LowerArm", "*Hand", "*UpperLeg", "*LowerLeg", "*Foot", "*Toes"),
            *("*ThumbProximal", "*IndexDistal"),
        ],
        limbs("*UpperArm", "*LowerArm", "*Hand", "*UpperLeg", "*LowerLeg", "*Foot", "*Toes"),
        {"hips": "Hips", "chest": "UpperChest"},
        ("Left", "Right"),
    ),
    "rigify": (
        [f"DEF-spine{n}" for n in ("", ".001", ".002", ".003", ".004", ".005", ".006")],
        [
            *(f"DEF-{n}.*" for n in ("pelvis", "shoulder", "upper_arm", "forearm", "hand", "thigh", "shin", "foot")),
            *("DEF-toe.*", "DEF-upper_arm.*.001", "DEF-forearm.*.001", "DEF-thigh.*.001", "DEF-shin.*.001"),
        ],
        limbs(*(f"DEF-{n}.*" for n in ("upper_arm", "forearm", "hand", "thigh", "shin", "foot", "toe"))),
        {"head": "DEF-spine.006", "neck": "DEF-spine.004"},
        ("L", "R"),
    ),
    "mixamo out of blender": (
        [f"Armature|mixamorig:{n}" for n in ("Hips", "Spine", "Spine1", "Spine2", "Neck", "Head", "HeadTop_End")],
        [
            f"Armature|mixamorig:*{n}"
            for n in ("Shoulder", "Arm", "ForeArm", "Hand", "UpLeg", "Leg", "Foot", "ToeBase", "Toe_End")
        ],
        limbs(*(f"Armature|mixamorig:*{n}" for n in ("Arm", "ForeArm", "Hand", "UpLeg", "Leg", "Foot", "ToeBase"))),
        {"hips": "Armature|mixamorig:Hips"},
        ("Left", "Right"),
    ),
    "an actor's name before each": (
        [f"Actor_{n}" for n in ("Hips", "Spine", "Spine1", "Neck", "Head")],
        [f"Actor_*{n}" for n in ("Shoulder", "Arm", "ForeArm", "Hand", "UpLeg", "Leg", "Foot", "ToeBase")],
        limbs(*(f"Actor_*{n}" for n in ("Arm", "ForeArm", "Hand", "UpLeg", "Leg", "Foot", "ToeBase"))),
        {"hips": "Actor_Hips"},
        ("Left", "Right"),
    ),
    "any prefix": (
        [f"Zoe3_{n}" for n in ("Hips", "Spine", "Spine1", "Neck", "Head")],
        [f"Zoe3_*{n}" for n in ("Shoulder", "Arm", "ForeArm", "Hand", "UpLeg", "Leg", "Foot", "ToeBase")],
        limbs(*(f"Zoe3_*{n}" for n in ("Arm", "ForeArm", "Hand", "UpLeg", "Leg", "Foot", "ToeBase"))),
        {"hips": "Zoe3_Hips"},
        ("Left", "Right"),
    ),
    "any suffix": (
        [f"{n}_jnt" for n in ("hips", "spine", "chest", "neck", "head")],
        [f"*_{n}_jnt" for n in ("clavicle", "shoulder", "elbow", "wrist", "hip", "knee", "ankle", "ball")],
        limbs(*(f"*_{n}_jnt" for n in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle", "ball"))),
        {"hips": "hips_jnt"},
        ("l", "r"),
    ),
    "biped": (
        ["Bip001", *(f"Bip001 {n}" for n in ("Pelvis", "Spine", "Spine1", "Spine2", "Neck", "Head"))],
        [
            f"Bip001 * {n}"
            for n in ("Clavicle", "UpperArm", "Forearm", "Hand", "Finger0", "Thigh", "Calf", "Foot", "Toe0")
        ],
        limbs(*(f"Bip001 * {n}" for n in ("UpperArm", "Forearm", "Hand", "Thigh", "Calf", "Foot", "Toe0"))),
        {"hips": "Bip001 Pelvis"},
        ("L", "R"),
    ),
    "character creator": (
        [f"CC_Base_{n}" for n in ("BoneRoot", "Hip", "Pelvis", "Waist", "Spine01", "Spine02", "NeckTwist01", "Head")],
        [
            f"CC_Base_*_{n}"
            for n in ("Clavicle", "Upperarm", "UpperarmTwist01", "Forearm", "Hand", "Thigh", "Calf", "Foot", "ToeBase")
        ],
        limbs(*(f"CC_Base_*_{n}" for n in ("Upperarm", "Forearm", "Hand", "Thigh", "Calf", "Foot", "ToeBase"))),
        {"hips": "CC_Base_Pelvis", "head": "CC_Base_Head"},
        ("L", "R"),
    ),
    "arkit": (
        ["root", "hips_joint", *(f"spine_{i}_joint" for i in range(1, 8)), "neck_1_joint", "head_joint"],
        [
            *("*_upLeg_joint", "*_leg_joint", "*_foot_joint", "*_toes_joint", "*_toesEnd_joint", "*_shoulder_1_joint"),
            *("*_arm_joint", "*_forearm_joint", "*_hand_joint"),
        ],
        limbs(*(f"*_{n}_joint" for n in ("arm", "forearm", "hand", "upLeg", "leg", "foot", "toes"))),
        {"hips": "hips_joint", "chest": "spine_7_joint"},
        ("left", "right"),
    ),
    "xsens segments": (
        ["Pelvis", "L5", "L3", "T12", "T8", "Neck", "Head"],
        ["* Shoulder", "* Upper Arm", "* Forearm", "* Hand", "* Upper Leg", "* Lower Leg", "* Foot", "* Toe"],
        limbs("* Upper Arm", "* Forearm", "* Hand", "* Upper Leg", "* Lower Leg", "* Foot", "* Toe"),
        {"hips": "Pelvis", "chest": "T8"},
        ("Right", "Left")[::-1],
    ),
    "xsens bvh": (
        ["Hips", "Chest", "Chest2", "Chest3", "Chest4", "Neck", "Head"],
        ["*Collar", "*Shoulder", "*Elbow", "*Wrist", "*Hip", "*Knee", "*Ankle", "*Toe"],
        limbs("*Shoulder", "*Elbow", "*Wrist", "*Hip", "*Knee", "*Ankle", "*Toe"),
        {"hips": "Hips", "chest": "Chest4"},
        ("Left", "Right"),
    ),
    "rokoko": (
        ["Hips", "Spine1", "Spine2", "Spine3", "Spine4", "Neck", "Head"],
        ["*Shoulder", "*Arm", "*ForeArm", "*Hand", "*Thigh", "*Shin", "*Foot", "*Toe", "*ToeTip"],
        limbs("*Arm", "*ForeArm", "*Hand", "*Thigh", "*Shin", "*Foot", "*Toe"),
        {"hips": "Hips", "chest": "Spine4"},
        ("Left", "Right"),
    ),
    "qualisys skeleton": (
        [f"Q_{n}" for n in ("Hips", "Spine", "Spine1", "Spine2", "Neck", "Head")],
        [
            f"Q_*{n}"
            for n in (
                "Shoulder",
                "Arm",
                "ForeArm",
                "ForeArmRoll",
                "Hand",
                "UpLeg",
                "Leg",
                "Foot",
                "ToeBase",
                "InHandThumb",
            )
        ],
        limbs(*(f"Q_*{n}" for n in ("Arm", "ForeArm", "Hand", "UpLeg", "Leg", "Foot", "ToeBase"))),
        {"hips": "Q_Hips"},
        ("Left", "Right"),
    ),
    "qualisys markers": (
        ["HeadTop", "HeadFront", "SpineTop", "Chest", "WaistBack"],
        [
            *("Head*", "*ShoulderTop", "*ShoulderBack", "*Arm", "*ElbowOut", "*WristOut", "*WristIn", "*HandOut"),
            *("Waist*Front", "*Thigh", "*KneeOut", "*Shin", "*AnkleOut", "*HeelBack", "*ToeTip"),
        ],
        {"shoulder": "*ShoulderTop", "elbow": "*ElbowOut", "wrist": "*WristOut", "ankle": "*AnkleOut"},
        {},
        ("L", "R"),
    ),
    "perception neuron": (
        ["Hips", "Spine", "Spine1", "Spine2", "Spine3", "Neck", "Head"],
        [
            *("*UpLeg", "*Leg", "*Foot", "*Shoulder", "*Arm", "*ForeArm", "*Hand", "*HandThumb1", "*InHandIndex"),
            "*HandIndex1",
        ],
        limbs("*Arm", "*ForeArm", "*Hand", "*UpLeg", "*Leg", "*Foot"),
        {"hips": "Hips", "chest": "Spine3"},
        ("Left", "Right"),
    ),
    "mediapipe": (
        ["nose"],
        [
            *("*_eye_inner", "*_eye", "*_eye_outer", "*_ear", "mouth_*", "*_shoulder", "*_elbow", "*_wrist"),
            *("*_pinky", "*_index", "*_thumb", "*_hip", "*_knee", "*_ankle", "*_heel", "*_foot_index"),
        ],
        limbs("*_shoulder", "*_elbow", "*_wrist", "*_hip", "*_knee", "*_ankle", "*_foot_index"),
        {"head": "nose"},
        ("left", "right"),
    ),
    "coco": (
        ["nose"],
        ["*_eye", "*_ear", "*_shoulder", "*_elbow", "*_wrist", "*_hip", "*_knee", "*_ankle"],
        limbs("*_shoulder", "*_elbow", "*_wrist", "*_hip", "*_knee", "*_ankle"),
        {"head": "nose"},
        ("LEFT", "RIGHT"),
    ),
    "openpose body 25": (
        ["Nose", "Neck", "MidHip"],
        ["*Shoulder", "*Elbow", "*Wrist", "*Hip", "*Knee", "*Ankle", "*Eye", "*Ear", "*BigToe", "*SmallToe", "*Heel"],
        limbs("*Shoulder", "*Elbow", "*Wrist", "*Hip", "*Knee", "*Ankle", "*BigToe"),
        {"hips": "MidHip", "neck": "Neck", "head": "Nose"},
        ("L", "R"),
    ),
    "azure kinect": (
        ["PELVIS", "SPINE_NAVEL", "SPINE_CHEST", "NECK", "HEAD", "NOSE"],
        [
            *("CLAVICLE_*", "SHOULDER_*", "ELBOW_*", "WRIST_*", "HAND_*", "HANDTIP_*", "THUMB_*", "HIP_*", "KNEE_*"),
            *("ANKLE_*", "FOOT_*", "EYE_*", "EAR_*"),
        ],
        limbs("SHOULDER_*", "ELBOW_*", "WRIST_*", "HIP_*", "KNEE_*", "ANKLE_*", "FOOT_*"),
        {"hips": "PELVIS", "spine": "SPINE_NAVEL", "chest": "SPINE_CHEST", "head": "HEAD"},
        ("LEFT", "RIGHT"),
    ),
    "kinect v2": (
        ["SpineBase", "SpineMid", "SpineShoulder", "Neck", "Head"],
        ["Shoulder*", "Elbow*", "Wrist*", "Hand*", "HandTip*", "Thumb*", "Hip*", "Knee*", "Ankle*", "Foot*"],
        limbs("Shoulder*", "Elbow*", "Wrist*", "Hip*", "Knee*", "Ankle*", "Foot*"),
        {"hips": "SpineBase", "spine": "SpineMid", "neck": "Neck"},
        ("Left", "Right"),
    ),
    "kinect v1": (
        ["HipCenter", "Spine", "ShoulderCenter", "Head"],
        ["Shoulder*", "Elbow*", "Wrist*", "Hand*", "Hip*", "Knee*", "Ankle*", "Foot*"],
        limbs("Shoulder*", "Elbow*", "Wrist*", "Hip*", "Knee*", "Ankle*", "Foot*"),
        {"hips": "HipCenter", "neck": "ShoulderCenter"},
        ("Left", "Right"),
    ),
    "plug-in gait markers": (
        ["C7", "T10", "CLAV", "STRN", "RBAK"],
        [
            *("*FHD", "*BHD", "*SHO", "*UPA", "*ELB", "*FRM", "*WRA", "*WRB", "*FIN", "*ASI", "*PSI", "*THI", "*KNE"),
            *("*TIB", "*ANK", "*HEE", "*TOE"),
        ],
        limbs("*SHO", "*ELB", "*WRA", "*ASI", "*KNE", "*ANK", "*TOE"),
        {"neck": "C7"},
        ("L", "R"),
    ),
    "plug-in gait with a subject": (
        ["Amy:C7", "Amy:T10", "Amy:CLAV", "Amy:STRN"],
        [f"Amy:*{n}" for n in ("FHD", "SHO", "ELB", "WRA", "WRB", "ASI", "PSI", "KNE", "ANK", "HEE", "TOE")],
        limbs(*(f"Amy:*{n}" for n in ("SHO", "ELB", "WRA", "ASI", "KNE", "ANK", "TOE"))),
        {"neck": "Amy:C7"},
        ("L", "R"),
    ),
    "smpl-x": (
        ["pelvis", "spine1", "spine2", "spine3", "neck", "head", "jaw"],
        [
            "*_hip",
            "*_knee",
            "*_ankle",
            "*_foot",
            "*_collar",
            "*_shoulder",
            "*_elbow",
            "*_wrist",
            "*_index1",
            "*_thumb1",
        ],
        limbs("*_shoulder", "*_elbow", "*_wrist", "*_hip", "*_knee", "*_ankle", "*_foot"),
        {"hips": "pelvis", "chest": "spine3"},
        ("left", "right"),
    ),
    "human3.6m, 17 joints": (
        ["Hip", "Spine", "Thorax", "Neck", "Head"],
        ["*Hip", "*Knee", "*Foot", "*Shoulder", "*Elbow", "*Wrist"],
        limbs("*Shoulder", "*Elbow", "*Wrist", "*Hip", "*Knee", "*Foot"),
        {"hips": "Hip", "chest": "Thorax"},
        ("L", "R"),
    ),
    "opensim and pose2sim": (
        ["Hip", "Neck", "Head", "Nose"],
        ["*Hip", "*Knee", "*Ankle", "*BigToe", "*SmallToe", "*Heel", "*Shoulder", "*Elbow", "*Wrist"],
        limbs("*Shoulder", "*Elbow", "*Wrist", "*Hip", "*Knee", "*Ankle", "*BigToe"),
        {"hips": "Hip", "head": "Head"},
        ("R", "L")[::-1],
    ),
}


@pytest.mark.parametrize("vendor", VENDORS)
def test_the_names_of_a_vendor_make_a_body(vendor: str) -> None:
    middle, both, limb_names, middle_names, (left, right) = VENDORS[vendor]
    names = [*middle, *sided(left, right, *both)]
    found = {joint: names[index] for joint, index in map_joints(names).items()}
    expected = expect(limb_names, left, right) | middle_names
    assert {joint: found.get(joint) for joint in expected} == expected
    assert len(set(found.values())) == len(found)


def test_what_cannot_be_guessed_names_the_joints_and_both_remedies() -> None:
    names = ["hips", *sided("l", "r", "*Shldr", "*Hand", "*Thigh", "*Shin", "*Foot")]
    with pytest.raises(JointMappingError) as caught:
        map_joints(names)
    message = str(caught.value)
    assert "left_elbow, right_elbow" in message
    assert "--mapping FILE" in message
    assert 'mapping={"left_elbow": "..."}' in message


def test_joints_can_be_looked_for_where_there_is_no_whole_body() -> None:
    assert find_joints(["LeftHand", "banana"]) == {"left_wrist": 0}
    assert find_joints(["acc", "gyro"]) == {}
    assert find_joints([]) == {}
