"""How much each tenant, and each address, may have and do: no one starves another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic

from kineseg_service.access.caller import Caller
from kineseg_service.config import LimitSettings, Settings
from kineseg_service.errors import LimitReached
from kineseg_service.logs import harmless
from kineseg_service.metrics import Metrics

# What may come at once is what the limit allows in so many seconds.
_BURST_S = 2.0
# When something may have ended that is in the way: no one knows.
_LOOK_AGAIN_S = 5.0
# Addresses that have nothing here are forgotten once there are so many.
_MOST_ADDRESSES = 10_000


class Bucket:
    """A rate: so many a second, and `_BURST_S` seconds' worth at once.

    Args:
        rate: A second.
        clock: Seconds.
    """

    def __init__(self, rate: float, clock: Callable[[], float] = monotonic) -> None:
        self.rate = rate
        self._clock = clock
        self._most = max(1.0, rate * _BURST_S)
        self._left = self._most
        self._at = clock()

    @property
    def is_full(self) -> bool:
        """Nothing has been taken for a while."""
        self._fill()
        return self._left >= self._most

    def wait_s(self, least: float = 0.0) -> float:
        """How long until more than nothing, or as much as `least`, is left."""
        self._fill()
        missing = least - self._left
        return max(0.0, missing / self.rate)

    def take(self, amount: float) -> None:
        """Takes so much; what is not there is owed."""
        self._fill()
        self._left -= amount

    def _fill(self) -> None:
        now = self._clock()
        self._left = min(self._most, self._left + (now - self._at) * self.rate)
        self._at = now


@dataclass
class Allowance:
    """What one tenant, or one address, may have and do, and what it has.

    Args:
        kind: "tenant" or "peer".
        name: Which.
        most: Its limits.
        clock: Seconds.
    """

    kind: str
    name: str
    most: LimitSettings
    clock: Callable[[], float] = monotonic
    streams: int = 0
    watchers: int = 0
    rate_hz: float = 0.0  # of its open streams together
    buckets: dict[str, Bucket] = field(init=False)

    def __post_init__(self) -> None:
        rates = {name: getattr(self.most, name) for name in ("opens_per_s", "frames_per_s", "bytes_per_s")}
        self.buckets = {name: Bucket(rate, self.clock) for name, rate in rates.items() if rate is not None}

    @property
    def is_idle(self) -> bool:
        """It has nothing, and has done nothing for a while."""
        return not self.streams and not self.watchers and all(bucket.is_full for bucket in self.buckets.values())

    def check_rate_of_opening(self) -> None:
        """Raises LimitReached when streams are opened too fast."""
        bucket = self.buckets.get("opens_per_s")
        if bucket is not None and (wait := bucket.wait_s(1.0)) > 0:
            raise self._reached("opens_per_s", "opens streams too fast", bucket.rate, wait)

    def check_room(self, rate_hz: float) -> None:
        """Raises LimitReached unless there is room for another stream, of so many frames a second."""
        most = self.most.streams
        if most is not None and self.streams >= most:
            raise self._reached("streams", f"has {self.streams} open streams", most, _LOOK_AGAIN_S)
        frames = self.most.frames_per_s
        if frames is not None and self.rate_hz + rate_hz > frames:
            has = f"has open streams of {self.rate_hz:g} frames a second, and wants another of {rate_hz:g}"
            raise self._reached("frames_per_s", has, frames, _LOOK_AGAIN_S)

    def check_watchers(self) -> None:
        """Raises LimitReached unless there is room for another watcher."""
        most = self.most.watchers
        if most is not None and self.watchers >= most:
            raise self._reached("watchers", f"has {self.watchers} watchers", most, _LOOK_AGAIN_S)

    def used(self) -> dict[str, float]:
        """How much of each limit on what it has is used, 1: all."""
        has = (
            (self.most.streams, self.streams),
            (self.most.watchers, self.watchers),
            (self.most.frames_per_s, self.rate_hz),
        )
        names = "streams", "watchers", "frames_per_s"
        return {name: now / most for name, (most, now) in zip(names, has, strict=True) if most}

    def wait_s(self, patience_s: float) -> float:
        """How long what comes now has to wait.

        Raises:
            LimitReached: Longer than `patience_s`.
        """
        longest = 0.0
        for name in ("frames_per_s", "bytes_per_s"):
            bucket = self.buckets.get(name)
            if bucket is not None:
                wait = bucket.wait_s()
                if wait > patience_s:
                    raise self._reached(name, f"sends too many {name.partition('_')[0]}", bucket.rate, wait)
                longest = max(longest, wait)
        return longest

    def take(self, frames: int, size: int) -> None:
        """So many frames and bytes have come."""
        for name, amount in (("frames_per_s", frames), ("bytes_per_s", size)):
            bucket = self.buckets.get(name)
            if bucket is not None:
                bucket.take(amount)

    def _reached(self, name: str, what: str, maximum: float, retry_after_s: float) -> LimitReached:
        limit = f"{self.kind}.{name}"
        who = f"tenant {self.name!r}" if self.kind == "tenant" else f"the address {self.name}"
        return LimitReached(
            f"{who} {what}; its limit {limit} is {maximum:g}: come back in {max(retry_after_s, 0.1):.1f} s",
            limit=limit,
            maximum=maximum,
            retry_after_s=max(retry_after_s, 0.1),
        )


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

    def of(self, caller: Caller) -> Share:
        """What this caller may have and do."""
        allowances = []
        if caller.tenant not in self._tenants:
            most = self._settings.limits_of(caller.tenant)
            self._tenants[caller.tenant] = Allowance("tenant", caller.tenant, most, self._clock)
        allowances.append(self._tenants[caller.tenant])
        if caller.address:
            allowances.append(self._of_address(caller.address))
        return Share(allowances, self._settings.limit_patience_s, self._metrics)

    def _of_address(self, address: str) -> Allowance:
        found = self._addresses.get(address)
        if found is None:
            if len(self._addresses) >= _MOST_ADDRESSES:
                self._addresses = {name: each for name, each in self._addresses.items() if not each.is_idle}
            found = self._addresses[address] = Allowance("peer", address, self._settings.peer_limits, self._clock)
        return found


def _once(act: Callable[[], None]) -> Callable[[], None]:
    done = False

    def act_once() -> None:
        nonlocal done
        if not done:
            done = True
            act()

    return act_once
