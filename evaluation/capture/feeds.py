"""The protocols that are measured on loopback, and where each is heard and played."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from evaluation.capture.brokers import NoBroker, mosquitto, nats_server
from evaluation.ports import free_port


@dataclass(frozen=True)
class Feed:
    """A protocol on loopback.

    Attributes:
        name: For the table.
        url: As a source has it.
        to: As a twin has it.
    """

    name: str
    url: str
    to: str


_PORTS = {
    "Xsens MVN": "mvn",
    "Rokoko": "rokoko",
    "OptiTrack NatNet": "natnet",
    "Qualisys QTM": "qtm",
    "JSON lines, UDP": "ndjson+udp",
    "JSON lines, TCP": "ndjson+tcp",
}
LSL, MQTT, NATS = "LSL", "MQTT", "NATS"
NAMES = (*_PORTS, LSL, MQTT, NATS)


def feeds(names: tuple[str, ...], mark: str, folder: Path, stack: ExitStack) -> tuple[list[Feed], Mapping[str, str]]:
    """Feeds on ports of their own, and which there are not, with the reason.

    Args:
        names: Of the protocols.
        mark: Tells feeds of the same protocol apart.
        folder: For what brokers need.
        stack: Ends the brokers.
    """
    found, missing = [], {}
    for name in names:
        try:
            found.append(_feed(name, mark, folder, stack))
        except NoBroker as error:
            missing[name] = str(error)
    return found, missing


def _feed(name: str, mark: str, folder: Path, stack: ExitStack) -> Feed:
    if name == LSL:
        return Feed(name, f"lsl:kineseg {mark}", f"lsl:kineseg {mark}")
    if name in (MQTT, NATS):
        broker = stack.enter_context(mosquitto(folder) if name == MQTT else nats_server())
        url = f"{name.lower()}://127.0.0.1:{broker.port}/mocap"
        return Feed(name, url, url)
    url = f"{_PORTS[name]}://127.0.0.1:{free_port()}"
    return Feed(name, url + ("?unicast=true" if name == "OptiTrack NatNet" else ""), url)
