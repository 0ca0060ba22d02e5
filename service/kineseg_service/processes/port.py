"""A port that several processes share: each listens on it, and the system spreads connections over them."""

from __future__ import annotations

import socket

from kineseg_core.errors import CannotStart


def reserved(host: str, port: int) -> socket.socket:
    """Keeps a port for the processes of this server: they can listen on it for as long as this socket is open.

    Args:
        host: Address to listen on.
        port: 0: any free one.

    Raises:
        CannotStart: The port is taken, or this system cannot share ports.
    """
    if not hasattr(socket, "SO_REUSEPORT"):
        raise CannotStart(
            "this system cannot share a port among processes (it has no SO_REUSEPORT): leave processes at 1, and start "
            "one server a port"
        )
    try:
        [family, _, _, _, address] = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        if port:
            # Another server that shares its ports would let this one in, and take half of its connections.
            with socket.socket(family, socket.SOCK_STREAM) as alone:
                alone.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                alone.bind(address)
        ours = socket.socket(family, socket.SOCK_STREAM)
        try:
            ours.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            ours.bind(address)
        except BaseException:
            ours.close()
            raise
    except OSError as error:
        raise CannotStart(
            f"cannot listen on {host} port {port}: is the port taken? is the address this machine's? ({error})"
        ) from error
    return ours
