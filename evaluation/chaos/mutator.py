"""Messages that no client of ours would send, made from what the contracts say: of any type, also of types to come."""

from __future__ import annotations

import math
from collections.abc import Callable
from random import Random
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

_DEEPEST = 4
_TEXTS = ("", "a", "motion", "scratch", "default", "x" * 65, "é" * 64, "\0", "../../etc/passwd", "a\nb", "%s%n", "{}")
_NUMBERS = (0.0, -0.0, 1.0, -1.0, 0.5, 30.0, 1e-308, 1e9, 1e308, math.nan, math.inf, -math.inf)
_FEW, _MANY = (0, 1, 1, 2, 3, 17), 5000
_RARELY = 0.01
_BITS = {
    FieldDescriptor.CPPTYPE_INT32: (31, True),
    FieldDescriptor.CPPTYPE_INT64: (63, True),
    FieldDescriptor.CPPTYPE_UINT32: (32, False),
    FieldDescriptor.CPPTYPE_UINT64: (64, False),
}


class Mutator:
    """Makes messages and changes them, the same for the same `random`."""

    def __init__(self, random: Random) -> None:
        self._random = random

    def message(self, kind: Descriptor, depth: int = 0) -> Message:
        """A message of that type with some of its fields set to whatever their types allow."""
        message = GetMessageClass(kind)()
        for field in kind.fields:
            if self._random.random() < 0.5:
                self._set(message, field, depth)
        return message

    def mutated(self, message: Message) -> Message:
        """A copy in which a field is another, somewhere within."""
        copy = type(message)()
        copy.CopyFrom(message)
        inner = self._within(copy)
        if inner.DESCRIPTOR.fields:
            field: FieldDescriptor = self._random.choice(list[Any](inner.DESCRIPTOR.fields))
            if self._random.random() < 0.25:
                inner.ClearField(field.name)
            else:
                self._set(inner, field, 1)
        return copy

    def damaged(self, data: bytes) -> bytes:
        """A message as bytes, with some of them cut off, changed, repeated, or others put in."""
        changed, random = bytearray(data), self._random
        at = random.randrange(len(changed) + 1)
        match random.randrange(5):
            case 0:
                del changed[at:]
            case 1:
                changed[at : at + 1] = random.randbytes(1)
            case 2:
                changed[at:at] = changed[:at][-64:]
            case 3:
                changed[at:at] = random.randbytes(random.randrange(1, 32))
            case _:
                changed[at:at] = b"\xff" * 9 + b"\x01"  # the largest of all lengths
        return bytes(changed)

    def _within(self, message: Message) -> Message:
        """The message, or one that it holds."""
        held: list[Message] = []
        for field, value in message.ListFields():
            if field.type == FieldDescriptor.TYPE_MESSAGE and not _is_map(field):
                held.extend(value if field.is_repeated else [value])
        if held and self._random.random() < 0.8:
            return self._within(self._random.choice(held))
        return message

    def _set(self, message: Message, field: FieldDescriptor, depth: int) -> None:
        if field.type == FieldDescriptor.TYPE_MESSAGE and depth >= _DEEPEST:
            return
        if not field.is_repeated:
            self._set_one(message, field, depth)
            return
        message.ClearField(field.name)
        held: Any = getattr(message, field.name)
        for _ in range(self._how_many(field)):
            kind = field.message_type
            if kind is None:
                held.append(self._value(field))
            elif not _is_map(field):
                held.add().CopyFrom(self.message(kind, depth + 1))
            elif kind.fields[1].message_type is None:
                held[self._value(kind.fields[0])] = self._value(kind.fields[1])

    def _how_many(self, field: FieldDescriptor) -> int:
        if field.type == FieldDescriptor.TYPE_MESSAGE:  # which may hold many themselves
            return self._random.choice(_FEW[:4])
        return _MANY if self._random.random() < _RARELY else self._random.choice(_FEW)

    def _set_one(self, message: Message, field: FieldDescriptor, depth: int) -> None:
        if field.message_type is not None:
            getattr(message, field.name).CopyFrom(self.message(field.message_type, depth + 1))
        else:
            setattr(message, field.name, self._value(field))

    def _value(self, field: FieldDescriptor) -> Any:
        random, kind = self._random, field.cpp_type
        if kind in _BITS:
            return self._whole(*_BITS[kind])
        others: dict[int, Callable[[], Any]] = {
            FieldDescriptor.CPPTYPE_BOOL: lambda: random.random() < 0.5,
            FieldDescriptor.CPPTYPE_ENUM: lambda: random.choice((0, 1, 2, 3, 99, -1)),
            FieldDescriptor.CPPTYPE_DOUBLE: self._number,
            FieldDescriptor.CPPTYPE_FLOAT: self._number,
        }
        if kind in others:
            return others[kind]()
        if field.type == FieldDescriptor.TYPE_BYTES:
            return random.randbytes(70_000 if random.random() < _RARELY else random.choice((0, 1, 3, 4, 12, 236, 1024)))
        return "long " * 20_000 if random.random() < _RARELY else random.choice(_TEXTS)

    def _whole(self, bits: int, signed: bool) -> int:
        random = self._random
        most = (1 << bits) - 1
        found = random.choice((0, 1, 2, 3, 30, 4096, 1 << 20, most, most - 1, random.randrange(most)))
        return -found if signed and random.random() < 0.3 else found

    def _number(self) -> float:
        return self._random.choice(_NUMBERS) if self._random.random() < 0.8 else self._random.gauss(0.0, 100.0)


def _is_map(field: FieldDescriptor) -> bool:
    return field.message_type is not None and bool(field.message_type.GetOptions().map_entry)
