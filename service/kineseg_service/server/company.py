"""A server is one process, or several that share its port: what is different for one of several."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass

from kineseg_service.access.limits import Limits
from kineseg_service.api.rooms import TenantRooms
from kineseg_service.api.servicer import Servicer
from kineseg_service.api.shared_servicer import SharedServicer
from kineseg_service.api.siblings import Siblings, answer_siblings
from kineseg_service.config import LimitSettings, Settings
from kineseg_service.metrics import Metrics
from kineseg_service.names.keeper import Everywhere
from kineseg_service.processes.claims import FolderClaims
from kineseg_service.processes.place import Place, claims_folder
from kineseg_service.processes.uses import SharedUses
from kineseg_service.streams.claims import Claims
from kineseg_service.streams.tenants import EventLogs


@dataclass(frozen=True, slots=True)
class Answers:
    """What a servicer is made of.

    Attributes:
        logs: The events of every tenant in this process.
        metrics: Where it counts.
        settings: How the server runs.
        limits: Those of callers.
    """

    logs: EventLogs
    metrics: Metrics
    settings: Settings
    limits: Limits


class Alone:
    """The only process of a server: its port is open before it has loaded, and calls that come meanwhile are refused.

    Attributes:
        shares_port: Whether others listen on the same one, which is opened when all have loaded.
    """

    shares_port = False

    def servicer(self, answers: Answers) -> Servicer:
        """What answers clients."""
        return Servicer(answers.logs, answers.metrics, answers.settings, answers.limits)

    def bank(self) -> Everywhere | None:
        """Where names are used besides this process."""
        return None

    def claims(self) -> Claims | None:
        """What keeps ids of streams apart between processes."""
        return None

    async def join(self, ends: AsyncExitStack, answers: Answers, rooms: TenantRooms) -> None:
        """This process has loaded: returns when the port may be opened that it shares. What is to be done when the
        server ends goes on `ends`."""

    def serving(self) -> None:
        """The port is open."""


class OneOfSeveral(Alone):
    """One process among several.

    Args:
        place: Which.
    """

    shares_port = True

    def __init__(self, place: Place) -> None:
        self._place = place
        self._siblings = Siblings(place.sockets, place.index)

    def servicer(self, answers: Answers) -> Servicer:
        """Answers for all processes what is about sessions."""
        return SharedServicer(answers.logs, answers.metrics, answers.settings, answers.limits, self._siblings)

    def bank(self) -> Everywhere | None:
        """The file that all of them use."""
        from kineseg_service.processes.bank import SharedBank  # there is no Windows for it

        return SharedBank(self._place.folder / "bank.lock", self._siblings.reload_names)

    def claims(self) -> Claims | None:
        """A folder that all of them use."""
        return FolderClaims(claims_folder(self._place.folder), self._place.index)

    async def join(self, ends: AsyncExitStack, answers: Answers, rooms: TenantRooms) -> None:
        """Answers the others, knows of their limits, and waits until all have loaded."""
        # What is passed on has been counted where it came from.
        unlimited = {"limits": LimitSettings(), "peer_limits": LimitSettings(), "tenants": {}}
        passed_on = answers.metrics.of_passed_on_calls()
        limits = Limits(answers.settings.model_copy(update=unlimited), passed_on)
        for_itself = Servicer(answers.logs, passed_on, answers.settings, limits)
        for_itself.serve(rooms)
        for_siblings = await answer_siblings(for_itself, passed_on, rooms.names.reload, self._siblings)
        ends.push_async_callback(for_siblings.stop, 0)
        await rooms.names.reload()  # it may have been written while this process loaded
        await self._siblings.join()
        if answers.limits.are_given:
            exchange = asyncio.create_task(SharedUses(self._place, answers.limits).run())
            ends.callback(exchange.cancel)
        await self._place.loaded()

    def serving(self) -> None:
        """Says so to the supervisor."""
        self._place.serving()
