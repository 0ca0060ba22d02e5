"""What is to be run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from evaluation.quality import peers
from evaluation.quality.errors import QualityError
from evaluation.quality.sets import FAMILIES, SETS, Seeds

DEFAULT_LATENCY_S = 4.0  # of the server


@dataclass(frozen=True)
class QualityPlan:
    """What to run.

    Attributes:
        sets: Names, in the order shown.
        seeds: Which seeds.
        peers: Which peers.
        bundle: Another bundle than the packaged one, for families that have none in `left_out`.
        left_out: By family, the bundle that was trained and chosen without that family.
        latency_s: Budget of final decisions; the server's default if None.
        limit: At most so many streams of each set; None for all.

    Raises:
        QualityError: `left_out` has a family that there is not.
    """

    sets: tuple[str, ...]
    seeds: Seeds = "dev"
    peers: peers.Choice = "all"
    bundle: Path | None = None
    left_out: Mapping[str, Path] = field(default_factory=dict)
    latency_s: float | None = None
    limit: int | None = None

    def __post_init__(self) -> None:
        if unknown := set(self.left_out) - set(FAMILIES):
            raise QualityError(f"left_out: no family {', '.join(sorted(unknown))}; there are: {', '.join(FAMILIES)}")

    def bundle_for(self, set_name: str) -> Path | None:
        """The bundle that is run on a set; None for the packaged one."""
        return self.left_out.get(SETS[set_name].family, self.bundle)

    @property
    def budget_s(self) -> float:
        """Budget of final decisions, seconds."""
        return DEFAULT_LATENCY_S if self.latency_s is None else self.latency_s
