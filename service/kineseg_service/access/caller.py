"""Who calls, on whose behalf, and what is allowed."""

from __future__ import annotations

import enum
from contextvars import ContextVar
from dataclasses import dataclass

DEFAULT_TENANT = "default"
"""Whose everything is where no tokens are asked for, and the operator's own where they are."""


class Role(enum.StrEnum):
    """What a token allows; a token has one or more."""

    STREAM = "stream"
    WATCH = "watch"
    NAMES = "names"
    ADMIN = "admin"


@dataclass(frozen=True)
class Caller:
    """Who calls.

    Attributes:
        tenant: Whose streams, events and names these are.
        roles: What is allowed.
        token_id: Of the token that was shown; empty: none is asked for.
        address: From where, without a port; empty: not known.
    """

    tenant: str = DEFAULT_TENANT
    roles: frozenset[Role] = frozenset(Role)
    token_id: str = ""
    address: str = ""


_ANYONE = Caller()
# Of the call that is being answered. Tasks that it starts inherit it.
current_caller: ContextVar[Caller] = ContextVar("current_caller", default=_ANYONE)
