"""What a store does: it keeps the newest state of each stream for a while, for one owner at a time.

Whoever takes a stream over gets a generation of it that is higher than any before; what an owner of a lower one writes
afterwards is refused, so that of two servers that hold one stream the older one stops.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

FIRST = 1
"""The generation of whoever opens a stream."""


@dataclass(frozen=True, slots=True)
class Key:
    """Which stream."""

    tenant: str
    stream_id: str


@dataclass(frozen=True, slots=True)
class Write:
    """A state to be kept in place of the one before.

    Attributes:
        key: Of the stream.
        generation: Of it, as its owner has it.
        proof: What somebody must show to take the stream over, such as a digest of its token.
        data: The state; none: the stream is over, and nothing of it is kept but that.
        keep_s: For how long it is kept.
    """

    key: Key
    generation: int
    proof: bytes
    data: bytes | memoryview | None
    keep_s: float


@dataclass(frozen=True, slots=True)
class Taken:
    """A stream that has been taken over: its state, and the generation that its new owner has."""

    generation: int
    data: bytes


class StoreFailed(Exception):  # noqa: N818 - named for what has happened, as the other errors are
    """The store cannot be reached, or cannot write; the message says why."""


class Store(Protocol):
    """Used by one thread at a time. Every method may raise `StoreFailed`, and has then done nothing, or all."""

    @property
    def name(self) -> str:
        """What it is, for logs: without passwords."""

    def write(self, writes: Sequence[Write]) -> set[Key]:
        """Keeps states.

        Returns:
            The streams that have been taken over by others: of these nothing has been written.
        """

    def take(self, key: Key, proof: bytes) -> Taken | None:
        """Takes a stream over; none, and nothing changes: nothing is kept of it, or the proof is another."""

    def close(self) -> None:
        """Lets go of what it holds."""
