"""`kineseg serve`: the server until it is told to stop."""

from __future__ import annotations

import asyncio

from kineseg_service.config import Settings
from kineseg_service.logs import configure_logs
from kineseg_service.server import Server


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or Ctrl-C, then drain.

    Raises:
        BadBundle: A bundle does not verify.
        OSError: A port cannot be had.
    """
    configure_logs(settings.log_level, settings.log_format)

    async def run() -> None:
        await Server(settings).run()

    asyncio.run(run())
