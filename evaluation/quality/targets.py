"""What the service is meant to reach, by set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evaluation.quality.measure import FINAL, PROVISIONAL, SetResult

DELAY = "median delay"


@dataclass(frozen=True)
class Target:
    """A figure of a set: at least `bound` (a share), or at most that many seconds of `DELAY`."""

    set_name: str
    method: str
    figure: str
    bound: float


@dataclass(frozen=True)
class Outcome:
    """A target and what was reached; None if it was not measured."""

    target: Target
    value: float | None

    @property
    def met(self) -> bool:
        """Whether it was reached."""
        if self.value is None:
            return False
        return self.value <= self.target.bound if self.target.figure == DELAY else self.value >= self.target.bound


def _of(set_name: str, method: str, **bounds: float) -> list[Target]:
    return [Target(set_name, method, name, bound) for name, bound in bounds.items()]


TARGETS: tuple[Target, ...] = (
    *_of("takes", FINAL, bf1=0.95, mof=0.91, ari=0.88, covering=0.90),
    *_of("takes", PROVISIONAL, bf1=0.78),
    Target("takes", PROVISIONAL, DELAY, 0.7),
    *(target for tempo in ("0.6", "0.8", "1.25", "1.6") for target in _of(f"tempo-{tempo}", FINAL, bf1=0.90)),
    *_of("bvh", FINAL, bf1=0.90, mof=0.86),
    *_of("bvh", PROVISIONAL, bf1=0.75),
    *_of("generated", FINAL, bf1=0.95, mof=0.93),
    *_of("generated", PROVISIONAL, bf1=0.85),
    *_of("tssb", FINAL, covering=0.80),
)


def outcomes(results: Sequence[SetResult]) -> list[Outcome]:
    """The targets of the sets that were run."""
    by_name = {result.name: result for result in results}
    return [
        Outcome(target, _value(by_name[target.set_name], target)) for target in TARGETS if target.set_name in by_name
    ]


def _value(result: SetResult, target: Target) -> float | None:
    row = next((row for row in result.rows if row.method == target.method), None)
    if row is None:
        return None
    return row.score.delay(0.5) if target.figure == DELAY else row.score.shares.get(target.figure)
