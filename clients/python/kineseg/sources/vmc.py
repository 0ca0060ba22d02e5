"""``vmc://HOST:PORT``: the Virtual Motion Capture protocol, OSC over UDP (https://protocol.vmc.info); the specification
is under the MIT licence. What Warudo, VSeeFace, VMC, Virtual Motion Capture, TDPT and many trackers send.

Positions and rotations are those of Unity: left-handed, y up, z forward, relative to the bone above. Here they become
right-handed: x is negated. Times: the sender's are seconds in single precision, which lose milliseconds after hours, so
that arrivals are taken unless `clock=sender` says otherwise.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pythonosc.osc_packet import OscPacket, ParseError

from kineseg.motion import Joints
from kineseg.sources.address import Expectations, SourceAddress
from kineseg.sources.arrivals import Remedies
from kineseg.sources.endpoints.udp import UdpEndpoint
from kineseg.sources.errors import Unreadable
from kineseg.sources.frames import Layout, Sample
from kineseg.sources.local_bones import UNTURNED, Quaternion, Vector, normalised, product, rotated, world_positions
from kineseg.sources.source import LiveSource, Source
from kineseg.sources.unity_body import PARENTS, REST
from kineseg.sources.usual_parts import UsualParts

PORT = 39539

_NEEDED = 8  # bones at least, for a frame that is one
_BONELESS = 30  # datagrams, after which one says that there is none


class VmcDecoder:
    """Reads datagrams of VMC.

    A frame is sent in several datagrams. It is complete with the last of the bones that the sender usually sends, and
    given up, as it is, when one of them comes a second time.

    Args:
        timed: Whether to take the sender's times.
    """

    def __init__(self, *, timed: bool = False) -> None:
        self._timed = timed
        self.reset()

    def reset(self) -> None:
        """Forget what the sender usually sends."""
        self._bones: dict[str, tuple[Vector, Quaternion | None]] = {}
        self._usual = UsualParts()
        self._layout: Layout | None = None
        self._order: tuple[str, ...] = ()
        self._root: tuple[Vector, Quaternion] = ((0.0, 0.0, 0.0), UNTURNED)
        self._time_s: float | None = None
        self._boneless = 0

    def decode(self, item: bytes) -> Iterator[Sample]:
        """The frames that are complete with this datagram.

        Raises:
            Unreadable: It is no OSC, or has nothing of VMC in it.
        """
        try:
            messages = [timed.message for timed in OscPacket(item).messages]
        except (ParseError, IndexError, ValueError, OverflowError, RecursionError) as error:
            raise Unreadable(f"no OSC ({error})") from None
        known, seen = False, ""
        for message in messages:
            address: str = message.address
            seen = seen or address
            known = known or address.startswith("/VMC/")
            if address == "/VMC/Ext/Bone/Pos":
                yield from self._bone(message.params)
            elif address == "/VMC/Ext/Root/Pos":
                self._move_root(message.params)
            elif address == "/VMC/Ext/T" and message.params and _is_number(message.params[0]):
                self._time_s = float(message.params[0])
        if not known:
            raise Unreadable(f"OSC, but not of VMC: {seen[:40] or 'an empty bundle'}")
        self._boneless = self._boneless + 1 if not (self._bones or self._usual.names) else 0
        if self._boneless > _BONELESS:
            raise Unreadable("VMC without a bone (faces or devices alone?)")

    def _bone(self, params: Sequence[Any]) -> Iterator[Sample]:
        if len(params) < 8 or not isinstance(params[0], str) or not all(map(_is_number, params[1:8])):
            return
        name, place, turn = params[0], params[1:4], normalised(params[4:8])
        if name not in PARENTS:
            return
        if name in self._bones:
            yield from self._close()
        self._bones[name] = ((float(place[0]), float(place[1]), float(place[2])), turn)
        if self._usual.complete(self._bones):
            yield from self._close()

    def _move_root(self, params: Sequence[Any]) -> None:
        if len(params) >= 8 and all(map(_is_number, params[1:8])):
            turn = normalised(params[4:8])
            if turn is not None:
                self._root = ((float(params[1]), float(params[2]), float(params[3])), turn)

    def _close(self) -> Iterator[Sample]:
        bones, self._bones = self._bones, {}
        if not self._usual.learn(bones):  # of the first frame one may have come in the middle
            return
        order = tuple(name for name in PARENTS if name in self._usual.names)
        if "Hips" not in bones or len(order) < _NEEDED:
            return
        if self._layout is None or order != self._order:
            self._order = order
            self._layout = Layout(Joints(names=order, up="y", unit="m"))
        yield self._sample(bones, self._layout)

    def _sample(self, bones: Mapping[str, tuple[Vector, Quaternion | None]], layout: Layout) -> Sample:
        order = self._order
        # Senders that move bones by rotations alone leave out where they are.
        unplaced = all(bones[name][0] == (0.0, 0.0, 0.0) for name in order[1:] if name in bones)
        parents: list[int] = []
        places: list[Vector | None] = []
        turns: list[Quaternion | None] = []
        for name in order:
            above, rest = PARENTS[name], REST[name]
            while above and above not in order:
                rest = tuple(a + b for a, b in zip(rest, REST[above], strict=True))  # type: ignore[assignment]
                above = PARENTS[above]
            parents.append(order.index(above) if above else -1)
            place, turn = bones.get(name, (None, None))
            places.append(rest if unplaced and place is not None and (name != "Hips" or place == (0, 0, 0)) else place)
            turns.append(turn)
        root_place, root_turn = self._root
        hips = places[0] or (math.nan,) * 3
        x, y, z = rotated(root_turn, hips)
        places[0] = (x + root_place[0], y + root_place[1], z + root_place[2])
        turns[0] = None if turns[0] is None else product(root_turn, turns[0])
        values = world_positions(parents, places, turns)
        values[:, 0] *= -1.0  # Unity's left-handed axes
        time_ns = round(self._time_s * 1e9) if self._timed and self._time_s is not None else None
        return Sample(layout, values, time_ns=time_ns)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e9


def open_vmc(address: SourceAddress, mapping: Mapping[str, str]) -> Source:
    """``vmc://HOST:PORT``; port 39539 unless given."""
    address.check_options([])
    expected = Expectations.of(address)
    port = PORT if address.port is None else address.port
    return LiveSource(
        UdpEndpoint(address.host, port),
        VmcDecoder(timed=expected.clock == "sender"),
        expected=expected,
        remedies=Remedies(
            "VMC (OSC over UDP)",
            "In the sender switch on VMC or OSC output (performer to marionette), with the address of this machine and "
            f"port {port}; let UDP {port} through the firewall; close other programs that listen on it",
        ),
        mapping=mapping,
    )
