"""Where watchers stand: a position in the log of each process of a server, as a text that clients keep.

"8c1f0a…:120,77b0d1…:4" is position 120 of one log and 4 of another one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from kineseg_core.errors import InvalidRequest

METADATA = "kineseg-cursor"
"""Key of the initial metadata that have the cursor with which a watch begins."""
BEGIN = "begin"
"""The cursor before all that is kept."""
_FORM = re.compile(r"[0-9a-f]{1,32}:[0-9]{1,18}(,[0-9a-f]{1,32}:[0-9]{1,18})*", re.ASCII)
# As many processes as a server may have.
_MOST = 256


def positions_of(cursor: str) -> dict[str, int]:
    """The positions of a cursor, by the names of their logs; none of an empty one, and of `BEGIN`.

    Raises:
        InvalidRequest: It is no cursor.
    """
    if not cursor or cursor == BEGIN:
        return {}
    if not _FORM.fullmatch(cursor) or cursor.count(",") >= _MOST:
        raise InvalidRequest("cursor is none that a server gave; leave it out to begin now", field="cursor")
    return {name: int(position) for name, position in (part.split(":") for part in cursor.split(","))}


def cursor_of(positions: Mapping[str, int]) -> str:
    """The cursor of these positions."""
    return ",".join(f"{name}:{position}" for name, position in positions.items())
