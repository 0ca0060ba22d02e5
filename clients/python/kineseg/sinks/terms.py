"""What a sink is given: which events, and how many of them may wait."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from fnmatch import fnmatchcase

from kineseg.sinks.address import SinkAddress
from kineseg.sinks.errors import SinkError
from kineseg.sinks.event import SinkEvent

GROUPS = {
    "anomaly": ("anomaly", "anomaly_updated", "anomaly_cleared"),
    "segment": ("segment_started", "segment_updated", "segment_retracted", "segment_closed", "labels_merged"),
    "missing": ("gap", "missing_values"),
}
"""Kinds that belong together; any other word is a kind by itself."""
_RAISED = "anomaly_raised"  # the kind `anomaly` alone, which as a word is the group
_WORDS = (*GROUPS, _RAISED, *(kind for group in GROUPS.values() for kind in group if kind not in GROUPS), "summary")


def kinds_of(names: str) -> frozenset[str]:
    """The kinds that a list such as ``anomaly,segment_closed`` means; none: all.

    Raises:
        SinkError: There is no such kind.
    """
    found: set[str] = set()
    for name in filter(None, (part.strip() for part in names.split(","))):
        if name not in _WORDS:
            raise SinkError(f"there is no kind {name!r}; there are: {', '.join(_WORDS)}")
        found.update(GROUPS.get(name, ("anomaly" if name == _RAISED else name,)))
    return frozenset(found)


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What every sink's options say.

    Attributes:
        name: By which it is known in the spool: what waits for it is found again by that.
        kinds: Only these; empty: all.
        session: Only sessions whose name matches this pattern, such as ``line-*``; empty: all.
        provisional: Whether it gets events of segments that may be retracted.
        batch: At most so many events at once.
        spool: At most so many events may wait for it.
        timeout_s: So long a delivery may take.
    """

    name: str
    kinds: frozenset[str] = frozenset()
    session: str = ""
    provisional: bool = True
    batch: int = 100
    spool: int = 100_000
    timeout_s: float = 10.0

    @classmethod
    def of(cls, address: SinkAddress, *, batch: int, kinds: Collection[str] = ()) -> Terms:
        """Those of an address.

        Args:
            address: The sink's.
            batch: How many events at once suit it best.
            kinds: Those that it takes at all; none: all.

        Raises:
            SinkError: An option cannot be used.
        """
        takes, wanted = frozenset(kinds), kinds_of(address.text("kinds"))
        if takes and wanted and not takes & wanted:
            raise SinkError(f"{address.where}: it takes {', '.join(sorted(takes))} only, and kinds has none of them")
        return cls(
            name=address.text("name") or address.where,
            kinds=(takes & wanted if takes and wanted else takes or wanted),
            session=address.text("session"),
            provisional=address.yes("provisional", True),
            batch=int(address.number("batch", batch, low=1, high=100_000)),
            spool=int(address.number("spool", 100_000, low=10, high=1e7)),
            timeout_s=address.number("timeout", 10.0, low=0.1, high=3600.0),
        )

    def wants(self, event: SinkEvent) -> bool:
        """Whether an event is for this sink."""
        return (
            (not self.kinds or event.kind in self.kinds)
            and (not self.session or fnmatchcase(event.session_id, self.session))
            and (self.provisional or not event.is_provisional)
        )
