"""How much each tenant, and each address, may have and do: no one starves another."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

from kineseg_service.access.allowance import Allowance
from kineseg_service.access.caller import Caller
from kineseg_service.access.use import NOTHING, Uses
from kineseg_service.config import LimitSettings, Settings
from kineseg_service.errors import LimitReached
from kineseg_service.logs import harmless
from kineseg_service.metrics import Metrics

# Addresses that have nothing here are forgotten once there are so many.
_MOST_ADDRESSES = 10_000


class Share:
    """What one caller may have and do: as much as is left to its tenant, and to its address."""

    def __init__(self, allowances: list[Allowance], patience_s: float, metrics: Metrics) -> None:
        self._tenant = allowances[0]
        self._allowances = allowances
        self._patience_s = patience_s
        self._metrics = metrics
        # The one thing that is asked for every chunk: of the others there are far fewer.
        self._paced = [each for each in allowances if {"frames_per_s", "bytes_per_s"} & set(each.buckets)]

    def count_opening(self) -> None:
        """A stream is to be opened.

        Raises:
            LimitReached: Too soon after others.
        """
        self._check(lambda each: each.check_rate_of_opening())
        for each in self._allowances:
            if (bucket := each.buckets.get("opens_per_s")) is not None:
                bucket.take(1.0)

    def take_stream(self, rate_hz: float) -> Callable[[], None]:
        """Room for a stream of so many frames a second; what gives it back, once.

        Raises:
            LimitReached: There is none.
        """
        self._check(lambda each: each.check_room(rate_hz))
        for each in self._allowances:
            each.streams += 1
            each.rate_hz += rate_hz
        self._count()

        def free() -> None:
            for each in self._allowances:
                each.streams -= 1
                each.rate_hz = each.rate_hz - rate_hz if each.streams else 0.0
            self._count()

        return _once(free)

    def take_watcher(self) -> Callable[[], None]:
        """Room for a watcher; what gives it back, once.

        Raises:
            LimitReached: There is none.
        """
        self._check(lambda each: each.check_watchers())
        for each in self._allowances:
            each.watchers += 1
        self._count()

        def free() -> None:
            for each in self._allowances:
                each.watchers -= 1
            self._count()

        return _once(free)

    @property
    def is_paced(self) -> bool:
        """There is a limit on what comes."""
        return bool(self._paced)

    def take_frames(self, frames: int, size: int) -> float:
        """So many frames and bytes have come: how long they have to wait, where that is limited.

        Raises:
            LimitReached: Too long; nothing has been taken.
        """
        longest = 0.0
        if self._paced:
            waits: list[float] = []
            self._check(lambda each: waits.append(each.wait_s(self._patience_s)))
            longest = max(waits)
            for each in self._paced:
                each.take(frames, size)
        self._metrics.tenants.count(self._tenant.name, "frames", frames)
        return longest

    def _check(self, check: Callable[[Allowance], object]) -> None:
        try:
            for each in self._allowances:
                check(each)
        except LimitReached as error:
            with harmless("metrics"):
                self._metrics.refused(error.reason)
            raise

    def _count(self) -> None:
        with harmless("metrics"):
            tenant = self._tenant
            self._metrics.tenant(tenant.name, streams=tenant.streams, watchers=tenant.watchers)
            for limit, ratio in tenant.used().items():
                self._metrics.tenant_uses(tenant.name, limit, ratio)


class Limits:
    """The limits of all tenants and addresses. To be used in one event loop.

    Args:
        settings: What they are.
        metrics: Where refusals, and what tenants have, are counted.
        clock: Seconds.
    """

    def __init__(self, settings: Settings, metrics: Metrics, clock: Callable[[], float] = monotonic) -> None:
        self._settings = settings
        self._metrics = metrics
        self._clock = clock
        self._tenants: dict[str, Allowance] = {}
        self._addresses: dict[str, Allowance] = {}
        self._elsewhere: Uses = {}

    @property
    def are_given(self) -> bool:
        """There is a limit for anyone."""
        settings, none = self._settings, LimitSettings()
        return any(each != none for each in (settings.limits, settings.peer_limits, *settings.tenants.values()))

    def uses(self) -> Uses:
        """What all those have and do here that are limited, and have or do anything."""
        every = [*self._tenants.values(), *self._addresses.values()]
        return {(each.kind, each.name): each.use for each in every if each.is_limited and not each.is_idle}

    def leave_to_others(self, elsewhere: Uses, processes: int) -> None:
        """Other processes of the server give so much to tenants and addresses, of so many processes in all."""
        self._elsewhere = elsewhere
        for each in (*self._tenants.values(), *self._addresses.values()):
            each.leave_to_others(elsewhere.get((each.kind, each.name), NOTHING), processes)

    def of(self, caller: Caller) -> Share:
        """What this caller may have and do."""
        allowances = []
        if caller.tenant not in self._tenants:
            most = self._settings.limits_of(caller.tenant)
            self._tenants[caller.tenant] = self._new("tenant", caller.tenant, most)
        allowances.append(self._tenants[caller.tenant])
        if caller.address:
            allowances.append(self._of_address(caller.address))
        return Share(allowances, self._settings.limit_patience_s, self._metrics)

    def _of_address(self, address: str) -> Allowance:
        found = self._addresses.get(address)
        if found is None:
            if len(self._addresses) >= _MOST_ADDRESSES:
                self._addresses = {name: each for name, each in self._addresses.items() if not each.is_idle}
            found = self._addresses[address] = self._new("peer", address, self._settings.peer_limits)
        return found

    def _new(self, kind: str, name: str, most: LimitSettings) -> Allowance:
        return Allowance(kind, name, most, self._clock, elsewhere=self._elsewhere.get((kind, name), NOTHING))


def _once(act: Callable[[], None]) -> Callable[[], None]:
    done = False

    def act_once() -> None:
        nonlocal done
        if not done:
            done = True
            act()

    return act_once
