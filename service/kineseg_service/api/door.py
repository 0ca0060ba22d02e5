"""The door of the gRPC port: every call is let in as its caller, or refused, before anything of it is looked at."""

from __future__ import annotations

import asyncio
from collections import Counter
from functools import partial
from typing import Any
from urllib.parse import unquote

import grpc
from kineseg_core.errors import CoreError

from kineseg_service.access.access import Access
from kineseg_service.access.bucket import Bucket
from kineseg_service.access.caller import Caller, current_caller
from kineseg_service.access.rules import OPEN, ROLES
from kineseg_service.api.around import Act, put_around
from kineseg_service.api.status import Context, end_with
from kineseg_service.errors import LimitReached, NotAllowed
from kineseg_service.logs import get_logger, harmless
from kineseg_service.metrics import Metrics
from kineseg_service.traces import current_traceparent

_log = get_logger(__name__)
# Whether tokens still count is looked at so often.
_LOOK_S = 1.0
# Of the calls that may be under way, so many are for tenants that have few; and so many without a token may be.
_RESERVE, _FEW, _MOST_UNKNOWN = 512, 256, 512
# So many refusals a second are logged each by itself.
_LINES_PER_S = 5.0


class Door(grpc.aio.ServerInterceptor):
    """Lets calls in.

    Args:
        access: Who may do what.
        metrics: Where refusals are counted.
        most_calls: So many may be under way.
        traced: Whether streams are to know the traces of their callers.
    """

    def __init__(self, access: Access, metrics: Metrics, most_calls: int, *, traced: bool = False) -> None:
        self._access = access
        self._metrics = metrics
        self._most_calls = most_calls
        self._traced = traced
        self._inside: set[_Inside] = set()
        self._calls: Counter[str] = Counter()  # by tenant; "": of those who show no token
        self._lines = Bucket(_LINES_PER_S)
        self._not_logged = 0

    async def intercept_service(self, continuation: Any, details: grpc.HandlerCallDetails) -> Any:
        """Puts the door before a call."""
        handler = await continuation(details)
        return None if handler is None else put_around(handler, partial(self._pass, details.method))

    async def watch(self) -> None:
        """Ends the calls of those whose tokens do not count any more; until it is cancelled."""
        while self._access.asks:
            await asyncio.sleep(_LOOK_S)
            await asyncio.to_thread(self._access.look)
            for inside in list(self._inside):
                try:
                    self._access.check_lasts(inside.caller)
                except CoreError as error:
                    inside.put_out(error)

    async def _pass(self, method: str, act: Act, request: Any, context: Context) -> Any:
        address = _address(context.peer())
        try:
            inside = self._let_in(method, context, address)
        except CoreError as error:
            self._refuse(method, address, context, error)
            return None
        try:
            return await act(request, context)
        except asyncio.CancelledError:
            if inside.error is None:
                raise
            inside.task.uncancel()
            self._refuse(method, address, context, inside.error)
            return None
        finally:
            self._inside.discard(inside)
            self._calls[inside.whose] -= 1

    def _let_in(self, method: str, context: Context, address: str) -> _Inside:
        """Raises `CoreError` where it is refused."""
        is_open = method in OPEN
        caller = Caller(address=address) if is_open else self._caller(method, context, address)
        whose = "" if is_open else caller.tenant
        self._check_room(whose)
        current_caller.set(caller)
        if self._traced:
            shown = [value for key, value in context.invocation_metadata() or () if key == "traceparent"]
            current_traceparent.set(str(shown[0]) if shown else "")
        inside = _Inside(caller, whose)
        self._inside.add(inside)
        self._calls[whose] += 1
        return inside

    def _caller(self, method: str, context: Context, address: str) -> Caller:
        roles = ROLES.get(method)
        if roles is None:
            raise NotAllowed(f"no role allows {method}")
        shown = [value for key, value in context.invocation_metadata() or () if key == "authorization"]
        return self._access.caller(str(shown[0]) if shown else None, roles, address)

    def _check_room(self, whose: str) -> None:
        """Raises LimitReached when others would find no room for their calls."""
        if not self._access.asks:
            return
        own = self._calls[whose]
        if not whose and own >= _MOST_UNKNOWN:
            message = f"{own} calls without a token are under way, and no more may be"
            raise LimitReached(message, limit="open_calls", maximum=_MOST_UNKNOWN, retry_after_s=5.0)
        if len(self._inside) >= self._most_calls - _RESERVE and own >= _FEW:
            message = f"tenant {whose!r} has {own} calls under way, and what is left is for others"
            raise LimitReached(message, limit="tenant.calls", maximum=own, retry_after_s=5.0)

    def _refuse(self, method: str, address: str, context: Context, error: CoreError) -> None:
        if self._lines.wait_s(1.0) > 0:  # whoever knocks all day must not fill the disk
            self._not_logged += 1
        else:
            self._lines.take(1.0)
            _log.warning("refused", method=method, peer=address, reason=error.reason, others_before=self._not_logged)
            self._not_logged = 0
        with harmless("metrics"):
            self._metrics.refused(error.reason)
        end_with(context, self._metrics, error)


class _Inside:
    """A call that has been let in, by the task that answers it; `whose` is the tenant that it counts for."""

    def __init__(self, caller: Caller, whose: str) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.caller = caller
        self.whose = whose
        self.task = task
        self.error: CoreError | None = None

    def put_out(self, error: CoreError) -> None:
        """Ends the call with this error."""
        if self.error is None:
            self.error = error
            self.task.cancel()


def _address(peer: str) -> str:
    """An address as gRPC writes it, "ipv4:127.0.0.1:50051" or "ipv6:[::1]:50051", without its port."""
    kind, _, rest = unquote(peer).partition(":")
    return rest.rpartition(":")[0].strip("[]") if kind in ("ipv4", "ipv6") else kind
