"""What arrived at all, whether or not it could be read: so that a silent source can say why."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass

_MOST_KINDS = 20  # of what is remembered by its words, so that nothing grows
_SHOWN = 120  # characters


@dataclass(frozen=True, slots=True)
class Remedies:
    """What to say where nothing arrives.

    Attributes:
        settings: Which settings of the sender to look at.
        protocol: What is expected, such as ``"VMC (OSC over UDP)"``.
    """

    protocol: str
    settings: str


class Arrivals:
    """Counts what arrives."""

    def __init__(self) -> None:
        self.items = 0
        self.bytes = 0
        self.samples = 0
        self.began_ns = time.monotonic_ns()
        self.last_sample_ns: int | None = None
        self._senders: Counter[str] = Counter()
        self._unreadable: Counter[str] = Counter()
        self.unreadable = 0
        self.trouble = ""

    def came(self, size: int, sender: str) -> None:
        """Something arrived."""
        self.items += 1
        self.bytes += size
        _count(self._senders, sender)

    def was_unreadable(self, why: str) -> None:
        """It was no frame."""
        self.unreadable += 1
        _count(self._unreadable, why[:_SHOWN])

    def was_read(self, frames: int, now_ns: int) -> None:
        """It held frames."""
        self.samples += frames
        self.last_sample_ns = now_ns

    def silent_s(self) -> float:
        """Seconds since a frame could be read, or since the beginning."""
        return (time.monotonic_ns() - (self.last_sample_ns or self.began_ns)) / 1e9

    def report(self, where: str, remedies: Remedies) -> str:
        """What arrived instead of frames, and what to do, in one line."""
        if self.samples:
            said = f"no frame for {self.silent_s():.0f} s, after {self.samples}"
        else:
            said = f"no frame yet, in {self.silent_s():.0f} s"
        if self.trouble:
            return f"{said}: {self.trouble}. {remedies.settings}"
        if not self.items:
            return f"{said}: nothing at all arrived at {where}. {remedies.settings}"
        senders = ", ".join(sender for sender, _ in self._senders.most_common(3) if sender) or "the sender"
        what = f"{self.items} messages ({self.bytes} bytes) came from {senders}"
        if self._unreadable:
            kinds = "; ".join(f"{kind} ({count} times)" for kind, count in self._unreadable.most_common(3))
            what += f", but {'none' if not self.samples else 'not all'} could be read as {remedies.protocol}: {kinds}"
        elif not self.samples:
            what += f", but no whole frame of {remedies.protocol} yet"
        else:
            what += ", and then no more"
        return f"{said}: {what}. {remedies.settings}"


def _count(counter: Counter[str], key: str) -> None:
    if key in counter or len(counter) < _MOST_KINDS:
        counter[key] += 1
