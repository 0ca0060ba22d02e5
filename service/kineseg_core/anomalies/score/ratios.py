"""From frames to how far each detector is beyond the usual of its own stream."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from kineseg_core.anomalies.score.envelope import EVERY_S, Envelope, beyond, learn, new_envelope, renew
from kineseg_core.anomalies.score.masks import mask, new_masks
from kineseg_core.anomalies.source import WatchedSource
from kineseg_core.anomalies.values.body import BodyValues
from kineseg_core.anomalies.values.channels import ChannelValues
from kineseg_core.anomalies.values.layout import ValueLayout

F64 = NDArray[np.float64]

_LOOKED_AT_HZ = 40.0
"""About how often a source is looked at, however fast it is."""
_SETTLED_S = 0.5
_RENEWED_S = 1.0


class Values(Protocol):
    """What makes values of frames."""

    layout: ValueLayout
    row: F64
    least: F64

    def update(self, frame: F64) -> bool:
        """Takes a frame; whether there is a new row."""


class Ratios:
    """How far detectors are beyond their envelopes, for one stream. Picklable.

    Args:
        source: What the frames are.

    Attributes:
        values: Of the source.
        layout: Of the values.
        rate_hz: Rows a second.
        root: The joint that all others are seen from; -1: channels.
        envelope: Of the values.
        seconds: For how long values have been made.
        y: ``(D,)`` of the last row: log of the largest value over its limit.
        top: ``(D,)`` which value that is.
    """

    def __init__(self, source: WatchedSource) -> None:
        step = max(1, round(source.rate_hz / _LOOKED_AT_HZ))
        self.rate_hz = source.rate_hz / step
        self.values: BodyValues | ChannelValues
        self.values = ChannelValues(source, step) if source.parents is None else BodyValues(source, step)
        self.layout = self.values.layout
        self.seconds = 0.0
        self.y = np.full(len(self.layout.detectors), -np.inf)
        self.top = np.zeros(len(self.layout.detectors), np.int64)
        self.root = -1 if source.parents is None else source.parents.index(-1)
        self._lost = np.zeros(len(source.names), bool)
        self._any_lost = self._gap = False
        self._masked_until = 0
        self._masks = new_masks(len(source.names), len(self.layout))
        self.envelope: Envelope = new_envelope(len(self.layout))
        self._count = 0
        self._learn_every = max(1, round(EVERY_S * self.rate_hz))
        self._renew_every = max(1, round(_RENEWED_S * self.rate_hz))
        self._settled = round(_SETTLED_S * self.rate_hz)

    @property
    def mostly_silent(self) -> bool:
        """Whether more than half of the units are lost or were a moment ago."""
        return self._count < self._masked_until and 2 * int(np.count_nonzero(self._masks.left)) > len(self._masks.left)

    def update(self, filled: F64, lost: NDArray[np.bool_] | None, *, gap: bool, learns: bool) -> bool:
        """Takes a frame.

        Args:
            filled: ``(U, D)``, where units are lost their last values, NaN where there are none.
            lost: ``(U,)`` bool; None: no unit is.
            gap: Whether there was a gap before it.
            learns: Whether it may become what is usual.

        Returns:
            Whether there is a new row.
        """
        if lost is not None:
            self._lost |= lost
            self._any_lost = True
        self._gap |= gap
        if not self.values.update(filled):
            return False
        layout = self.layout
        if self._gap or self._any_lost or self._count < self._masked_until:
            self._mask()
        self.seconds += 1.0 / self.rate_hz
        beyond(self.values.row, self.envelope, layout.start, layout.rival, self._masks.values, self.y, self.top)
        self._count += 1
        if self._count > self._settled:
            self._learn(learns)
        return True

    def _mask(self) -> None:
        """Looks which values say nothing now; that no unit is lost any more shows a second later at most."""
        if self._gap or self._any_lost:
            self._masked_until = self._count + round(self.rate_hz) + 1
        layout = self.layout
        mask(self._masks, self._lost, self._gap, self.root, self.rate_hz, layout.unit, layout.other)
        self._lost[:] = False
        self._any_lost = self._gap = False

    def _learn(self, learns: bool) -> None:
        if self._count % self._learn_every == 0:
            if learns:
                learn(self.envelope)
            else:
                self.envelope.largest[:] = 0.0
        if self._count % self._renew_every == 0 and self.envelope.seconds[0] > 0:
            renew(self.envelope, self.layout.start, self.layout.floor, self.layout.share, self.values.least)
