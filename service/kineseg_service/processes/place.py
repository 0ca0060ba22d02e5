"""Which of a server's processes this is, and where the others are."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Place:
    """One process among several.

    Attributes:
        index: Its number, from 0 on.
        count: How many there are.
        folder: What they share; no one else may look into it.
        loaded: Is awaited when it has loaded; it may open its port afterwards.
        serving: Is called when its port is open.
    """

    index: int
    count: int
    folder: Path
    loaded: Callable[[], Awaitable[None]]
    serving: Callable[[], None]

    @property
    def sockets(self) -> list[str]:
        """Where each process answers the others, this one included."""
        return [socket_of(self.folder, index) for index in range(self.count)]


def socket_of(folder: Path, index: int) -> str:
    """Where a process answers the others, as gRPC writes the address of a Unix socket."""
    return f"unix:{folder / f'{index}.sock'}"


def claims_folder(folder: Path) -> Path:
    """Where the names of open sessions are claimed."""
    return folder / "names"


def uses_folder(folder: Path) -> Path:
    """Where each process says what it gives to tenants and addresses."""
    return folder / "uses"


def metrics_folder(folder: Path) -> Path:
    """Where each process counts."""
    return folder / "metrics"
