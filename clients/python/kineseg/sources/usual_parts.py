"""Which parts a sender's frames usually have, where a frame comes in several datagrams that do not say so."""

from __future__ import annotations

from collections.abc import Collection

_FORGOTTEN = 60  # frames without a part, after which it is no longer waited for


class UsualParts:
    """Learns it from the frames that have come.

    Attributes:
        names: Of the parts.
    """

    def __init__(self) -> None:
        self.names: set[str] = set()
        self._absent: dict[str, int] = {}

    def complete(self, found: Collection[str]) -> bool:
        """Whether a frame has all that is usual; no, as long as that is not known."""
        return bool(self.names) and self.names <= set(found)

    def learn(self, found: Collection[str]) -> bool:
        """A frame is over.

        Returns:
            Whether there was one before it.
        """
        known = bool(self.names)
        for name in self.names.difference(found):
            self._absent[name] = self._absent.get(name, 0) + 1
        for name in found:
            self._absent.pop(name, None)
        self.names = {name for name in self.names if self._absent.get(name, 0) < _FORGOTTEN} | set(found)
        return known
