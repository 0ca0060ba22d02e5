"""One process of several: a server that does what its supervisor says, and ends when that has gone.

The supervisor writes lines to its standard input: first what it is, then `open` once it may open its port, and `end`.
It answers with lines of JSON on its standard output: `loaded`, `serving`, or `error`. Logs go to standard error.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from kineseg_core.errors import BadBundle, BadFile, CannotStart

from kineseg_service.config import Settings
from kineseg_service.errors import ServerFailed
from kineseg_service.logs import configure_logs, get_logger
from kineseg_service.processes.page_sender import SentPage
from kineseg_service.processes.place import Place
from kineseg_service.server import Server

_log = get_logger(__name__)
OPEN = b"open\n"
"""What the supervisor says when the port may be opened."""


async def _work() -> None:
    commands = await _standard_input()
    what = json.loads(await commands.readline())
    settings = Settings(**what["settings"])
    configure_logs(settings.log_level, settings.log_format)

    async def loaded() -> None:
        _say({"loaded": True})
        if await commands.readline() != OPEN:
            raise CannotStart("it has been asked to end before it served")

    def serving() -> None:
        _say({"serving": server.port})

    place = Place(what["index"], what["count"], Path(what["folder"]), loaded, serving)
    async with AsyncExitStack() as stack:
        page = await stack.enter_async_context(SentPage(place.folder)) if what["page"] else None
        server = Server(settings, place, page)
        running = asyncio.create_task(server.run())
        watching = asyncio.create_task(_end_with_supervisor(commands, server, running))
        try:
            await running
        finally:
            watching.cancel()


async def _end_with_supervisor(commands: asyncio.StreamReader, server: Server, running: asyncio.Task[None]) -> None:
    """Drains the server when no one is left who could ask it to."""
    await server.served.wait()
    while await commands.readline():
        pass
    if not running.done():
        _log.error("the process that started this one has gone: ending")
        await server.stop()


async def _standard_input() -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, os.fdopen(os.dup(0), "rb"))
    return reader


def _say(what: dict[str, Any]) -> None:
    print(json.dumps(what), flush=True)


def main() -> None:
    """Runs one process; to be started by a supervisor."""
    try:
        asyncio.run(_work())
    except ServerFailed as error:
        _log.error("ended", error=str(error))
        sys.exit(1)
    except (BadBundle, BadFile, RuntimeError, ValueError) as error:
        _say({"error": str(error)})
        sys.exit(1)


if __name__ == "__main__":
    main()
