"""How a joint or channel has moved since something was found, in numbers that tell kinds apart."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]

_LAGS_S = (0.08, 0.8)
_WINDOW_S, _LEAST_ROWS = 0.6, 8
_LARGE = 0.35
TREMBLING_HZ, FAST_HZ = (3.2, 8.3), (8.3, np.inf)
_FAST_SHARE, _LINE_SHARE = 0.25, 0.5
_TINY = 1e-9


def bends(places: F64) -> F64:
    """``(n, ...)`` sizes of second differences of ``(n, ..., D)``; 0 for the first two rows."""
    sizes = np.linalg.norm(np.diff(places, 2, axis=0), axis=-1)
    return np.concatenate([np.zeros((2, *sizes.shape[1:])), sizes])


@dataclass(frozen=True)
class Path:
    """A path ``(n, D)`` in which something began about row `onset`.

    Attributes:
        places: The path.
        onset: Row.
        rate_hz: Rows a second.
        least: A step that counts as a jump at least.
    """

    places: F64
    onset: int
    rate_hz: float
    least: float

    @cached_property
    def bends(self) -> F64:
        """``(n,)`` sizes of second differences; 0 for the first two rows."""
        return bends(self.places)

    @cached_property
    def jumps(self) -> NDArray[np.int64]:
        """Rows since the onset with second differences that are large, and larger than any before."""
        after = self.bends[self.onset :]
        before = float(self.bends[: self.onset].max(initial=0.0))
        return self.onset + np.flatnonzero(after > max(self.least, before, _LARGE * float(after.max(initial=0.0))))

    def excursion(self) -> float:
        """How far the jumps lead away from the straight way between before and after them, over the largest step.

        1: there and back; 0.5: away for good.
        """
        if len(self.jumps) < 2:
            return 0.0
        rows = self.places[self.jumps[0] - 1 : self.jumps[-1] + 1]
        straight = np.linspace(rows[0], rows[-1], len(rows))
        largest = float(np.linalg.norm(np.diff(rows, axis=0), axis=1).max())
        return float(np.linalg.norm(rows - straight, axis=1).max()) / max(largest, _TINY)

    def replay(self) -> float:
        """How well the places since the onset are those of a fixed time before: 1 exactly, 0 or below not at all."""
        best = -np.inf
        begin = self.onset
        for lag in range(max(2, round(_LAGS_S[0] * self.rate_hz)), round(_LAGS_S[1] * self.rate_hz) + 1):
            end = min(len(self.places), begin + lag)
            if end - begin < 4 or begin - lag < 0:
                continue
            then = self.places[begin - lag : end - lag]
            spread = float(np.linalg.norm(then - then.mean(axis=0), axis=1).mean())
            far = float(np.linalg.norm(self.places[begin:end] - then, axis=1).mean())
            best = max(best, 1.0 - far / max(spread, self.least / 4.0))
        return best


class Shakiness(NamedTuple):
    """How a path oscillates.

    Attributes:
        new: Log ratio of its oscillation now to that before.
        fast: Whether it is faster than a tremor.
        steady: Log ratio of its size to its oscillation.
    """

    new: float
    fast: bool
    steady: float


def shakiness(path: F64, onset: int, rate_hz: float) -> Shakiness:
    """Of the last 0.6 s of a path ``(n, D)``, less its curve, compared to what was before the onset."""
    n = max(_LEAST_ROWS, round(_WINDOW_S * rate_hz))
    spectrum, hz = _spectrum(path[-n:], rate_hz)
    trembling, fast = (float(spectrum[(hz > low) & (hz <= high)].sum()) for low, high in (TREMBLING_HZ, FAST_HZ))
    total = trembling + fast + _TINY
    before = [_spectrum(path[end - n : end], rate_hz)[0] for end in range(n, onset, max(1, n // 2))]
    usual = max((float(each[hz > TREMBLING_HZ[0]].sum()) for each in before), default=0.0)
    size = float(np.linalg.norm(path[-n:], axis=1).mean())
    # A source too slow to show what is fast shows that a tremor is one line of the spectrum.
    shown = hz[-1] > FAST_HZ[0]
    is_fast = fast > _FAST_SHARE * trembling if shown else float(spectrum.max()) < _LINE_SHARE * total
    return Shakiness(
        0.5 * float(np.log(total / (usual + _TINY))), is_fast, float(np.log((size + _TINY) / np.sqrt(total)))
    )


def _spectrum(rows: F64, rate_hz: float) -> tuple[F64, F64]:
    """Energies and their frequencies, Hz; a path without oscillation has its mean square as energy."""
    n = len(rows)
    basis, _ = np.linalg.qr(np.vander(np.linspace(-1.0, 1.0, n), 3))
    rows = rows - basis @ (basis.T @ rows)
    window = np.hanning(n)
    spectrum = (np.abs(np.fft.rfft(rows * window[:, None], axis=0)) ** 2).sum(axis=1)
    hz = np.fft.rfftfreq(n, 1.0 / rate_hz)
    return np.asarray(2.0 * spectrum / (n * float(window @ window)), np.float64), np.asarray(hz, np.float64)
