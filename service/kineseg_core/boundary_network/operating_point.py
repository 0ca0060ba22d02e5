"""Where the boundary network is cut: how likely a boundary must be to be emitted, confirmed, retracted."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

from kineseg_core.log_odds import log_odds, moved


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """Probabilities from 0 to 1, and a length.

    Attributes:
        final: From which on a candidate is confirmed when all has been seen that the latency budget allows.
        margin: How much likelier it must be to be confirmed before that.
        surest: What is so likely is confirmed at the first chance, whatever the margin.
        provisional: From which on a candidate is emitted as provisional.
        retracted: Below which a provisional boundary is retracted.
        shortest: Blocks in the shortest segment.
    """

    final: float = 0.5
    margin: float = 0.35
    surest: float = 0.92
    provisional: float = 0.45
    retracted: float = 0.17
    shortest: int = 10

    def at(self, threshold: float) -> OperatingPoint:
        """The point whose `final` is `threshold`; every other probability is moved by the same log odds.

        So they keep their order, and a higher threshold asks for more at every moment.
        """
        by = log_odds(threshold) - log_odds(self.final)
        early = moved(min(self.final + self.margin, self.surest), by)
        return dataclasses.replace(
            self,
            final=threshold,
            margin=max(0.0, early - threshold),
            surest=moved(self.surest, by),
            provisional=moved(self.provisional, by),
            retracted=moved(self.retracted, by),
        )

    @classmethod
    def from_calibration(cls, calibration: Mapping[str, float]) -> OperatingPoint:
        """The defaults, with what a calibration says put over them.

        Raises ValueError naming what does not exist or is out of range.
        """
        known = [field.name for field in dataclasses.fields(cls)]
        if unknown := sorted(set(calibration) - set(known)):
            raise ValueError(f"operating point: unknown settings {', '.join(unknown)}; known are {known}")
        for name, value in calibration.items():
            low, high = (1, 50) if name == "shortest" else (0, 1)
            if not low <= value <= high:
                raise ValueError(f"operating point: {name} is {value:g}, it must be {low} to {high}")
        return cls(**{k: int(v) if k == "shortest" else float(v) for k, v in calibration.items()})  # type: ignore[arg-type]
