"""``lsl:NAME``: a stream of the Lab Streaming Layer, by its name, or ``lsl:?type=EEG``, by its type.

Channels that say of which marker and which coordinate they are (`PositionX`, ...) become joints, as the layer's
convention for motion capture has it; all others become channels. The convention has no axes: which way is up is found
from how the body stands. Times are the sender's, brought to this machine's clock by the layer itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pylsl

from kineseg.motion import Joints, MotionError
from kineseg.motion.joints import LengthUnit
from kineseg.sources.address import Expectations, SourceAddress
from kineseg.sources.arrivals import Remedies
from kineseg.sources.errors import Unreadable
from kineseg.sources.frames import Layout, Sample
from kineseg.sources.source import Inlet, LiveSource, Source

USUAL_TYPE = "MoCap"
_UNITS: dict[str, LengthUnit] = {
    "m": "m", "meter": "m", "meters": "m", "metre": "m", "metres": "m",
    "cm": "cm", "centimeter": "cm", "centimeters": "cm", "centimetres": "cm",
    "mm": "mm", "millimeter": "mm", "millimeters": "mm", "millimetres": "mm",
    "in": "in", "inch": "in", "inches": "in",
}  # fmt: skip
# Errors alone on standard error, unless the user has set the library up. Older ones of liblsl cannot be set up from
# within, and pylsl raises one of these: they go on as they are.
if not os.environ.get("LSLAPICFG"):
    with contextlib.suppress(NotImplementedError, AttributeError, RuntimeError):
        pylsl.set_config_content("[log]\nlevel = -3\n")

_MOST_CHANNELS = 2048
_LATEST_S = 4e9
_LOOK_S = 0.5
_WAIT_S = 0.1
_KEPT_S = 60  # seconds that the layer keeps while no one reads


class Channel(NamedTuple):
    """What a stream says of one of its channels; empty where it says nothing."""

    label: str = ""
    marker: str = ""
    kind: str = ""
    unit: str = ""


@dataclass(frozen=True, eq=False)
class Description:
    """What a stream says of itself."""

    channels: tuple[Channel, ...]
    rate: float

    @classmethod
    def of(cls, info: pylsl.StreamInfo) -> Description:
        """As the layer has it."""
        channels: list[Channel] = []
        entry = info.desc().child("channels").child("channel")
        while not entry.empty() and len(channels) < info.channel_count():
            channels.append(Channel(*(entry.child_value(name).strip() for name in ("label", "marker", "type", "unit"))))
            entry = entry.next_sibling("channel")
        channels += [Channel()] * (info.channel_count() - len(channels))
        return cls(tuple(channels), info.nominal_srate())


class Chunk(NamedTuple):
    """What was pulled at once: rows of numbers, and the time of each in seconds."""

    rows: Sequence[Sequence[float]]
    times_s: Sequence[float]


class LslDecoder:
    """Turns what a stream says and gives into frames."""

    def __init__(self) -> None:
        self._layout: Layout | None = None
        self._columns: list[int] = []

    def reset(self) -> None:
        """Nothing to forget: a stream that comes again describes itself again."""

    def decode(self, item: Description | Chunk) -> Iterator[Sample]:
        """The frames of a chunk; none of a description.

        Raises:
            Unreadable: The stream has no channels of numbers, or too many.
        """
        if isinstance(item, Description):
            self._layout, self._columns = _layout(item)
            return
        layout = self._layout
        if layout is None:
            raise Unreadable("a stream that has not described itself")
        for row, seconds in zip(item.rows, item.times_s, strict=True):
            if len(row) <= max(self._columns):
                raise Unreadable("a sample with other channels than described")
            if not abs(seconds) < _LATEST_S:
                raise Unreadable("a sample whose time is no number of seconds")
            with np.errstate(over="ignore"):
                values = np.array([row[column] for column in self._columns], np.float64).astype(np.float32)
            values[~(np.abs(values) <= 1e9)] = np.nan
            if layout.joints is not None:
                values = values.reshape(-1, 3)
            yield Sample(layout, values, time_ns=round(seconds * 1e9))


def _layout(description: Description) -> tuple[Layout, list[int]]:
    """What the numbers are, and which columns they are in."""
    channels = description.channels
    if not 1 <= len(channels) <= _MOST_CHANNELS:
        raise Unreadable(f"a stream of {len(channels)} channels; there must be 1 to {_MOST_CHANNELS}")
    rate = description.rate if description.rate > 0 else None
    axes: dict[str, dict[str, int]] = {}
    for at, channel in enumerate(channels):
        kind = channel.kind.lower()
        if kind.startswith("position") and kind[-1:] in ("x", "y", "z"):
            name = channel.marker or channel.label.removesuffix(kind[-1]).removesuffix(kind[-1].upper()).rstrip("_. -")
            axes.setdefault(name, {})[kind[-1]] = at
    whole = {name: places for name, places in axes.items() if name and len(places) == 3}
    if whole:
        units = {channels[places["x"]].unit.lower() for places in whole.values()}
        unit = _UNITS.get(units.pop(), "") if len(units) == 1 else ""
        try:
            joints = Joints(names=tuple(whole), unit=unit)
        except MotionError as error:
            raise Unreadable(str(error)) from None
        return Layout(joints, rate=rate, up_known=False), [whole[name][axis] for name in whole for axis in "xyz"]
    names = [channel.label or f"channel_{at}" for at, channel in enumerate(channels)]
    if len(set(names)) < len(names):
        names = [f"{name}_{at}" for at, name in enumerate(names)]
    return Layout(channels=tuple(names), rate=rate), list(range(len(names)))


class LslEndpoint:
    """Finds a stream and pulls it, in a thread: the library waits where the event loop must not.

    Args:
        name: Of the stream; empty: any of the type.
        kind: Its type; empty: any.
    """

    def __init__(self, name: str, kind: str) -> None:
        self._name = name
        self._kind = kind
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def where(self) -> str:
        """What is looked for."""
        return f"LSL stream {self._name!r}" if self._name else f"LSL streams of type {self._kind!r}"

    async def open(self) -> None:
        """Nothing to do: a stream that is not there may come."""

    async def run(self, inlet: Inlet[Description | Chunk]) -> None:
        """Receive for ever."""
        loop = asyncio.get_running_loop()

        def call(what: Callable[..., None], *values: Any) -> None:
            if not self._stopped.is_set():
                loop.call_soon_threadsafe(what, *values)

        ended = loop.create_future()

        def work() -> None:
            try:
                self._work(inlet, call)
            except Exception as error:  # of the library; said, and not lost in a thread
                call(inlet.trouble, f"LSL failed: {error}")
            call(lambda: None if ended.done() else ended.set_result(None))

        self._thread = threading.Thread(target=work, name="kineseg-lsl", daemon=True)
        self._thread.start()
        await ended

    async def close(self) -> None:
        """End the thread."""
        self._stopped.set()
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join, 3.0)

    def _work(self, inlet: Inlet[Description | Chunk], call: Callable[..., None]) -> None:
        while not self._stopped.is_set():
            info = self._find(inlet, call)
            if info is None:
                continue
            stream = pylsl.StreamInlet(
                info, max_buflen=_KEPT_S, processing_flags=pylsl.proc_clocksync | pylsl.proc_monotonize, recover=False
            )
            try:
                call(inlet.connected)
                call(inlet.take, Description.of(stream.info(3.0)), 0, info.hostname())
                while not self._stopped.is_set():
                    first, seconds = stream.pull_sample(timeout=_WAIT_S)  # a chunk would be waited for until it is full
                    if first is None:
                        continue
                    rows, times = stream.pull_chunk(timeout=0.0)
                    chunk = Chunk([first, *rows], [seconds, *times])
                    call(inlet.take, chunk, 4 * len(first) * len(chunk.rows), info.hostname())
            except (pylsl.util.LostError, pylsl.util.TimeoutError, TimeoutError):
                call(inlet.trouble, f"{self.where} has ended; looking for it again")
            finally:
                stream.close_stream()

    def _find(self, inlet: Inlet[Description | Chunk], call: Callable[..., None]) -> pylsl.StreamInfo | None:
        by, value = ("name", self._name) if self._name else ("type", self._kind)
        found = pylsl.resolve_byprop(by, value, 1, _LOOK_S)
        for info in found:
            if info.channel_format() != pylsl.cf_string:
                return info
        others = sorted({f"{info.name()!r} (type {info.type()})" for info in pylsl.resolve_streams(_LOOK_S)})
        there = f"there are {', '.join(others[:5])}" if others else "there is none at all"
        call(inlet.trouble, f"no {self.where} is found in this network; {there}")
        return None


def open_lsl(address: SourceAddress, mapping: Mapping[str, str]) -> Source:
    """``lsl:NAME?up=z&unit=m``, ``lsl:?type=EEG``."""
    address.check_options(["type"])
    name = address.path or address.host
    return LiveSource(
        LslEndpoint(name, address.text("type", USUAL_TYPE)),
        LslDecoder(),
        expected=Expectations.of(address),
        remedies=Remedies(
            "samples of LSL",
            "Start the outlet in the sender; both machines must be in one network that lets multicast through "
            "(UDP 16571 to 16604, TCP 16572 to 16604), and containers need the host's network",
        ),
        mapping=mapping,
    )
