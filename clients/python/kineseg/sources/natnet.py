"""``natnet://SERVER``: OptiTrack Motive by NatNet, multicast or unicast, versions 2.6 to 4.2.

Right-handed, metres, y up unless Motive is set to z.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator, Mapping

from kineseg.motion import Joints, MotionError
from kineseg.sources.address import Expectations, SourceAddress
from kineseg.sources.arrivals import Remedies
from kineseg.sources.endpoints.udp import UdpEndpoint
from kineseg.sources.errors import SourceError, Unreadable
from kineseg.sources.frames import Layout, Sample
from kineseg.sources.natnet_messages import (
    CONNECT,
    FRAME,
    KEEP_ALIVE,
    MODELS,
    REQUEST_MODELS,
    SERVER_INFO,
    SkeletonModel,
    Version,
    message,
    read_frame,
    read_models,
    server_version,
    taken_apart,
)
from kineseg.sources.source import Inlet, LiveSource, Source

COMMAND_PORT, DATA_PORT = 1510, 1511
GROUP = "239.255.42.99"
_ASK_S = 1.0
_MOST_SKELETONS = 64


class NatNetDecoder:
    """Reads messages of NatNet, and knows what has to be asked for before it can."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget the server."""
        self._version: Version | None = None
        self._models: dict[int, SkeletonModel] | None = None
        self._layouts: dict[int, tuple[tuple[int, ...], Layout]] = {}

    def requests(self) -> list[bytes]:
        """What to send to the server now."""
        if self._version is None:
            return [message(CONNECT, b"Ping\0")]
        asked = [message(REQUEST_MODELS, b"\0")] if self._models is None else []
        return [*asked, message(KEEP_ALIVE, b"\0")]

    def decode(self, item: bytes) -> Iterator[Sample]:
        """The skeletons of a frame; none of other messages.

        Raises:
            Unreadable: It is no message of NatNet, or a frame without skeletons.
        """
        number, content = taken_apart(item)
        if number == SERVER_INFO:
            version = server_version(content)
            if version != self._version:
                self.reset()
                self._version = version
            return
        if number not in (MODELS, FRAME):
            return
        if self._version is None:
            raise Unreadable("NatNet before its server has said its version: is the command port reachable?")
        if number == MODELS:
            self._models = {model.number: model for model in read_models(content, self._version)[:_MOST_SKELETONS]}
            self._layouts.clear()
            return
        frame = read_frame(content, self._version)
        if frame.models_changed:
            self._models = None
        if not frame.skeletons:
            raise Unreadable(
                f"a frame of NatNet without a skeleton ({frame.bodies} rigid bodies, {frame.markers} markers): "
                "switch on Skeletons in the streaming settings"
            )
        time_ns = None if frame.time_s is None else round(frame.time_s * 1e9)
        for pose in frame.skeletons[:_MOST_SKELETONS]:
            layout, name = self._layout(pose.number, pose.bones)
            yield Sample(layout, pose.positions, name, frame.number, time_ns)

    def _layout(self, number: int, bones: tuple[int, ...]) -> tuple[Layout, str]:
        known = self._layouts.get(number)
        model = (self._models or {}).get(number)
        if known is not None and known[0] == bones:
            return known[1], model.name if model else ""
        if model is None:
            raise Unreadable("a skeleton of NatNet that is not described yet")
        names = {bone.number & 0xFFFF: bone.name for bone in model.bones}
        try:
            layout = Layout(Joints(names=[names.get(bone, f"bone {bone}") for bone in bones], unit="m"), up_known=False)
        except MotionError as error:
            raise Unreadable(f"a skeleton of NatNet that cannot be used: {error}") from None
        self._layouts[number] = bones, layout
        return layout, model.name


class NatNetEndpoint:
    """Listens to the group that a server sends to, and asks the server, which may send to the asker alone.

    Args:
        server: Its host or address.
        command_port: Where it answers.
        data: Receives what it sends to all.
        requests: What to ask it now.
    """

    def __init__(
        self, server: str, command_port: int, data: UdpEndpoint | None, requests: Callable[[], list[bytes]]
    ) -> None:
        self._server = server
        self._port = command_port
        self._data = data
        self._requests = requests
        self._command = UdpEndpoint("", 0)

    @property
    def where(self) -> str:
        """The server, and where it is heard."""
        group = "" if self._data is None else f", {self._data.where}"
        return f"NatNet server {self._server} (UDP {self._port}){group}"

    async def open(self) -> None:
        """Bind the ports.

        Raises:
            SourceError: There is no such host, or a port is taken.
        """
        try:
            await asyncio.get_running_loop().getaddrinfo(self._server, self._port, family=socket.AF_INET)
        except OSError as error:
            raise SourceError(f"there is no host {self._server!r} ({error.strerror or error})") from None
        await self._command.open()
        if self._data is not None:
            try:
                await self._data.open()
            except SourceError:
                await self._command.close()
                raise

    async def run(self, inlet: Inlet[bytes]) -> None:
        """Receive for ever."""
        ends = [self._command, *([self._data] if self._data is not None else [])]
        async with asyncio.TaskGroup() as tasks:
            for end in ends:
                tasks.create_task(end.run(inlet))
            tasks.create_task(self._ask())

    async def _ask(self) -> None:
        while True:
            for request in self._requests():
                with contextlib.suppress(OSError):  # no one is there yet
                    self._command.send(request, self._server, self._port)
            await asyncio.sleep(_ASK_S)

    async def close(self) -> None:
        """Free the ports."""
        await self._command.close()
        if self._data is not None:
            await self._data.close()


def open_natnet(address: SourceAddress, mapping: Mapping[str, str]) -> Source:
    """``natnet://SERVER?interface=ADDRESS&group=239.255.42.99&data=1511&unicast=true``."""
    address.check_options(["data", "group", "interface", "performer", "unicast"])
    server = address.host or "127.0.0.1"
    unicast = address.choice("unicast", ("true", "false"), "false") == "true"
    data_port = int(address.number("data", DATA_PORT, low=1, high=65535))
    group = address.text("group", GROUP)
    decoder = NatNetDecoder()
    data = None if unicast else UdpEndpoint(address.text("interface"), data_port, group)
    return LiveSource(
        NatNetEndpoint(server, address.port or COMMAND_PORT, data, decoder.requests),
        decoder,
        expected=Expectations.of(address),
        remedies=Remedies(
            "frames of NatNet",
            "In Motive: Settings, Streaming: Enable on, Local Interface that of this network and not loopback, "
            f"Transmission Type {'Unicast' if unicast else f'Multicast (group {group}), or say ?unicast=true'}, "
            f"Skeletons on; on this machine with several networks say ?interface=ADDRESS; let UDP {COMMAND_PORT} and "
            f"{data_port} through the firewall",
        ),
        mapping=mapping,
        performer=address.text("performer"),
    )
