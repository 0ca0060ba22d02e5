"""Newline-delimited JSON: the way in for everything that has no protocol of its own; see docs/sources/ndjson.md.

A line describes what follows, or is a frame::

    {"joints": ["Hips", "Head", ...], "rate": 60, "up": "y", "unit": "m", "parents": [-1, 0, ...], "offsets": [...]}
    {"positions": [[0, 1, 0], null, ...], "frame": 12, "time": 0.2, "performer": "Ada"}
    {"positions": {"Hips": [0, 1, 0], "Head": [0, 1.7, 0], ...}}
    {"channels": ["a", "b"], "rate": 100}
    {"values": [0.1, null]}
    {"values": {"a": 0.1, "b": 2.0}}
    [0.1, 2.0]
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kineseg.motion import Joints, MotionError
from kineseg.sources.address import Expectations, SourceAddress
from kineseg.sources.arrivals import Remedies
from kineseg.sources.endpoints.lines import CommandLines, InputLines, TcpListener, read_lines
from kineseg.sources.endpoints.tcp import TcpClient
from kineseg.sources.endpoints.udp import UdpEndpoint
from kineseg.sources.errors import SourceError, Unreadable
from kineseg.sources.frames import Layout, Sample
from kineseg.sources.source import LiveSource, Source

_SECOND = 1e9
_LARGEST = 1e9  # of a coordinate, as of what is sent on
_MOST_CHANNELS = 512
_MOST_PERFORMERS = 64
_HEADER = ("joints", "channels")


class NdjsonDecoder:
    """Reads lines of JSON; several in one item, too, as a datagram may hold."""

    def __init__(self) -> None:
        self._layouts: dict[str, Layout] = {}

    def reset(self) -> None:
        """A new connection describes itself anew, or goes on as before."""

    def decode(self, item: bytes) -> Iterator[Sample]:
        """The frames in some lines.

        Raises:
            Unreadable: A line is no JSON, or no frame.
        """
        for line in item.splitlines():
            if line.strip():
                sample = self._line(line)
                if sample is not None:
                    yield sample

    def _line(self, line: bytes) -> Sample | None:
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            raise Unreadable(f"a line that is no JSON, such as {line[:40]!r}") from None
        if isinstance(value, list):
            value = {"values": value}
        if not isinstance(value, dict):
            raise Unreadable("a line of JSON that is neither an object nor a list of numbers")
        performer = value.get("performer", "")
        if not isinstance(performer, str):
            raise Unreadable("a performer whose name is no text")
        if any(isinstance(value.get(key), list) for key in _HEADER):
            self._describe(performer, value)
        if "positions" in value:
            return self._frame(performer, value, *self._positions(performer, value["positions"]))
        if "values" in value:
            return self._frame(performer, value, *self._values(performer, value["values"]))
        if any(key in value for key in _HEADER):
            return None
        raise Unreadable(
            f"a line with neither positions nor values, but {', '.join(map(repr, list(value)[:4])) or '{}'}"
        )

    def _describe(self, performer: str, value: Mapping[str, Any]) -> None:
        rate = value.get("rate")
        if rate is not None and not (_is_number(rate) and 0 < rate < math.inf):
            raise Unreadable(f"a rate that is no positive number: {rate!r}")
        try:
            if "joints" in value:
                layout = Layout(
                    Joints(
                        names=value["joints"],
                        parents=value.get("parents") or (),
                        offsets=value.get("offsets") or (),
                        up=value.get("up", "y"),
                        unit=value.get("unit", ""),
                        mapping=value.get("mapping") or {},
                    ),
                    rate=rate,
                    up_known="up" in value,
                )
            else:
                layout = Layout(channels=_checked_channels(value["channels"]), rate=rate)
        except (MotionError, TypeError, ValueError, AttributeError) as error:
            raise Unreadable(f"a description that cannot be used: {error}") from None
        self._keep(performer, layout)

    def _positions(self, performer: str, given: Any) -> tuple[Layout, NDArray[np.float32]]:
        layout = self._layouts.get(performer) or self._layouts.get("")
        if isinstance(given, dict):
            if layout is None or layout.joints is None:
                try:
                    layout = Layout(Joints(names=tuple(given)), up_known=False)
                except MotionError as error:
                    raise Unreadable(f"joints that cannot be used: {error}") from None
                self._keep(performer, layout)
            assert layout.joints is not None
            given = [given.get(name) for name in layout.joints.names]
        if layout is None or layout.joints is None:
            raise Unreadable('positions before a line with "joints" has said whose they are')
        n_joints = len(layout.joints.names)
        if not isinstance(given, list):
            raise Unreadable("positions that are neither a list nor an object")
        if len(given) == 3 * n_joints and n_joints > 1 and not any(isinstance(one, list) for one in given):
            given = [given[at : at + 3] for at in range(0, len(given), 3)]
        if len(given) != n_joints:
            raise Unreadable(f"{len(given)} positions for {n_joints} joints")
        rows = [[None] * 3 if point is None else point for point in given]
        if not all(isinstance(point, list) and len(point) == 3 for point in rows):
            raise Unreadable("a position that is not three numbers, or null for a joint that is not seen")
        return layout, _numbers([one for point in rows for one in point]).reshape(n_joints, 3)

    def _values(self, performer: str, given: Any) -> tuple[Layout, NDArray[np.float32]]:
        layout = self._layouts.get(performer) or self._layouts.get("")
        if layout is not None and layout.joints is not None:
            layout = None
        if layout is None and isinstance(given, dict | list):
            names = tuple(given) if isinstance(given, dict) else tuple(f"channel_{i}" for i in range(len(given)))
            layout = Layout(channels=_checked_channels(names))
            self._keep(performer, layout)
        if isinstance(given, dict) and layout is not None:
            given = [given.get(name) for name in layout.channels]
        if not isinstance(given, list) or layout is None:
            raise Unreadable("values that are neither a list nor an object")
        if len(given) != len(layout.channels):
            raise Unreadable(f"{len(given)} values for {len(layout.channels)} channels")
        return layout, _numbers(given)

    def _keep(self, performer: str, layout: Layout) -> None:
        known = self._layouts.get(performer)
        if known is not None and known.same_numbers(layout) and known.rate == layout.rate:
            return  # said again, for those who came later
        if known is None and len(self._layouts) >= _MOST_PERFORMERS:
            raise Unreadable("one performer too many")
        self._layouts[performer] = layout

    def _frame(self, performer: str, value: Mapping[str, Any], layout: Layout, numbers: NDArray[np.float32]) -> Sample:
        number, seconds, nanoseconds = value.get("frame"), value.get("time"), value.get("time_ns")
        if number is not None and (not isinstance(number, int) or isinstance(number, bool) or abs(number) >= 1 << 62):
            raise Unreadable("a frame whose number is no whole number")
        if seconds is not None and not (_is_number(seconds) and abs(seconds) < 4e9):
            raise Unreadable("a time that is no number of seconds")
        if nanoseconds is not None and not (_is_number(nanoseconds) and abs(nanoseconds) < 4e18):
            raise Unreadable("a time_ns that is no number of nanoseconds")
        time_ns = None
        if nanoseconds is not None:
            time_ns = int(nanoseconds)
        elif seconds is not None:
            time_ns = round(seconds * _SECOND)
        return Sample(layout, numbers, performer, number, time_ns)


def _numbers(given: Sequence[Any]) -> NDArray[np.float32]:
    for one in given:
        if one is not None and not (_is_number(one) and (abs(one) <= _LARGEST or math.isnan(one))):
            raise Unreadable(f"{one!r:.40} where a number up to {_LARGEST:g} or null belongs")
    return np.array([math.nan if one is None else one for one in given], np.float32)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _checked_channels(names: Sequence[Any]) -> tuple[str, ...]:
    if not 1 <= len(names) <= _MOST_CHANNELS:
        raise Unreadable(f"{len(names)} channels; there must be 1 to {_MOST_CHANNELS}")
    if not all(isinstance(name, str) and name for name in names) or len(set(names)) != len(names):
        raise Unreadable("channels whose names are not unique texts")
    return tuple(names)


class NdjsonEncoder:
    """Writes frames as lines of JSON.

    Args:
        layout: What the frames are.
        performer: Whose.
    """

    def __init__(self, layout: Layout, performer: str = "") -> None:
        self._key = "positions" if layout.joints is not None else "values"
        about: dict[str, Any] = {"performer": performer} if performer else {}
        self._about = dict(about)
        joints = layout.joints
        if joints is not None:
            about |= {"joints": list(joints.names), "up": joints.up}
            about |= {name: value for name, value in (("unit", joints.unit), ("mapping", joints.mapping)) if value}
            if joints.parents:
                about["parents"] = list(joints.parents)
            if joints.offsets:
                about["offsets"] = [list(offset) for offset in joints.offsets]
        else:
            about["channels"] = list(layout.channels)
        if layout.rate:
            about["rate"] = layout.rate
        self._header = about

    def header(self) -> bytes:
        """What describes the frames; may be said again at any time."""
        return _line(self._header)

    def frame(self, values: NDArray[np.floating], number: int, time_s: float) -> bytes:
        """One frame, ``(J, 3)`` or ``(C,)``."""
        return _line({**self._about, self._key: _plain(values), "frame": number, "time": round(time_s, 9)})


def _plain(values: NDArray[np.floating]) -> list[Any]:
    single = values.astype(np.float32)
    if single.ndim == 2:
        return [None if np.isnan(point).all() else _plain(point) for point in single]
    return [None if math.isnan(number) else float(str(number)) for number in single]


def _line(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, allow_nan=False, separators=(",", ":")).encode() + b"\n"


# -- as sources

_PROTOCOL = "lines of JSON"


def _source(
    address: SourceAddress, endpoint: Any, settings: str, mapping: Mapping[str, str], options: Sequence[str] = ()
) -> Source:
    address.check_options(["performer", *options])
    return LiveSource(
        endpoint,
        NdjsonDecoder(),
        expected=Expectations.of(address),
        remedies=Remedies(_PROTOCOL, settings),
        mapping=mapping,
        performer=address.text("performer"),
    )


def from_input(address: SourceAddress, mapping: Mapping[str, str]) -> Source:
    """``-``: standard input."""
    return _source(address, InputLines(), "Is anything written to the pipe, and is it flushed?", mapping)


def from_command(address: SourceAddress, mapping: Mapping[str, str]) -> Source:
    """``exec:COMMAND``."""
    settings = "Does the command flush what it prints (python -u), and write one line of JSON a frame?"
    return _source(address, CommandLines(address.path), settings, mapping)


def from_udp(address: SourceAddress, mapping: Mapping[str, str]) -> Source:
    """``ndjson+udp://HOST:PORT``."""
    settings = "Does the sender send to an address of this machine and to this port, and does the firewall let it in?"
    return _source(address, UdpEndpoint(address.host, _port(address)), settings, mapping)


def from_tcp(address: SourceAddress, mapping: Mapping[str, str]) -> Source:
    """``ndjson+tcp://HOST:PORT``: connects; ``ndjson+tcp-listen://HOST:PORT``: waits for connections."""
    if address.scheme == "ndjson+tcp-listen":
        settings = "Does the sender connect to an address of this machine and to this port?"
        once = address.choice("once", ("", "false", "true"), "false") != "false"
        return _source(address, TcpListener(address.host, _port(address), once=once), settings, mapping, ["once"])
    settings = "Is the program that writes the lines running, and does it listen on this address and port?"
    return _source(address, TcpClient(address.host, _port(address), read_lines), settings, mapping)


def _port(address: SourceAddress) -> int:
    if address.port is None:
        raise SourceError(f"{address.url}: name the port, as in {address.scheme}://0.0.0.0:9000")
    return address.port
