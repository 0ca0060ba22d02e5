"""What of NatNet's messages is read here: who serves, what skeletons are called, and where their bones are.

Facts of the SDK's documentation of the bit stream, versions 2.6 to 4.2: little-endian; a message is its number and the
size of what follows, two bytes each. From 4.1 on a size follows every count, so that what is not needed is skipped.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kineseg.sources.errors import Unreadable

CONNECT, SERVER_INFO, REQUEST_MODELS, MODELS, FRAME, KEEP_ALIVE = 0, 1, 4, 5, 7, 10
Version = tuple[int, int]

_OLDEST: Version = (2, 6)
_SIZED: Version = (4, 1)
_MOST = 100_000  # of anything in a message; what says more is no message
_LONGEST_NAME = 256


class Bone(NamedTuple):
    """A bone of a skeleton as it is described."""

    number: int
    parent: int
    name: str
    offset: tuple[float, float, float]


class SkeletonModel(NamedTuple):
    """A skeleton as it is described."""

    number: int
    name: str
    bones: tuple[Bone, ...]


class SkeletonPose(NamedTuple):
    """Where the bones of a skeleton are: ``(B,)`` numbers, ``(B, 3)`` metres in the world."""

    number: int
    bones: tuple[int, ...]
    positions: NDArray[np.float32]


@dataclass(frozen=True)
class FrameOfData:
    """A frame.

    Attributes:
        number: Of the frame.
        skeletons: Those in it.
        time_s: Since the software began to run; None where it is not found.
        bodies: How many rigid bodies there are beside skeletons.
        markers: How many markers there are.
        models_changed: Whether the descriptions must be asked for again.
    """

    number: int
    skeletons: tuple[SkeletonPose, ...]
    time_s: float | None
    bodies: int
    markers: int
    models_changed: bool


class Reader:
    """Takes a message apart.

    Raises:
        Unreadable: By every method, where it ends too soon.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.at = 0

    def take(self, layout: struct.Struct) -> tuple[float, ...]:
        """Numbers."""
        if self.at + layout.size > len(self._data):
            raise Unreadable("a message of NatNet that is cut short, or of another version than said")
        values = layout.unpack_from(self._data, self.at)
        self.at += layout.size
        return values

    def whole(self) -> int:
        """A whole number of four bytes."""
        return int(self.take(_WHOLE)[0])

    def count(self) -> int:
        """How many of something follow."""
        count = self.whole()
        if not 0 <= count <= _MOST:
            raise Unreadable("a message of NatNet with absurd counts, or of another version than said")
        return count

    def skip(self, size: int) -> None:
        """Leave bytes out."""
        if size < 0 or self.at + size > len(self._data):
            raise Unreadable("a message of NatNet that is cut short, or of another version than said")
        self.at += size

    def go_on(self, end: int) -> None:
        """Go where a section ends, if that is known: newer versions may have put more into it."""
        if end >= 0:
            self.skip(end - self.at)

    def text(self, longest: int = _LONGEST_NAME) -> str:
        """A text that ends with a zero."""
        end = self._data.find(b"\0", self.at, self.at + longest + 1)
        if end < 0:
            raise Unreadable("a message of NatNet with a name that does not end")
        said = self._data[self.at : end].decode("utf-8", "replace")
        self.at = end + 1
        return said


_WHOLE = struct.Struct("<i")
_PLACE = struct.Struct("<3f")
_BODY = struct.Struct("<i8fH")  # number, position, rotation, error, flags
_OLD_BODY, _OLD_END = struct.Struct("<i7f"), struct.Struct("<fH")
_SUFFIX = struct.Struct("<IIdQQQH")  # time code, time, three stamps, flags
_OLD_SUFFIX = struct.Struct("<IIdH")
_HEAD = struct.Struct("<HH")
_ENDS = (0, 4)  # bytes after the suffix: some versions end with a zero


def message(number: int, content: bytes = b"") -> bytes:
    """A message."""
    return _HEAD.pack(number, len(content)) + content


def taken_apart(data: bytes) -> tuple[int, bytes]:
    """Number and content of a message.

    Raises:
        Unreadable: It is none.
    """
    if len(data) < _HEAD.size:
        raise Unreadable("too short for a message of NatNet")
    number, size = _HEAD.unpack_from(data)
    if size != len(data) - _HEAD.size:
        raise Unreadable(f"no message of NatNet ({data[:8]!r})")
    return number, data[_HEAD.size :]


