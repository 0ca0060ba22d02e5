"""Who may do what: finds out who shows a token, and refuses what that does not allow."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from pathlib import Path

from kineseg_service.access.caller import Caller, Role
from kineseg_service.access.changes import signature
from kineseg_service.access.token_file import BadTokens, Tokens
from kineseg_service.errors import NotAllowed, NotAuthenticated
from kineseg_service.logs import get_logger

_log = get_logger(__name__)
_BEARER = "bearer "


class Access:
    """Who may do what. To be used by any thread.

    Args:
        path: The file of tokens; none: no token is asked for, and everyone may do everything.

    Raises:
        BadTokens: The file cannot be used.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._read_at = () if path is None else signature([path])
        self._tokens = Tokens() if path is None else Tokens.load(path)

    @property
    def asks(self) -> bool:
        """Whether callers must show a token."""
        return self._path is not None

    def look(self) -> None:
        """Reads the file anew if it has changed; one that cannot be used leaves the tokens as they were."""
        if self._path is None:
            return
        with self._lock:
            found = signature([self._path])
            if found == self._read_at:
                return
            self._read_at = found
            try:
                self._tokens = Tokens.load(self._path)
            except BadTokens as error:
                _log.error("the token file has changed and cannot be used: the old tokens stay", error=str(error))
                return
            _log.info("tokens have been read anew", tokens=sum(1 for _ in self._tokens))

    def caller(self, authorization: str | None, roles: frozenset[Role], address: str = "") -> Caller:
        """Who shows this, if that is allowed.

        Args:
            authorization: The header of that name, "Bearer TOKEN"; none: there is none.
            roles: Those of which one is enough.
            address: Where it comes from.

        Raises:
            NotAuthenticated: There is no token, or not one that counts.
            NotAllowed: It has none of these roles.
        """
        if not self.asks:
            return Caller(address=address)
        if authorization is None:
            raise NotAuthenticated(
                "the server asks for a token: give one (Client(token=...) or KINESEG_TOKEN; as metadata, "
                '"authorization: Bearer TOKEN"); its operator makes one with `kineseg token new`'
            )
        text = authorization[len(_BEARER) :] if authorization[: len(_BEARER)].lower() == _BEARER else ""
        token = self._tokens.find(text)
        if token is None:
            self.look()  # it may just have been made
            token = self._tokens.find(text)
        if token is None:
            raise NotAuthenticated(
                "the token is not one that the server knows, or has been revoked: check that it is whole, and for "
                "this server; its operator makes one with `kineseg token new`",
                reason="TOKEN_INVALID",
            )
        caller = Caller(token.tenant, token.roles, token.token_id, address)
        self.check_lasts(caller)
        if not token.roles & roles:
            needed = " or ".join(sorted(roles - {Role.ADMIN}) or [Role.ADMIN])
            raise NotAllowed(
                f"token {token.token_id} may not do that: it has the roles {', '.join(sorted(token.roles))}, and "
                f"{needed} is needed"
            )
        return caller

    def check_lasts(self, caller: Caller) -> None:
        """Raises NotAuthenticated when the token of a caller who was let in does not count any more."""
        if not caller.token_id:
            return
        token = self._tokens.get(caller.token_id)
        if token is None or (token.tenant, token.roles) != (caller.tenant, caller.roles):
            raise NotAuthenticated(
                f"token {caller.token_id} has been revoked, or its roles have changed: ask the server's operator",
                reason="TOKEN_INVALID",
            )
        if token.is_over(datetime.now(UTC)):
            raise NotAuthenticated(
                f"token {caller.token_id} has expired; the server's operator makes another with `kineseg token new`",
                reason="TOKEN_EXPIRED",
            )
