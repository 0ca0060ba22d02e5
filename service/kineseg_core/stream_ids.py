"""Ids that rise with time, so that logs and stores keep streams in the order in which they were opened.

Python has these from 3.14 on (`uuid.uuid7`); until that is the oldest one served, these few lines do.
"""

from __future__ import annotations

import secrets
from uuid import UUID

_NS_PER_MS = 1_000_000


def time_ordered_uuid(unix_ns: int) -> UUID:
    """A new UUID of version 7 (RFC 9562, 5.7), for a time in nanoseconds since 1970.

    The 12 bits after the milliseconds hold the fraction of one (6.2, method 3), so that ids made a quarter of a
    microsecond apart are in order; 62 random bits follow.
    """
    milliseconds, rest_ns = divmod(unix_ns, _NS_PER_MS)
    fraction = rest_ns * (1 << 12) // _NS_PER_MS
    value = (milliseconds & ((1 << 48) - 1)) << 80
    value |= 0x7 << 76 | fraction << 64 | 0b10 << 62 | secrets.randbits(62)
    return UUID(int=value)
