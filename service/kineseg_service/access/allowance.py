"""What one tenant, or one address, may have and do, and what it has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic

from kineseg_service.access.bucket import Bucket
from kineseg_service.access.use import NOTHING, Use
from kineseg_service.config import LimitSettings
from kineseg_service.errors import LimitReached

_RATES = ("opens_per_s", "frames_per_s", "bytes_per_s")
# When something may have ended that is in the way: no one knows.
_LOOK_AGAIN_S = 5.0


@dataclass
class Allowance:
    """What one tenant, or one address, may have and do, and what it has.

    Args:
        kind: "tenant" or "peer".
        name: Which.
        most: Its limits.
        clock: Seconds.
        elsewhere: What it has, and does, in other processes of the server.
    """

    kind: str
    name: str
    most: LimitSettings
    clock: Callable[[], float] = monotonic
    streams: int = 0
    watchers: int = 0
    rate_hz: float = 0.0  # of its open streams together
    elsewhere: Use = NOTHING
    buckets: dict[str, Bucket] = field(init=False)

    def __post_init__(self) -> None:
        rates = {name: getattr(self.most, name) for name in _RATES}
        self.buckets = {name: Bucket(rate, self.clock) for name, rate in rates.items() if rate is not None}

    @property
    def is_limited(self) -> bool:
        """There is a limit for it at all."""
        return self.most != LimitSettings()

    @property
    def is_idle(self) -> bool:
        """It has nothing, and has done nothing for a while."""
        return not self.streams and not self.watchers and all(bucket.is_full for bucket in self.buckets.values())

    @property
    def use(self) -> Use:
        """What it has and does here."""
        rates = {name: bucket.measured() for name, bucket in self.buckets.items()}
        return Use(self.streams, self.watchers, self.rate_hz, **rates)

    def leave_to_others(self, elsewhere: Use, processes: int) -> None:
        """It has, and does, so much in the other processes, of so many in all."""
        self.elsewhere = elsewhere
        for name, bucket in self.buckets.items():
            bucket.leave_to_others(getattr(elsewhere, name), processes)

    def check_rate_of_opening(self) -> None:
        """Raises LimitReached when streams are opened too fast."""
        bucket = self.buckets.get("opens_per_s")
        if bucket is not None and (wait := bucket.wait_s(1.0)) > 0:
            raise self._reached("opens_per_s", "opens streams too fast", bucket.limit, wait)

    def check_room(self, rate_hz: float) -> None:
        """Raises LimitReached unless there is room for another stream, of so many frames a second."""
        most, open_streams = self.most.streams, self.streams + self.elsewhere.streams
        if most is not None and open_streams >= most:
            raise self._reached("streams", f"has {open_streams} open streams", most, _LOOK_AGAIN_S)
        frames, of_open = self.most.frames_per_s, self.rate_hz + self.elsewhere.rate_hz
        if frames is not None and of_open + rate_hz > frames:
            has = f"has open streams of {of_open:g} frames a second, and wants another of {rate_hz:g}"
            raise self._reached("frames_per_s", has, frames, _LOOK_AGAIN_S)

    def check_watchers(self) -> None:
        """Raises LimitReached unless there is room for another watcher."""
        most, watchers = self.most.watchers, self.watchers + self.elsewhere.watchers
        if most is not None and watchers >= most:
            raise self._reached("watchers", f"has {watchers} watchers", most, _LOOK_AGAIN_S)

    def used(self) -> dict[str, float]:
        """How much of each limit on what it has is used here, 1: all."""
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
                    raise self._reached(name, f"sends too many {name.partition('_')[0]}", bucket.limit, wait)
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
