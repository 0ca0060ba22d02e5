"""An outlet of the Lab Streaming Layer."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

import numpy as np
import pylsl
from numpy.typing import NDArray

from kineseg.sources.address import SourceAddress
from kineseg.sources.frames import SourceInfo
from kineseg.sources.lsl import USUAL_TYPE
from kineseg.sources.twins.sender import Twin

_UNITS = {"m": "meters", "cm": "centimeters", "mm": "millimeters", "in": "inches", "": ""}
_FOUND_S = 20.0  # how long it waits for somebody to hear the first frame


class LslTwin:
    """An outlet; frames keep the times of their capture.

    Args:
        name: Of the stream.
        kind: Its type.
        info: What the frames are.
    """

    def __init__(self, name: str, kind: str, info: SourceInfo) -> None:
        self._name = name
        self._kind = kind
        self._info = info
        self._outlet: pylsl.StreamOutlet | None = None
        self._begun = 0.0

    @property
    def where(self) -> str:
        """What it is called."""
        return f"LSL stream {self._name!r}"

    async def __aenter__(self) -> Self:
        info = self._info
        channels = info.channels if info.joints is None else info.joints.numbers
        described = pylsl.StreamInfo(self._name, self._kind, len(channels), info.rate, pylsl.cf_float32, self._name)
        listed = described.desc().append_child("channels")
        for channel in channels:
            marker, _, axis = channel.rpartition(".")
            entry = listed.append_child("channel").append_child_value("label", channel)
            if info.joints is not None:
                entry.append_child_value("marker", marker).append_child_value("type", f"Position{axis.upper()}")
                entry.append_child_value("unit", _UNITS[info.joints.unit])
        self._outlet = pylsl.StreamOutlet(described)
        self._begun = pylsl.local_clock()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._outlet = None

    async def send(self, values: NDArray[np.float32], number: int, time_s: float) -> None:
        """One frame; the first waits a while for somebody to hear it."""
        assert self._outlet is not None
        if number == 0:
            await asyncio.to_thread(self._outlet.wait_for_consumers, _FOUND_S)
        self._outlet.push_sample(values.reshape(-1).tolist(), self._begun + time_s)

    async def restart(self) -> None:
        """Its clock begins anew."""
        self._begun = pylsl.local_clock()


def sending(address: SourceAddress, info: SourceInfo) -> Twin:
    """``lsl:NAME``."""
    return LslTwin(address.path or address.host or "kineseg twin", address.text("type", USUAL_TYPE), info)
