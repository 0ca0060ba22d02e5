"""Serving as the settings say: in this process, or in several that share a port."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from kineseg_core.garbage import collected_seldom

from kineseg_service.config import Settings

if TYPE_CHECKING:
    from kineseg.page import Hub


def server(settings: Settings, page: Hub | None = None) -> Callable[[], Awaitable[None]]:
    """What serves until SIGTERM or SIGINT, then drains and stops. To be called and awaited in the main thread.

    Args:
        settings: How it runs.
        page: What its streams are shown on; none: nothing.

    Raises:
        ModuleNotFoundError: Something that it needs is not installed; nothing is missing later.
    """
    if settings.processes > 1:
        # A supervisor needs none of what a server does.
        from kineseg_service.processes.supervisor import Supervisor

        return lambda: Supervisor(settings, page).run()
    with collected_seldom():
        from kineseg_service.server import Server

    return lambda: Server(settings, page=page).run()


async def serve(settings: Settings) -> None:
    """Serves until SIGTERM or SIGINT, then drains and stops. To be called in the main thread.

    Raises:
        BadBundle, BadBank, BadRules, CannotStart, ValueError: It cannot start, see `Server.start`.
        ServerFailed: It could not go on.
    """
    await server(settings)()
