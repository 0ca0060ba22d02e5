"""``rokoko://HOST:PORT``: Rokoko Studio's custom live stream, JSON v3 over UDP, plain or packed by LZ4.

Positions are in the world, metres, in Unity's left-handed axes with y up; x is negated.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, TypeGuard

import numpy as np

from kineseg.motion import Joints
from kineseg.sources.address import Expectations, SourceAddress
from kineseg.sources.arrivals import Remedies
from kineseg.sources.endpoints.udp import UdpEndpoint
from kineseg.sources.errors import Unreadable
from kineseg.sources.frames import Layout, Sample
from kineseg.sources.source import LiveSource, Source

PORT = 14043
LZ4_MAGIC = b"\x04\x22\x4d\x18"

_SIDES = ("left", "right")
JOINTS = (
    *("hip", "spine", "chest", "neck", "head"),
    *(f"{side}{joint}" for side in _SIDES for joint in ("Shoulder", "UpperArm", "LowerArm", "Hand")),
    *(f"{side}{joint}" for side in _SIDES for joint in ("UpLeg", "Leg", "Foot", "Toe")),
)
_LARGEST = 4 << 20  # bytes, unpacked
_MOST_ACTORS = 32


class RokokoDecoder:
    """Reads datagrams of Rokoko Studio."""

    def __init__(self) -> None:
        self._layouts: dict[float | None, Layout] = {}

    def reset(self) -> None:
        """Nothing is remembered."""

    def decode(self, item: bytes) -> Iterator[Sample]:
        """The frame of each actor.

        Raises:
            Unreadable: It is no JSON v3 of Rokoko.
        """
        try:
            value = json.loads(_unpacked(item) if item[:4] == LZ4_MAGIC else item)
        except (ValueError, RecursionError):
            raise Unreadable(f"no JSON, plain or by LZ4 (it begins with {item[:8]!r})") from None
        scene = value.get("scene") if isinstance(value, dict) else None
        if not isinstance(scene, dict) or not isinstance(scene.get("actors"), list):
            version = value.get("version") if isinstance(value, dict) else None
            raise Unreadable(f"JSON without scene.actors (version {str(version)[:10]!r}): choose JSON v3")
        actors = scene["actors"][:_MOST_ACTORS]
        if not actors:
            raise Unreadable("a scene without actors: is a suit paired and live?")
        stamp, rate = scene.get("timestamp"), value.get("fps")
        time_ns = round(stamp * 1e9) if _is_number(stamp, 4e9) else None
        layout = self._layout(float(rate) if _is_number(rate, 1e4) and rate > 0 else None)
        for at, actor in enumerate(actors):
            body = actor.get("body") if isinstance(actor, dict) else None
            if not isinstance(body, dict):
                continue  # a face or hands alone
            values = np.array([_position(body.get(joint)) for joint in JOINTS], np.float32)
            if np.isnan(values).all():
                continue
            values[:, 0] *= -1.0
            name = actor.get("name")
            performer = name[:64] if isinstance(name, str) and len(actors) > 1 else f"actor {at + 1}" if at else ""
            yield Sample(layout, values, performer, time_ns=time_ns)

    def _layout(self, rate: float | None) -> Layout:
        if rate not in self._layouts:
            if len(self._layouts) > 64:
                self._layouts.clear()
            self._layouts[rate] = Layout(Joints(names=JOINTS, up="y", unit="m"), rate=rate)
        return self._layouts[rate]


def _unpacked(item: bytes) -> bytes:
    try:
        from lz4.frame import LZ4FrameDecompressor
    except ModuleNotFoundError:
        raise Unreadable(
            'packed by LZ4, which needs more than the library: pip install "kineseg[rokoko]", or switch off compression'
        ) from None
    try:
        unpacked: bytes = LZ4FrameDecompressor().decompress(item, max_length=_LARGEST)
    except (RuntimeError, EOFError, ValueError) as error:
        raise Unreadable(f"LZ4 that cannot be unpacked ({error})") from None
    return unpacked


def _position(joint: Any) -> tuple[float, float, float]:
    place = joint.get("position") if isinstance(joint, dict) else None
    numbers = [place.get(axis) for axis in "xyz"] if isinstance(place, dict) else []
    known = [float(number) for number in numbers if _is_number(number, 1e9)]
    return (known[0], known[1], known[2]) if len(known) == 3 else (np.nan,) * 3


def _is_number(value: Any, limit: float) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < limit


def open_rokoko(address: SourceAddress, mapping: Mapping[str, str]) -> Source:
    """``rokoko://HOST:PORT``; port 14043 unless given."""
    address.check_options(["performer"])
    port = PORT if address.port is None else address.port
    return LiveSource(
        UdpEndpoint(address.host, port),
        RokokoDecoder(),
        expected=Expectations.of(address),
        remedies=Remedies(
            "Rokoko JSON v3",
            f"In Rokoko Studio: Livestream, Custom: this machine's address, port {port}, data format JSON v3, switched "
            f"on (it needs Plus or Pro); let UDP {port} through the firewall",
        ),
        mapping=mapping,
        performer=address.text("performer"),
    )
