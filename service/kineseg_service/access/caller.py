"""Who calls, on whose behalf."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass

DEFAULT_TENANT = "default"
"""Whose everything is where no tokens are asked for, and the operator's own where they are."""


@dataclass(frozen=True)
class Caller:
    """Who calls.

    Attributes:
        tenant: Whose streams, events and names these are.
    """

    tenant: str = DEFAULT_TENANT


_ANYONE = Caller()
# Of the call that is being answered. Tasks that it starts inherit it.
current_caller: ContextVar[Caller] = ContextVar("current_caller", default=_ANYONE)
