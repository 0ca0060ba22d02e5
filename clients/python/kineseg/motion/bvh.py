"""Reads Biovision Hierarchy (BVH) files.

A parser of our own, because of those published the maintained ones either refuse position channels on joints other
than the root or go through Python objects once per frame and joint (seconds for ten thousand frames). Here the tree is
read token by token and NumPy reads the motion block.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kineseg.motion.errors import MotionFileError
from kineseg.motion.kinematics import forward_kinematics, matrices_from_euler
from kineseg.motion.recording import Recording, Up, check_rate
from kineseg.motion.skeleton import Skeleton
from kineseg.motion.text_numbers import parse_rows, read_text

_CHANNELS = {f"{axis}{kind}".lower(): f"{axis}{kind}" for axis in "XYZ" for kind in ("position", "rotation")}
# Frame times are written with few digits; a rate this close to a whole number (but not as far as 29.97 is from 30)
# was meant to be it.
_RATE_ROUNDING = 5e-4


@dataclass
class _Joint:
    name: str
    parent: int
    line: int
    offset: tuple[float, float, float] | None = None
    channels: list[str] = field(default_factory=list)
    first_column: int = 0


class _Tokens:
    """The words of the HIERARCHY section with their line numbers; an error when they run out."""

    def __init__(self, path: Path, lines: list[str]) -> None:
        self.path = path
        self.line = 1
        self._words = self._split(lines)
        self._n_lines = len(lines)

    def _split(self, lines: list[str]) -> Iterator[tuple[int, str]]:
        for number, line in enumerate(lines, start=1):
            for word in line.replace("{", " { ").replace("}", " } ").split():
                yield number, word

    def next(self, expected: str) -> str:
        try:
            self.line, word = next(self._words)
        except StopIteration:
            self.line = self._n_lines
            raise self.error(f"the file is truncated: it ends where {expected} was expected") from None
        return word

    def number(self, expected: str) -> float:
        word = self.next(expected)
        try:
            value = float(word)
        except ValueError:
            raise self.error(f"expected {expected}, found {word!r}") from None
        if not math.isfinite(value):
            raise self.error(f"{expected} is {word}; expected a finite number")
        return value

    def error(self, message: str) -> MotionFileError:
        return MotionFileError(message, path=self.path, line=self.line)


def read_bvh(path: str | Path, *, rate: float | None = None, up: Up = "y") -> Recording:
    """Read a BVH file.

    Channels may come in any order and number per joint. Position channels, on any joint, replace that component of its
    offset. End sites become joints named ``<joint>_end``.

    Args:
        path: The file.
        rate: Frames per second, instead of what the file says.
        up: The vertical axis of the file's world.

    Returns:
        Frames in the file's own units (degrees for rotations), channels named ``<joint>.<Channel>``, and positions in
        the file's unit of length.

    Raises:
        MotionFileError: Not BVH, truncated, or inconsistent; names the line.
    """
    file = Path(path)
    lines = read_text(file).splitlines()
    tokens = _Tokens(file, lines)
    joints = _read_hierarchy(tokens)
    n_frames, frame_time = _read_motion_header(tokens)
    channels = tuple(f"{joint.name}.{channel}" for joint in joints for channel in joint.channels)
    first_row = tokens.line  # 0-based index of the line after the last header word
    frames = parse_rows(
        lines[first_row:], path=file, first_line=first_row + 1, width=len(channels), delimiter=None, fields=channels
    )
    if len(frames) != n_frames:
        problem = "the file is truncated: " if len(frames) < n_frames else ""
        raise MotionFileError(
            f"{problem}'Frames:' says {n_frames}, but {len(frames)} rows follow", path=file, line=len(lines)
        )
    skeleton = Skeleton(
        names=tuple(joint.name for joint in joints),
        parents=tuple(joint.parent for joint in joints),
        offsets=np.array([joint.offset for joint in joints]),
    )
    return Recording(
        frames=frames,
        rate=_rate_of(frame_time) if rate is None else check_rate(rate),
        channels=channels,
        skeleton=skeleton,
        positions=_positions(skeleton, joints, frames),
        name=file.stem,
        up=up,
    )


def _read_hierarchy(tokens: _Tokens) -> list[_Joint]:
    """Everything up to and including the word MOTION."""
    if tokens.next("HIERARCHY").upper() != "HIERARCHY":
        raise tokens.error("not a BVH file: expected it to begin with HIERARCHY")
    joints: list[_Joint] = []
    open_joints: list[int] = []
    while True:
        word = tokens.next("ROOT, JOINT, End Site, OFFSET, CHANNELS, '}' or MOTION").upper()
        if word == "MOTION" and joints and not open_joints:
            break
        if word == "ROOT" and joints:
            raise tokens.error("a second ROOT; expected one skeleton in a file")
        if (word == "ROOT") != (not joints):
            raise tokens.error(f"expected ROOT, found {word!r}")
        if word in ("ROOT", "JOINT", "END"):
            _open_joint(tokens, joints, open_joints, is_end=word == "END")
        elif not open_joints:
            raise tokens.error(f"expected MOTION, found {word!r}")
        elif word == "OFFSET":
            x, y, z = (tokens.number(f"the {axis} of an OFFSET") for axis in "XYZ")
            joints[open_joints[-1]].offset = (x, y, z)
        elif word == "CHANNELS":
            _read_channels(tokens, joints, open_joints[-1])
        elif word == "}":
            closed = joints[open_joints.pop()]
            if closed.offset is None:
                raise tokens.error(f"joint {closed.name!r} has no OFFSET")
        else:
            raise tokens.error(f"expected JOINT, End Site, OFFSET, CHANNELS or '}}', found {word!r}")
    column = 0
    for joint in joints:
        joint.first_column = column
        column += len(joint.channels)
    if column == 0:
        raise tokens.error("no joint has CHANNELS, so there is no motion")
    return joints


def _open_joint(tokens: _Tokens, joints: list[_Joint], open_joints: list[int], *, is_end: bool) -> None:
    line, words = tokens.line, []
    while (word := tokens.next("a joint's name and '{'")) != "{":
        words.append(word)
    parent = open_joints[-1] if open_joints else -1
    if joints and parent < 0:
        raise tokens.error("a joint outside the ROOT")
    names = {joint.name for joint in joints}
    name = " ".join(words)
    if is_end:
        name = f"{joints[parent].name}_end"
        while name in names:
            name += "_"
    elif not name:
        raise tokens.error("expected a joint's name before '{'")
    elif name in names:
        raise tokens.error(f"a second joint named {name!r}; names must be unique")
    joints.append(_Joint(name, parent, line))
    open_joints.append(len(joints) - 1)


def _read_channels(tokens: _Tokens, joints: list[_Joint], index: int) -> None:
    joint = joints[index]
    if joint.channels:
        raise tokens.error(f"a second CHANNELS for joint {joint.name!r}")
    count = tokens.number("the number of channels")
    if count not in range(7):
        raise tokens.error(f"joint {joint.name!r} has {count:g} channels; expected 0 to 6")
    if index != len(joints) - 1:
        raise tokens.error(f"CHANNELS of joint {joint.name!r} must come before its children")
    for _ in range(int(count)):
        word = tokens.next("a channel")
        channel = _CHANNELS.get(word.lower())
        if channel is None or channel in joint.channels:
            raise tokens.error(
                f"channel {word!r} of joint {joint.name!r}; expected any of {', '.join(_CHANNELS.values())}, once"
            )
        joint.channels.append(channel)


def _read_motion_header(tokens: _Tokens) -> tuple[int, float]:
    if tokens.next("Frames:").lower() != "frames:":
        raise tokens.error("expected 'Frames:' after MOTION")
    count = tokens.number("the number of frames")
    if count != int(count) or count < 1:
        raise tokens.error(f"the number of frames is {count:g}; expected a whole number of at least 1")
    if (tokens.next("Frame Time:").lower(), tokens.next("Frame Time:").lower()) != ("frame", "time:"):
        raise tokens.error("expected 'Frame Time:'")
    frame_time = tokens.number("the frame time")
    if frame_time <= 0:
        raise tokens.error(f"the frame time is {frame_time:g} s; expected a positive number of seconds")
    return int(count), frame_time


def _rate_of(frame_time: float) -> float:
    rate = 1.0 / frame_time
    whole = round(rate)
    return float(whole) if whole and abs(rate - whole) < _RATE_ROUNDING * whole else rate


def _positions(skeleton: Skeleton, joints: list[_Joint], frames: NDArray[np.float64]) -> NDArray[np.float64]:
    n_frames = len(frames)
    rotations = np.empty((n_frames, len(joints), 3, 3))
    rotations[:] = np.eye(3)
    translations = np.broadcast_to(skeleton.offsets, (n_frames, len(joints), 3)).copy()
    by_order: dict[str, list[tuple[int, list[int]]]] = defaultdict(list)
    moving = False
    for index, joint in enumerate(joints):
        columns = {channel: joint.first_column + i for i, channel in enumerate(joint.channels)}
        turns = [channel for channel in joint.channels if channel.endswith("rotation")]
        if turns:
            by_order["".join(channel[0] for channel in turns)].append((index, [columns[c] for c in turns]))
        for channel in set(columns) - set(turns):
            translations[:, index, "XYZ".index(channel[0])] = frames[:, columns[channel]]
            moving = moving or index > 0
    for order, members in by_order.items():
        angles = np.radians(frames[:, [columns for _, columns in members]])
        rotations[:, [index for index, _ in members]] = matrices_from_euler(angles, order)
    return forward_kinematics(
        skeleton, rotations, translations[:, 0], joint_translations=translations if moving else None
    )
