"""Whose the names of open sessions are, where streams of one server are open in more places than this process."""

from __future__ import annotations

from typing import Protocol


class Claims(Protocol):
    """Names that are taken. To be used in one event loop; must not block for long."""

    def take(self, name: str, *others: str) -> bool:
        """Takes a name, and others that stand for the same; False, and none is taken, when one is taken already."""

    def free(self, name: str) -> None:
        """Gives back what was taken with the name, if anything was."""


class NoClaims:
    """This process is the only one."""

    def take(self, name: str, *others: str) -> bool:
        """Every name is free."""
        return True

    def free(self, name: str) -> None:
        """Nothing was taken."""


class ClaimsOf:
    """The names of one tenant among those of all.

    Args:
        tenant: Whose.
        claims: All names.
    """

    def __init__(self, tenant: str, claims: Claims) -> None:
        self._prefix = f"{tenant}/"  # no name has a slash
        self._claims = claims

    def take(self, name: str, *others: str) -> bool:
        """Takes a name, and others that stand for the same; False, and none is taken, when one is taken already."""
        return self._claims.take(self._prefix + name, *(self._prefix + other for other in others))

    def free(self, name: str) -> None:
        """Gives back what was taken with the name, if anything was."""
        self._claims.free(self._prefix + name)