def server_version(content: bytes) -> Version:
    """The version of the protocol that a server speaks.

    Raises:
        Unreadable: It is too old.
    """
    if len(content) < 264:
        raise Unreadable("a server of NatNet that does not say its version")
    version = (content[260], content[261])
    if version < _OLDEST:
        raise Unreadable(f"NatNet {version[0]}.{version[1]}, which is older than 2.6: update the software")
    return version


def read_models(content: bytes, version: Version) -> tuple[SkeletonModel, ...]:
    """The skeletons among the descriptions.

    Raises:
        Unreadable: They cannot be read.
    """
    reader = Reader(content)
    found = []
    for _ in range(reader.count()):
        kind = reader.whole()
        size = reader.whole() if version >= _SIZED else -1
        begins = reader.at
        if kind == 2:
            name, number = reader.text(), reader.whole()
            found.append(SkeletonModel(number, name, tuple(_bone(reader, version) for _ in range(reader.count()))))
        elif size < 0:
            _skip_model(reader, kind, version)
        if size >= 0:
            reader.at = begins
            reader.skip(size)
    return tuple(found)


def _bone(reader: Reader, version: Version) -> Bone:
    name, number, parent = reader.text(), reader.whole(), reader.whole()
    x, y, z = reader.take(_PLACE)
    if version >= (4, 2):
        reader.skip(16)
    if version >= (3, 0):
        markers = reader.count()
        reader.skip(16 * markers)
        if version >= (4, 0):
            for _ in range(markers):
                reader.text()
    return Bone(number, parent, name, (x, y, z))


def _skip_model(reader: Reader, kind: int, version: Version) -> None:
    if kind == 0:  # a marker set
        reader.text()
        for _ in range(reader.count()):
            reader.text()
    elif kind == 1:
        _bone(reader, version)
    elif kind == 5:  # a camera
        reader.text()
        reader.skip(28)
    else:
        raise Unreadable(f"descriptions of NatNet with something unknown in them (kind {kind})")


def read_frame(content: bytes, version: Version) -> FrameOfData:
    """A frame.

    Raises:
        Unreadable: It cannot be read.
    """
    reader = Reader(content)
    number = reader.whole()
    sized = version >= _SIZED

    def section() -> tuple[int, int]:
        count = reader.count()
        return count, reader.at + 4 + reader.whole() if sized else -1

    markers = 0
    count, end = section()
    for _ in range(count):
        reader.text()
        held = reader.count()
        markers += held
        reader.skip(12 * held)
    reader.go_on(end)
    count, end = section()
    markers += count
    reader.skip(12 * count)
    reader.go_on(end)
    bodies, end = section()
    for _ in range(bodies):
        _body(reader, version)
    reader.go_on(end)
    count, end = section()
    skeletons = tuple(_skeleton(reader, version) for _ in range(count))
    reader.go_on(end)
    time_s, changed = _suffix(content, reader.at, version)
    return FrameOfData(number, skeletons, time_s, bodies, markers, changed)


def _body(reader: Reader, version: Version) -> tuple[float, ...]:
    """A rigid body: number, position, rotation, error, flags."""
    return reader.take(_BODY) if version >= (3, 0) else _old_body(reader)


def _old_body(reader: Reader) -> tuple[float, ...]:
    """One of before 3.0: its markers lie between rotation and error."""
    found = reader.take(_OLD_BODY)
    reader.skip(20 * reader.count())
    return (*found, *reader.take(_OLD_END))


def _skeleton(reader: Reader, version: Version) -> SkeletonPose:
    number = reader.whole()
    count = reader.count()
    bones, places = [], []
    for _ in range(count):
        values = _body(reader, version)
        bones.append(int(values[0]) & 0xFFFF)
        places.append(values[1:4] if int(values[-1]) & 1 else (np.nan,) * 3)
    positions = np.array(places, np.float64).reshape(-1, 3)
    positions[~(np.abs(positions) <= 1e9)] = np.nan
    return SkeletonPose(number, tuple(bones), positions.astype(np.float32))


def _suffix(content: bytes, after: int, version: Version) -> tuple[float | None, bool]:
    """Time and flags, from the end: what lies between is skipped."""
    layout = _SUFFIX if version >= (3, 0) else _OLD_SUFFIX
    for end in _ENDS:
        at = len(content) - layout.size - end
        if at < after or (end and any(content[-end:])):
            continue
        values = layout.unpack_from(content, at)
        if 0.0 <= values[2] < 1e9 and values[-1] < 1 << 10 and (values[2] == 0.0 or values[2] > 1e-6):
            return float(values[2]), bool(values[-1] & 2)
    return None, False
