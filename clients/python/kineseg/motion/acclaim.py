"""Reads Acclaim motion (AMC) on its skeleton (ASF), the two files in which the CMU database keeps its takes.

A bone turns about axes of its own, which the skeleton gives: what is listed first is turned about first, about axes
that stand still. Joints are named after the bone that begins there; the end of the last bone of a limb is
``<bone>_end``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kineseg.motion.errors import MotionFileError
from kineseg.motion.kinematics import forward_kinematics, matrices_from_euler
from kineseg.motion.recording import Recording
from kineseg.motion.skeleton import Skeleton
from kineseg.motion.source_file import SourceFile, open_source
from kineseg.motion.timing import required_rate

Array = NDArray[np.float64]

_ROOT_ORDER = ("TX", "TY", "TZ", "RX", "RY", "RZ")
_WORDS = {"R": "rotation", "T": "position"}
_MOST_BONES = 512
_RATE = "give a rate (--rate on the command line): most takes of the CMU database have 120, some 60"
_PACKED = ("", ".gz", ".bz2", ".xz")


@dataclass
class _Bone:
    name: str
    line: int
    direction: Array = field(default_factory=lambda: np.zeros(3))
    length: float = 0.0
    axis: Array = field(default_factory=lambda: np.zeros(3))
    axis_order: str = "XYZ"
    turns: tuple[str, ...] = ()
    parent: str = ""


@dataclass
class _Body:
    """What an ASF file says."""

    degrees: bool = True
    root_order: tuple[str, ...] = _ROOT_ORDER
    root_axis_order: str = "XYZ"
    root_orientation: Array = field(default_factory=lambda: np.zeros(3))
    bones: dict[str, _Bone] = field(default_factory=dict)


def read_amc(source: SourceFile, *, rate: float | None = None) -> Recording:
    """Read an AMC file, and the ASF file that lies beside it.

    That is the one of the same name; else of the name up to the underscore (``16_22.amc``, ``16.asf``); else the only
    one in the folder.

    Args:
        source: The AMC file.
        rate: Frames per second; neither file says it.

    Returns:
        Channels in degrees and in the skeleton's unit of length, positions in that.

    Raises:
        MotionFileError: There is no skeleton, one of the files is damaged, or no rate is given; names the line.
    """
    rate = required_rate(rate, path=source.path, remedy=_RATE)
    skeleton_file = _skeleton_of(source)
    body = _read_body(skeleton_file)
    numbers, rows, degrees = _read_motion(source, body)
    if not degrees:
        turning = np.array([kind[0] == "R" for _, kind in _columns(body)])
        rows = np.where(turning, np.degrees(rows), rows)
    skeleton, positions = _positions(body, rows, skeleton_file)
    holes = len(numbers) > 1 and bool((np.diff(numbers) != 1).any())
    if holes and (np.diff(numbers) < 1).any():
        raise MotionFileError("the numbers of the frames do not increase", path=source.path)
    return Recording(
        frames=rows,
        rate=rate,
        channels=tuple(f"{bone}.{kind[1]}{_WORDS[kind[0]]}" for bone, kind in _columns(body)),
        skeleton=skeleton,
        timestamps=(numbers - numbers[0]) / rate if holes else None,
        positions=positions,
        name=source.name,
        notes=(f"the skeleton is that of {skeleton_file.path.name}",),
    )


def _skeleton_of(source: SourceFile) -> SourceFile:
    folder, stem = source.path.parent, source.name
    for name in (stem, stem.partition("_")[0]):
        for suffix in (".asf", ".ASF"):
            for packed in _PACKED:
                path = folder / f"{name}{suffix}{packed}"
                if path.is_file():
                    return open_source(path)
    others = [path for path in folder.iterdir() if re.search(r"\.asf(\.gz|\.bz2|\.xz)?$", path.name, re.IGNORECASE)]
    if len(others) == 1:
        return open_source(others[0])
    found = f"there are {len(others)} of other names" if others else "there is none"
    raise MotionFileError(
        f"motion of Acclaim needs its skeleton beside it, {stem}.asf, and {found}: put it there under that name",
        path=source.path,
    )


def _columns(body: _Body) -> list[tuple[str, str]]:
    """Bone and kind of each number of a frame."""
    return [("root", kind) for kind in body.root_order] + [
        (bone.name, kind) for bone in body.bones.values() for kind in bone.turns
    ]


# -- ASF


class _Lines:
    """The words of each line that has any, with its number; comments are left out."""

    def __init__(self, source: SourceFile) -> None:
        self.path = source.path
        lines = source.text().split("\n")
        self._lines = iter(
            [(at, words) for at, line in enumerate(lines, 1) if (words := line.partition("#")[0].split())]
        )
        self._again: tuple[int, list[str]] | None = None
        self.line = 0

    def __iter__(self) -> Iterator[list[str]]:
        while True:
            entry = self._again or next(self._lines, None)
            if entry is None:
                return
            self._again = None
            self.line, words = entry
            yield words

    def again(self, words: list[str]) -> None:
        """Give this line once more."""
        self._again = (self.line, words)

    def error(self, message: str, line: int | None = None) -> MotionFileError:
        return MotionFileError(message, path=self.path, line=line or self.line)

    def numbers(self, words: list[str], count: int, what: str) -> Array:
        try:
            values = np.array([float(word) for word in words[:count]])
        except ValueError:
            values = np.array([])
        if len(values) != count or not (np.abs(values) < 1e9).all():
            raise self.error(f"expected {count} numbers for {what}, found {' '.join(words[:8])!r}")
        return values


def _read_body(source: SourceFile) -> _Body:
    lines, body = _Lines(source), _Body()
    sections = {":units": _read_units, ":root": _read_root, ":bonedata": _read_bones, ":hierarchy": _read_hierarchy}
    for words in lines:
        reader = sections.get(words[0].lower())
        if reader is not None:
            reader(lines, body)
    if not body.bones:
        raise MotionFileError("not an Acclaim skeleton: expected :bonedata with bones", path=source.path)
    if not body.degrees:
        body.root_orientation = np.degrees(body.root_orientation)
        for bone in body.bones.values():
            bone.axis = np.degrees(bone.axis)
    return body


def _section(lines: _Lines) -> Iterator[list[str]]:
    """The lines up to the next section."""
    for words in lines:
        if words[0].startswith(":"):
            lines.again(words)
            return
        yield words


def _read_units(lines: _Lines, body: _Body) -> None:
    for words in _section(lines):
        if words[0].lower() == "angle" and len(words) > 1:
            body.degrees = not words[1].lower().startswith("rad")


def _read_root(lines: _Lines, body: _Body) -> None:
    for words in _section(lines):
        key = words[0].lower()
        if key == "order":
            body.root_order = tuple(word.upper() for word in words[1:])
            if len(set(body.root_order)) != len(words) - 1 or not set(body.root_order) <= set(_ROOT_ORDER):
                raise lines.error(
                    f"the root's order is {' '.join(words[1:])!r}; expected any of {', '.join(_ROOT_ORDER)}"
                )
        elif key == "axis":
            body.root_axis_order = _axes(lines, words[1:])
        elif key == "orientation":
            body.root_orientation = lines.numbers(words[1:], 3, "the root's orientation")


def _axes(lines: _Lines, words: list[str]) -> str:
    axes = "".join(words).upper()
    if sorted(axes) != ["X", "Y", "Z"]:
        raise lines.error(f"expected an order of axes such as XYZ, found {' '.join(words)!r}")
    return axes


def _read_bones(lines: _Lines, body: _Body) -> None:
    bone: _Bone | None = None
    for words in _section(lines):
        key = words[0].lower()
        if key == "begin":
            bone = _Bone("", lines.line)
        elif bone is None:
            raise lines.error(f"expected 'begin' before {words[0]!r}")
        elif key == "end":
            if not bone.name or bone.name in body.bones or bone.name == "root":
                raise lines.error(f"a bone without a name of its own: {bone.name!r}", bone.line)
            if len(body.bones) >= _MOST_BONES:
                raise lines.error(f"more than {_MOST_BONES} bones")
            body.bones[bone.name] = bone
            bone = None
        elif key == "name":
            bone.name = " ".join(words[1:])
        elif key == "direction":
            bone.direction = lines.numbers(words[1:], 3, "a direction")
        elif key == "length":
            bone.length = float(lines.numbers(words[1:], 1, "a length")[0])
        elif key == "axis":
            bone.axis = lines.numbers(words[1:], 3, "an axis")
            bone.axis_order = _axes(lines, words[4:])
        elif key == "dof":
            bone.turns = tuple(word.upper() for word in words[1:])
            if not set(bone.turns) <= {"RX", "RY", "RZ"} or len(set(bone.turns)) != len(bone.turns):
                raise lines.error(f"bone {bone.name!r} has dof {' '.join(words[1:])!r}; read are rx, ry and rz")


def _read_hierarchy(lines: _Lines, body: _Body) -> None:
    for words in _section(lines):
        if words[0].lower() in ("begin", "end") and len(words) == 1:
            continue
        parent, *children = words
        if parent != "root" and parent not in body.bones:
            raise lines.error(f"a hierarchy with a bone {parent!r} that is not described")
        for child in children:
            if child not in body.bones:
                raise lines.error(f"a hierarchy with a bone {child!r} that is not described")
            if body.bones[child].parent:
                raise lines.error(f"bone {child!r} hangs on two others")
            body.bones[child].parent = parent


# -- AMC


def _read_motion(source: SourceFile, body: _Body) -> tuple[NDArray[np.int64], Array, bool]:
    """Numbers of the frames, ``(T, C)`` rows in the order of `_columns`, and whether angles are degrees."""
    lines = _Lines(source)
    first: dict[str, int] = {}
    width = 0
    for bone, _ in _columns(body):
        first.setdefault(bone, width)
        width += 1
    counts = {"root": len(body.root_order)} | {bone.name: len(bone.turns) for bone in body.bones.values()}
    numbers: list[int] = []
    rows: list[list[float]] = []
    degrees = body.degrees
    row: list[float] = []
    for words in lines:
        name = words[0]
        if name.startswith(":"):
            degrees = (degrees or name.upper() == ":DEGREES") and name.upper() != ":RADIANS"
        elif len(words) == 1 and name.isdecimal() and len(name) < 12:
            numbers.append(int(name))
            row = [np.nan] * width
            rows.append(row)
        elif not rows:
            raise lines.error(f"not motion of Acclaim: expected the number of a frame, found {' '.join(words[:4])!r}")
        else:
            count = counts.get(name)
            if count is None:
                raise lines.error(f"bone {name!r} is not in the skeleton; is it that of another person?")
            if len(words) != count + 1:
                raise lines.error(f"{len(words) - 1} values for bone {name!r}, which has {count}")
            try:
                row[first.get(name, 0) : first.get(name, 0) + count] = map(float, words[1:])
            except ValueError:
                raise lines.error(f"expected numbers for bone {name!r}, found {' '.join(words[1:])!r}") from None
    if not rows:
        raise MotionFileError("not motion of Acclaim: no frames", path=source.path)
    values = np.array(rows)
    if np.isnan(values[-1]).any() and len(rows) > 1 and not np.isnan(values[:-1]).any():
        values, numbers = values[:-1], numbers[:-1]  # it breaks off
    bad = np.argwhere(~(np.abs(values) < 1e9))
    if bad.size:
        row_at, column = (int(one) for one in bad[0])
        bone, kind = _columns(body)[column]
        raise MotionFileError(
            f"frame {numbers[row_at]}: no number for {kind} of bone {bone!r}", path=source.path, field=bone
        )
    return np.array(numbers, np.int64), values, degrees


# -- positions


def _positions(body: _Body, rows: Array, skeleton_file: SourceFile) -> tuple[Skeleton, Array]:
    order = _parents_first(body, skeleton_file)
    has_child = {bone.parent for bone in body.bones.values()}
    ends = [name for name in order if name not in has_child]
    names = ("root", *order, *(f"{name}_end" for name in ends))
    parents = [-1, *(names.index(body.bones[name].parent) for name in order), *(names.index(name) for name in ends)]
    reach = {name: _reach(bone) for name, bone in body.bones.items()} | {"root": np.zeros(3)}
    offsets = np.array(
        [np.zeros(3), *(reach[body.bones[name].parent] for name in order), *(reach[name] for name in ends)]
    )
    skeleton = Skeleton(names, tuple(parents), offsets)
    columns = _columns(body)
    turns = np.broadcast_to(np.eye(3), (len(rows), len(names), 3, 3)).copy()
    turns[:, 0] = _turns("root", columns, rows, body.root_orientation, body.root_axis_order)
    for at, name in enumerate(order, start=1):
        bone = body.bones[name]
        if bone.turns:
            turns[:, at] = _turns(name, columns, rows, bone.axis, bone.axis_order)
    place = np.zeros((len(rows), 3))
    for at, (bone_name, kind) in enumerate(columns):
        if bone_name == "root" and kind[0] == "T":
            place[:, "XYZ".index(kind[1])] = rows[:, at]
    return skeleton, forward_kinematics(skeleton, turns, place)


def _parents_first(body: _Body, skeleton_file: SourceFile) -> list[str]:
    order, known = [], {"root"}
    left = list(body.bones)
    while left:
        ready = [name for name in left if body.bones[name].parent in known]
        if not ready:
            raise MotionFileError(
                f":hierarchy does not say what bone {left[0]!r} hangs on", path=skeleton_file.path, field=left[0]
            )
        order += ready
        known.update(ready)
        left = [name for name in left if name not in known]
    return order


def _reach(bone: _Bone) -> Array:
    """From where a bone begins to where it ends, at rest."""
    length = float(np.linalg.norm(bone.direction))
    return bone.direction * (bone.length / length) if length > 0 else np.zeros(3)


def _turns(name: str, columns: list[tuple[str, str]], rows: Array, axis: Array, axis_order: str) -> Array:
    """``(T, 3, 3)``: what a bone turns by, relative to the bone above, in the axes of the world at rest."""
    own = _by_letter(axis, axis_order)
    chosen = [(kind[1], at) for at, (bone, kind) in enumerate(columns) if bone == name and kind[0] == "R"][::-1]
    fixed = np.broadcast_to(own, (len(rows), 3))
    angles = np.concatenate([fixed[:, ::-1], rows[:, [at for _, at in chosen]], -fixed], axis=1)
    letters = axis_order[::-1] + "".join(letter for letter, _ in chosen) + axis_order
    return matrices_from_euler(np.radians(angles), letters)


def _by_letter(angles: Array, order: str) -> Array:
    """Angles that are given about x, y and z, in the order of the letters."""
    return np.array([angles["XYZ".index(letter)] for letter in order])


def skeleton_alone(path: Path) -> MotionFileError:
    """What to say to whoever gives the skeleton alone."""
    return MotionFileError(
        "this is an Acclaim skeleton (ASF), which does not move: give the .amc file; the skeleton is found beside it",
        path=path,
    )
