"""Who may see a page: whoever knows a token, from a page that came from here."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit


def new_token() -> str:
    """A token that no one guesses."""
    return secrets.token_urlsafe(24)


class Access:
    """What tokens open, and which pages may talk to this server.

    Args:
        tokens: Token -> the tenant whose streams it shows; None: all streams.
        origins: Pages of other origins that may, such as ``https://stage.example``, where a proxy stands before this.
    """

    def __init__(self, tokens: Mapping[str, str | None], origins: Iterable[str] = ()) -> None:
        if not tokens or not all(tokens):
            raise ValueError("a page needs at least one token, and none may be empty")
        self._tokens = {token.encode(): tenant for token, tenant in tokens.items()}
        self._origins = frozenset(origin.rstrip("/").lower() for origin in origins)

    def tenant(self, token: str) -> tuple[str | None] | None:
        """The tenant that a token opens, in a tuple since it may be None, which is all of them; None: it opens none."""
        found = None
        for known, tenant in self._tokens.items():  # all of them, however early one is found
            if hmac.compare_digest(known, token.encode()):
                found = (tenant,)
        return found

    def allows_origin(self, origin: str | None, host: str) -> bool:
        """Whether a page of this origin may open a connection to what it calls `host`.

        Browsers always say where a page came from; what says nothing is no browser, and cannot be made use of by one.
        """
        if origin is None:
            return True
        return origin.lower() in self._origins or urlsplit(origin).netloc.lower() == host.lower()
