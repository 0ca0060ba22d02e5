"""Motion data: recordings, skeletons, readers, the canonical pose and a generator of synthetic motion."""

from kineseg.motion.annotation import Annotation
from kineseg.motion.canonical import (
    CANONICAL_BONES,
    CANONICAL_CHANNELS,
    Canonicalizer,
    canonical_pose,
    canonical_positions,
)
from kineseg.motion.errors import (
    JointMappingError,
    MissingDependencyError,
    MotionError,
    MotionFileError,
    RecordingError,
    SkeletonError,
)
from kineseg.motion.joint_frames import JointFrames
from kineseg.motion.joint_mapping import CANONICAL_JOINTS
from kineseg.motion.joint_tree import tree_of
from kineseg.motion.joints import Joints
from kineseg.motion.kinematics import forward_kinematics
from kineseg.motion.read import read
from kineseg.motion.recording import Fault, Recording
from kineseg.motion.skeleton import Skeleton
from kineseg.motion.synthetic import generate, inject

__all__ = [
    "CANONICAL_BONES",
    "CANONICAL_CHANNELS",
    "CANONICAL_JOINTS",
    "Annotation",
    "Canonicalizer",
    "Fault",
    "JointFrames",
    "JointMappingError",
    "Joints",
    "MissingDependencyError",
    "MotionError",
    "MotionFileError",
    "Recording",
    "RecordingError",
    "Skeleton",
    "SkeletonError",
    "canonical_pose",
    "canonical_positions",
    "forward_kinematics",
    "generate",
    "inject",
    "read",
    "tree_of",
]
