"""Ports of servers whose address is known before they are started, and stays theirs when they are started anew."""

from __future__ import annotations

import contextlib
import random
import socket

# Below those that systems give to any connection that is made (from 32,768 on Linux, 49,152 elsewhere).
_PORTS = range(10_240, 32_768)
# Of its own, as tests seed the common one: processes beside each other would all try the same.
_RANDOM = random.SystemRandom()


def free_port() -> int:
    """A port that no one uses now, by TCP or UDP, and that no one comes to have who asks for just any.

    Raises:
        OSError: None is found.
    """
    for port in _RANDOM.sample(_PORTS, 100):
        with (
            contextlib.suppress(OSError),
            socket.socket() as connections,
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams,
        ):
            connections.bind(("127.0.0.1", port))
            datagrams.bind(("127.0.0.1", port))
            return port
    raise OSError("no free port was found on 127.0.0.1")
