"""A name and how sure it is."""

from __future__ import annotations

from typing import NamedTuple


class Name(NamedTuple):
    """What a segment is called; `confidence` is 0 to 1."""

    name: str
    confidence: float


UNKNOWN = Name("", 0.0)
