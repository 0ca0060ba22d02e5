"""Whom the server's own tokens let see its page."""

from __future__ import annotations

from collections.abc import Callable

from kineseg.page.access import Guest
from kineseg_core.errors import CoreError

from kineseg_service.access.caller import Role
from kineseg_service.access.of_settings import access
from kineseg_service.config import Settings


def guests(settings: Settings) -> Callable[[str], Guest | None] | None:
    """Says of a token whom it lets in; None: the server asks for no tokens.

    The roles watch and admin may look at their tenant's streams; names and admin may name.

    Raises:
        BadTokens: The file of tokens cannot be used.
    """
    door = access(settings)
    if not door.asks:
        return None

    def guest(token: str) -> Guest | None:
        door.look()
        try:
            caller = door.caller(f"Bearer {token}", frozenset({Role.WATCH, Role.ADMIN}))
        except CoreError:
            return None
        return Guest(caller.tenant, may_name=bool(caller.roles & {Role.NAMES, Role.ADMIN}))

    return guest
