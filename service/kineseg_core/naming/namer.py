"""The names of one stream's segments."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kineseg_core.blocks import BLOCK_S
from kineseg_core.kept.declared import keeps
from kineseg_core.naming.class_probabilities import ClassProbabilities
from kineseg_core.naming.known import KnownNames
from kineseg_core.naming.name import UNKNOWN, Name
from kineseg_core.naming.settings import NamingSettings

_HORIZON_S = 60.0  # of a longer segment the latest part speaks for all of it


@keeps("_class_probabilities", fixed="_settings _known _classes _lag")
class Namer:
    """Gives segments names: that of a taught example they are like, else the class that a recogniser sees in them.

    What was taught comes first, because somebody wanted it so. Picklable.

    Args:
        settings: When there is a name.
        known: What has been taught for the model; may change at any time.
        classes: What the model recognises, K names; none unless it is a recogniser.
        rate_hz: Frames a second.
    """

    def __init__(
        self,
        settings: NamingSettings,
        known: KnownNames,
        classes: Sequence[str] = (),
        *,
        rate_hz: float,
    ) -> None:
        self._settings = settings
        self._known = known
        self._classes = tuple(classes)
        self._lag = round(settings.lag_s * rate_hz)
        self._class_probabilities = ClassProbabilities(len(classes), rate_hz, BLOCK_S, _HORIZON_S) if classes else None

    @property
    def recognises(self) -> bool:
        """Whether names come from the model, too, which has something to say of every frame."""
        return self._class_probabilities is not None

    def update(self, scores: NDArray[np.float32]) -> None:
        """Takes a recogniser's log-probabilities (K,) of the next frame."""
        if self._class_probabilities is not None:
            self._class_probabilities.update(scores)

    def restart(self) -> None:
        """The stream was interrupted, as `Segmenter.restart`; all segments before the next frame have been named."""
        if self._class_probabilities is not None:
            self._class_probabilities.restart()

    def name(self, start: int, end: int, point: NDArray[np.float64] | None) -> Name:
        """Name of the segment over the model's frames [start, end), whose point (E,) is this; None: too short."""
        taught = UNKNOWN if point is None else self._known.nearest(point, self._settings)
        if taught is not UNKNOWN or self._class_probabilities is None:
            return taught
        probabilities = self._class_probabilities.mean(start, end, self._lag)
        if probabilities is None:
            return UNKNOWN
        best = int(probabilities.argmax())
        probability = min(1.0, float(probabilities[best]))
        return Name(self._classes[best], probability) if probability >= self._settings.least_probability else UNKNOWN
