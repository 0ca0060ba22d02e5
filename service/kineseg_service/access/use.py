"""What a tenant, or an address, has and does, in one process or in several together."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Use(NamedTuple):
    """What one has and does.

    Attributes:
        streams, watchers: Open ones.
        rate_hz: Frames a second of those streams together, as their clients say.
        opens_per_s, frames_per_s, bytes_per_s: What came of late.
    """

    streams: int = 0
    watchers: int = 0
    rate_hz: float = 0.0
    opens_per_s: float = 0.0
    frames_per_s: float = 0.0
    bytes_per_s: float = 0.0


NOTHING = Use()
Uses = dict[tuple[str, str], Use]
"""By "tenant" or "peer", and the name."""


def together(uses: Iterable[Use]) -> Use:
    """All of them."""
    return Use(*map(sum, zip(*uses, strict=True)))
