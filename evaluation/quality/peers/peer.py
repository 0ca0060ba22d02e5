"""What a peer is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from evaluation.quality.stream import AnnotatedStream


@dataclass(frozen=True)
class Peer:
    """A method.

    Attributes:
        name: For the table.
        boundaries: Of a stream: pairs (frame, emitted at).
        settings: What was chosen, in words.
        package: That has to be installed.
        fast: Whether it costs next to nothing.
    """

    name: str
    boundaries: Callable[[AnnotatedStream], Sequence[tuple[int, int]]]
    settings: str
    package: str
    fast: bool = False
