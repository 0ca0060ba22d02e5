"""Who may see a page: whoever knows a token, from a page that came from here."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from time import monotonic
from urllib.parse import urlsplit

_TICKET_S = 60.0


def new_token() -> str:
    """A token that no one guesses."""
    return secrets.token_urlsafe(24)


@dataclass(frozen=True, slots=True)
class Guest:
    """Who looks at a page.

    Attributes:
        tenant: Whose streams are shown; None: everyone's.
        may_name: Whether names may be taught.
    """

    tenant: str | None = None
    may_name: bool = True


class Access:
    """What tokens open, and which pages may talk to this server.

    Args:
        tokens: Token -> the tenant whose streams it shows; None: all streams.
        origins: Pages of other origins that may, such as ``https://stage.example``, where a proxy stands before this.
        known: Says of a token that is none of these whom it lets in, such as one of the server's own; None: no one.
    """

    def __init__(
        self,
        tokens: Mapping[str, str | None],
        origins: Iterable[str] = (),
        known: Callable[[str], Guest | None] | None = None,
    ) -> None:
        if not tokens or not all(tokens):
            raise ValueError("a page needs at least one token, and none may be empty")
        self._tokens = {token.encode(): Guest(tenant) for token, tenant in tokens.items()}
        self._origins = frozenset(origin.rstrip("/").lower() for origin in origins)
        self._known = known
        self._tickets: dict[str, float] = {}

    def ticket(self) -> str:
        """Opens the page once, within a minute: for command lines, which others on the machine can read."""
        ticket = new_token()
        self._tickets[ticket] = monotonic() + _TICKET_S
        return ticket

    def redeems(self, ticket: str) -> bool:
        """Whether it is one that has not been used."""
        return monotonic() < self._tickets.pop(ticket, 0.0)

    def guest(self, token: str) -> Guest | None:
        """Whom a token lets in; None: no one."""
        found = None
        for known, guest in self._tokens.items():  # all of them, however early one is found
            if hmac.compare_digest(known, token.encode()):
                found = guest
        return self._known(token) if found is None and token and self._known is not None else found

    def allows_origin(self, origin: str | None, host: str) -> bool:
        """Whether a page of this origin may open a connection to what it calls `host`.

        Browsers always say where a page came from; what says nothing is no browser, and cannot be made use of by one.
        """
        if origin is None:
            return True
        return origin.lower() in self._origins or urlsplit(origin).netloc.lower() == host.lower()
