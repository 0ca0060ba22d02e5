"""Serving as the settings say: in this process, or in several that share a port."""

from __future__ import annotations

from kineseg_service.config import Settings


async def serve(settings: Settings) -> None:
    """Serves until SIGTERM or SIGINT, then drains and stops. To be called in the main thread.

    Raises:
        BadBundle, BadBank, BadRules, CannotStart, ValueError: It cannot start, see `Server.start`.
        ServerFailed: It could not go on.
    """
    if settings.processes > 1:
        # A supervisor needs none of what a server does.
        from kineseg_service.processes.supervisor import Supervisor

        await Supervisor(settings).run()
    else:
        from kineseg_service.server import Server

        await Server(settings).run()
