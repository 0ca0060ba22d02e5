"""Where a command shows its page, and who may see it."""

from __future__ import annotations

import ipaddress
import os
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from kineseg.page import Hub
from kineseg.page.access import Guest, new_token

from kineseg_cli.extras import needed
from kineseg_cli.failures import CommandError

if TYPE_CHECKING:
    from kineseg.page.server import PageServer

USUAL_PAGE = "127.0.0.1:8765"
TOKEN_VARIABLE = "KINESEG_PAGE_TOKEN"


def page_address(address: str, option: str, *, closed: bool) -> tuple[str, int]:
    """Host and port of ``HOST:PORT``; without a host it is loopback.

    Args:
        address: As it was given.
        option: The option's name, for messages.
        closed: What passes cannot be read on the way, or that is meant.

    Raises:
        CommandError: It is none, or other machines would reach it without TLS.
    """
    host, _, port = address.rpartition(":")
    host = host.strip("[]") or "127.0.0.1"
    if not port.isdecimal() or int(port) > 65535:
        raise CommandError(f"{option} {address}: write HOST:PORT, such as {USUAL_PAGE}")
    if not closed and not _is_loopback(host):
        raise CommandError(
            f"{option} {address} can be reached from other machines, and without TLS whatever passes can be read on "
            "the way: listen on 127.0.0.1 behind a proxy, or say --insecure where that is meant"
        )
    return host, int(port)


@asynccontextmanager
async def shown_page(
    hub: Hub,
    host: str,
    port: int,
    tls: ssl.SSLContext | None = None,
    known: Callable[[str], Guest | None] | None = None,
) -> AsyncIterator[PageServer]:
    """A hub's page, as long as the context lasts; its token is what the environment says, or else a new one.

    Raises:
        CommandError: It cannot listen there, or aiohttp is not installed.
    """
    with needed("page", "a page"):
        from kineseg.page.server import PageServer
    token = os.environ.get(TOKEN_VARIABLE) or new_token()
    server = PageServer(hub, host=host, port=port, tokens={token: None}, tls=tls, known=known)
    try:
        await server.start()
    except OSError as error:
        raise CommandError(f"the page cannot be shown at {host}:{port}: {error.strerror or error}") from error
    try:
        yield server
    finally:
        await server.stop()


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
