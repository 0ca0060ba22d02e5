"""The server: ports, health, reflection and metrics; loading before it serves, and draining before it goes."""

from kineseg_service.server.background import BackgroundServer
from kineseg_service.server.server import Server

__all__ = ["BackgroundServer", "Server"]
