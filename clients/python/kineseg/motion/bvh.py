"""Reads Biovision Hierarchy (BVH) files.

A parser of our own, because of those published the maintained ones either refuse position channels on joints other
than the root or go through Python objects once per frame and joint (seconds for ten thousand frames). Here the tree is
read token by token and NumPy reads the motion block.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kineseg.motion.errors import MotionFileError
from kineseg.motion.kinematics import forward_kinematics, matrices_from_euler
from kineseg.motion.recording import Recording, check_rate
from kineseg.motion.skeleton import Skeleton
from kineseg.motion.source_file import SourceFile
from kineseg.motion.text_numbers import parse_rows

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
            value = float(word.replace(",", "."))
        except ValueError:
            raise self.error(f"expected {expected}, found {word!r}") from None
        if not math.isfinite(value):
            raise self.error(f"{expected} is {word}; expected a finite number")
        return value

    def error(self, message: str) -> MotionFileError:
        return MotionFileError(message, path=self.path, line=self.line)


def read_bvh(source: SourceFile, *, rate: float | None = None) -> Recording:
    """Read a BVH file.

    Channels may come in any order and number per joint. Position channels, on any joint, replace that component of its
    offset. End sites become joints named ``<joint>_end``. What ``Frames:`` says is not believed where there are more
    or fewer rows, and a last row that breaks off is left out: the notes say so.

    Args:
        source: The file.
        rate: Frames per second, instead of what the file says.

    Returns:
        Frames in the file's own units (degrees for rotations), channels named ``<joint>.<Channel>``, and positions in
        the file's unit of length.

    Raises:
        MotionFileError: Not BVH, or inconsistent; names the line.
    """
    lines = source.text().split("\n")
    for number, line in enumerate(lines):
        if line.lstrip().startswith(("#", "//", ";")):
            lines[number] = ""
    tokens = _Tokens(source.path, lines)
    joints = _read_hierarchy(tokens)
    header = _read_motion_header(source.path, lines, tokens.line - 1)
    channels = tuple(f"{joint.name}.{channel}" for joint in joints for channel in joint.channels)
    frames, notes = _read_rows(source.path, lines, header, channels)
    if rate is None:
        rate = _rate_of(header, source.path)
    skeleton = Skeleton(
        names=tuple(joint.name for joint in joints),
        parents=tuple(joint.parent for joint in joints),
        offsets=np.array([joint.offset for joint in joints]),
    )
    return Recording(
        frames=frames,
        rate=check_rate(rate),
        channels=channels,
        skeleton=skeleton,
        positions=_positions(skeleton, joints, frames),
        name=source.name,
        notes=notes,
    )


@dataclass(frozen=True)
class _MotionHeader:
    """What stands between MOTION and the rows; lines are 0-based."""

    n_frames: int | None
    frame_time: str | None
    time_line: int
    first_row: int


def _read_hierarchy(tokens: _Tokens) -> list[_Joint]:
    """Everything up to and including the word MOTION."""
    if tokens.next("HIERARCHY").upper() != "HIERARCHY":
        raise tokens.error("not a BVH file: expected it to begin with HIERARCHY")
    joints: list[_Joint] = []
    open_joints: list[int] = []
    names: set[str] = set()
    while True:
        word = tokens.next("ROOT, JOINT, End Site, OFFSET, CHANNELS, '}' or MOTION").upper()
        if word == "MOTION" and joints and not open_joints:
            break
        if word == "ROOT" and joints:
            raise tokens.error(
                "a second ROOT; expected one skeleton in a file: export each body into a file of its own"
            )
        if (word == "ROOT") != (not joints):
            raise tokens.error(f"expected ROOT, found {word!r}")
        if word in ("ROOT", "JOINT", "END"):
            _open_joint(tokens, joints, open_joints, names, is_end=word == "END")
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


def _open_joint(
    tokens: _Tokens, joints: list[_Joint], open_joints: list[int], names: set[str], *, is_end: bool
) -> None:
    line, words = tokens.line, []
    while (word := tokens.next("a joint's name and '{'")) != "{":
        words.append(word)
    parent = open_joints[-1] if open_joints else -1
    if joints and parent < 0:
        raise tokens.error("a joint outside the ROOT")
    name = " ".join(words)
    if is_end:
        name = f"{joints[parent].name}_end"
        while name in names:
            name += "_"
    elif not name:
        raise tokens.error("expected a joint's name before '{'")
    elif name in names:
        raise tokens.error(f"a second joint named {name!r}; names must be unique")
    names.add(name)
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


def _read_motion_header(path: Path, lines: list[str], motion_line: int) -> _MotionHeader:
    """The lines after MOTION, up to the first that begins with a number."""
    count: int | None = None
    frame_time, time_line = None, motion_line
    # "MOTION Frames: 3" on one line happens.
    lines[motion_line] = re.sub(r"^.*?\bMOTION\b", "", lines[motion_line], count=1, flags=re.IGNORECASE)
    number = motion_line
    for number in range(motion_line, len(lines)):
        line = lines[number].strip()
        if not line:
            continue
        frames = re.match(r"frames?\s*:\s*(\S*)\s*(.*)$", line, re.IGNORECASE)
        if frames is not None:
            count = _frame_count(path, number, frames[1])
            line = frames[2]
        elif re.match(r"frames?\b(?!\s*time)", line, re.IGNORECASE):
            raise MotionFileError(
                f"expected 'Frames:' and their number, found {line[:40]!r}", path=path, line=number + 1
            )
        time = re.match(r"frame\s*time\s*:\s*(\S*)\s*$", line, re.IGNORECASE)
        if time is not None:
            frame_time, time_line = time[1], number
            continue
        if frames is not None and not line:
            continue
        if line[0].isdigit() or line[0] in "+-.":
            break
        expected = "'Frame Time:'" if count is not None else "'Frames:' after MOTION"
        if frame_time is None:
            raise MotionFileError(f"expected {expected}, found {line[:40]!r}", path=path, line=number + 1)
        break
    else:
        number = len(lines)
        if frame_time is None:
            expected = "'Frame Time:'" if count is not None else "'Frames:'"
            raise MotionFileError(
                f"the file is truncated: it ends where {expected} was expected", path=path, line=len(lines)
            )
    return _MotionHeader(count, frame_time, time_line, number)


def _frame_count(path: Path, line: int, word: str) -> int | None:
    if not word:
        return None
    try:
        count = float(word.replace(",", "."))
    except ValueError:
        count = math.nan
    if math.isnan(count):
        raise MotionFileError(f"expected the number of frames, found {word[:40]!r}", path=path, line=line + 1)
    if count != count // 1 or count < 0 or math.isinf(count):
        raise MotionFileError(
            f"the number of frames is {count:g}; expected a whole number of at least 1", path=path, line=line + 1
        )
    return int(count)


def _read_rows(
    path: Path, lines: list[str], header: _MotionHeader, channels: tuple[str, ...]
) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """The frames, and what was left out of them."""
    notes: list[str] = []
    filled = [i for i in range(header.first_row, len(lines)) if lines[i].strip()]
    if not filled:
        raise MotionFileError("the file is truncated: no rows of numbers follow", path=path, line=len(lines))
    said = header.n_frames
    if said and len(filled) > said:
        trailing = next((i for i in filled[said:] if not _begins_with_number(lines[i])), None)
        if trailing is not None:
            notes.append(f"text after the frames, from line {trailing + 1} on, is left out")
            filled = [i for i in filled if i < trailing]
    last = len(lines[filled[-1]].split())
    if last < len(channels) and len(filled) > 1 and _begins_with_number(lines[filled[-1]]):
        notes.append(
            f"the last row, line {filled[-1] + 1}, breaks off after {last} of {len(channels)} values: left out"
        )
        filled = filled[:-1]
    rows = lines[header.first_row : filled[-1] + 1]
    if any("," in row for row in rows):
        rows = [row.replace(",", ".") for row in rows]
    frames = parse_rows(
        rows, path=path, first_line=header.first_row + 1, width=len(channels), delimiter=None, fields=channels
    )
    if said is not None and len(frames) != said:
        notes.append(f"'Frames:' says {said}, but {len(frames)} whole rows follow: these are read")
    return frames, tuple(notes)


def _begins_with_number(line: str) -> bool:
    try:
        float(line.split()[0].replace(",", "."))
    except (ValueError, IndexError):
        return False
    return True


def _rate_of(header: _MotionHeader, path: Path) -> float:
    """Frames per second out of the frame time.

    Raises:
        MotionFileError: There is none that could be.
    """
    remedy = "give a rate (--rate on the command line)"
    if not header.frame_time:
        raise MotionFileError(
            f"the file does not say its frame time; {remedy}", path=path, line=header.time_line + 1, field="rate"
        )
    try:
        frame_time = float(header.frame_time.replace(",", "."))
    except ValueError:
        raise MotionFileError(
            f"expected the frame time, found {header.frame_time[:40]!r}; mend it, or {remedy}",
            path=path,
            line=header.time_line + 1,
            field="rate",
        ) from None
    rate = 1.0 / frame_time if frame_time > 0 else 0.0
    if not 0.0 < rate < math.inf:
        raise MotionFileError(
            f"the frame time is {frame_time:g} s; expected a positive finite number of seconds: mend it, or {remedy}",
            path=path,
            line=header.time_line + 1,
            field="rate",
        )
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
