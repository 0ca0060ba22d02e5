"""What motion sources call the joints of a body: names taken apart into a side and a word, and the words of each joint.

The words are facts out of the documentation and files of: Autodesk Biped and HumanIK, Mixamo, Unreal, Unity, VRM and
VRoid, Blender's Rigify, Reallusion, DAZ and Poser, the CMU database, SMPL, Human3.6M, OptiTrack Motive, Vicon (marker
and joint centre names of Plug-in Gait), Qualisys, Xsens, Perception Neuron, Rokoko, Sony mocopi, Apple ARKit, the
Microsoft Kinects, COCO, OpenPose and MediaPipe.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

# The names a joint goes by, best first, without side and separators. One name can mean two joints ("foot" is the ankle
# to most and the toe to SMPL; "shoulder" the collar to most): the order here and in RESOLVE settles it, since a source
# joint is given away once.
ALIASES: dict[str, tuple[str, ...]] = {
    "hips": ("hips", "pelvis", "hip", "root", "midhip", "hipcenter", "hipcentre", "pelvisroot", "spinebase"),
    "spine": (
        *("spine", "spine1", "spinemid", "spinenavel", "spine001", "l3", "l5", "abdomen", "abdomenlower"),
        *("torso3", "torso2", "torso1", "torso", "ab", "lowerspine", "lowerback", "upperback", "belly", "waist", "t10"),
    ),
    "chest": (
        *("spine7", "spine6", "spine5", "spine4", "spine3", "spine2", "chest4", "chest3", "upperchest", "chestupper"),
        *("chest", "spinechest", "spineshoulder", "spine1", "thorax", "middlespine", "upperback", "spine01", "spine02"),
        *("spine003", "spine002", "t8", "torso7", "torso6", "torso5", "torso4", "abdomenupper", "abdomen2", "t10"),
        *("strn", "sternum", "clav"),
    ),
    "neck": (
        *("neck1", "neck", "upperneck", "lowerneck", "neck01", "necktwist01", "necklower", "spine004"),
        *("shouldercenter", "shouldercentre", "c7"),
    ),
    "head": ("head", "spine006", "nose", "skull", "headtop"),
    "shoulder": (
        *("sjc", "upperarm", "shouldertop", "arm", "uparm", "uarm", "arm1", "humerus", "shldr", "shldrbend"),
        *("shoulder", "sho"),
    ),
    "elbow": (
        *("ejc", "elbow", "forearm", "lowerarm", "lowarm", "farm", "larm", "radius", "loarm", "forearmbend", "elb"),
        "elbowout",
    ),
    "wrist": ("wjc", "wrist", "hand", "wra", "wri", "wrb", "wristout"),
    "hip": (
        *("hjc", "upleg", "upperleg", "thigh", "thighbend", "uleg", "femur", "hip", "hipjoint", "asi", "asis"),
        "waistfront",
    ),
    "knee": ("kjc", "knee", "lowerleg", "lowleg", "shin", "calf", "tibia", "loleg", "lleg", "leg", "kne", "kneeout"),
    "ankle": ("ajc", "ankle", "foot", "ank", "ankleout"),
    "toe": (
        *("toebase", "toes", "toe", "toe0", "toe1", "ball", "footindex", "bigtoe", "metatarsals", "forefoot"),
        *("forefoot2", "toetip", "foot"),
    ),
}
RESOLVE = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle", "toe", "hips", "neck", "head", "chest", "spine")
SIDED = frozenset(("shoulder", "elbow", "wrist", "hip", "knee", "ankle", "toe"))

_SIDES = {"left": "left", "l": "left", "right": "right", "r": "right"}
_WORDS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+\d*|[A-Z]+\d*|\d+")
_SIDED_ALIASES = frozenset(alias for joint in SIDED for alias in ALIASES[joint])
_BODY_WORDS = frozenset(_SIDES) | frozenset(alias for aliases in ALIASES.values() for alias in aliases)
# What stands before the names of a whole rig: the tool, the armature, what a bone is for.
_PREFIX = re.compile(r"(bip|character|mixamorig|armature|skeleton|actor|j|b|c|def|org|mch|cc|base|jnt|bone|joint)\d*")
_COMMON_SHARE = 0.6  # of all names that begin (end) with the same word: it says nothing about the joint


def split_joint_name(name: str) -> tuple[str | None, str]:
    """A joint's side (``left``, ``right`` or None) and the rest of its name, lower case without separators."""
    return _split(_words(name))


def split_joint_names(names: Sequence[str]) -> list[tuple[str | None, str]]:
    """The same for the joints of one source, without the words that most of them begin or end with."""
    words = [_words(name) for name in names]
    return [_split(entry) for entry in _without_common(_without_common(words, 0), -1)]


def _words(name: str) -> list[str]:
    """The words of a name, lower case, without what stands before the last ``:``, ``|`` or ``/`` and known prefixes."""
    last = next((part for part in reversed(re.split(r"[:|/]", name)) if part.strip()), name)
    words = [word.lower() for word in _WORDS.findall(last)]
    while len(words) > 1 and _PREFIX.fullmatch(words[0]) and not words[1].isdigit():
        words = words[1:]
    return words


def _without_common(names: list[list[str]], place: int) -> list[list[str]]:
    counts = Counter(words[place] for words in names if len(words) > 1)
    common = next(iter(counts.most_common(1)), None)
    if common is None or common[1] < 3 or common[1] < _COMMON_SHARE * len(names) or common[0] in _BODY_WORDS:
        return names
    shorter = [
        (words[1:] if place == 0 else words[:-1]) if len(words) > 1 and words[place] == common[0] else words
        for words in names
    ]
    return _without_common(shorter, place)


def _split(words: list[str]) -> tuple[str | None, str]:
    for place in (0, -1):
        if len(words) > 1 and words[place] in _SIDES:
            side = _SIDES[words[place]]
            rest = words[1:] if place == 0 else words[:-1]
            return side, "".join(rest)
    inside = [place for place, word in enumerate(words) if word in ("l", "r")]
    if len(inside) == 1:  # WaistLFront
        return _SIDES[words[inside[0]]], "".join(words[: inside[0]] + words[inside[0] + 1 :])
    whole = "".join(words)
    for prefix, side in _SIDES.items():
        if whole.startswith(prefix) and whole[len(prefix) :] in _SIDED_ALIASES:
            return side, whole[len(prefix) :]
    return None, whole
