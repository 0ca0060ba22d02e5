"""`kineseg relay`: follows a server's events, and brings them to sinks."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import suppress
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated

import typer
from kineseg import AsyncClient, KinesegError, WatchedEvent
from kineseg.sinks import Relay, SinkEvent, open_sink
from kineseg.sinks.backoff import Backoff
from kineseg.sinks.terms import kinds_of

from kineseg_cli.error_console import ErrorConsole
from kineseg_cli.interrupt import Stop, interruptible
from kineseg_cli.options import SinkURL
from kineseg_cli.relay_metrics import shown_to_prometheus
from kineseg_cli.sinks import counted

_LOOK_S = 0.1
_LOOK_FOR_ENDED_S = 60.0
_PATTERN = set("*?[")


def relay(
    sinks: Annotated[list[str], SinkURL],
    server: Annotated[str, typer.Option("--server", metavar="HOST:PORT", help="Whose events.")] = "localhost:50051",
    kinds: Annotated[
        str, typer.Option("--kinds", help="Only these, such as anomaly,segment_closed; see docs/sinks. Default: all.")
    ] = "",
    session: Annotated[
        str, typer.Option("--session", metavar="PATTERN", help="Only sessions whose name is so, such as 'line-*'.")
    ] = "",
    cursor: Annotated[
        Path, typer.Option("--cursor", metavar="FILE", help="Keeps what waits, and how far the server's log was read.")
    ] = Path("kineseg-relay.sqlite"),
    from_beginning: Annotated[
        bool, typer.Option("--from-beginning", help="The first time, begin with all that the server's log keeps.")
    ] = False,
    metrics: Annotated[
        str, typer.Option("--metrics", metavar="HOST:PORT", help="Where Prometheus reads what becomes of events.")
    ] = "",
) -> None:
    """Bring a server's events to other systems, at least once, until Ctrl-C."""
    wanted = kinds_of(kinds)
    opened = [open_sink(url) for url in sinks]
    errors = ErrorConsole()
    with interruptible() as stop:
        to = Relay(opened, cursor, errors.print_line)
        following = _Following(to, server, sorted(wanted), session, errors, from_beginning=from_beginning)
        errors.print_line(f"following {server}; to {', '.join(sink.where for sink in opened)}; Ctrl-C ends it")
        with shown_to_prometheus(to, metrics):
            asyncio.run(_run(to, following, stop))
    for name, counts in to.counts.items():
        errors.print_line(counted(name, counts))
    raise typer.Exit(0)


async def _run(to: Relay, following: _Following, stop: Stop) -> None:
    async with to:
        task = asyncio.create_task(following.run())
        while not (stop.is_set() or task.done()):
            await asyncio.wait([task], timeout=_LOOK_S)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


class _Following:
    """A server's events on their way into a relay, whatever becomes of the connection.

    Args:
        to: The relay.
        server: HOST:PORT.
        kinds: Only these; empty: all.
        session: Pattern of names of sessions; empty: all.
        errors: Standard error.
        from_beginning: Whether to begin with all that is kept, where the relay has no cursor.
    """

    def __init__(
        self, to: Relay, server: str, kinds: list[str], session: str, errors: ErrorConsole, *, from_beginning: bool
    ) -> None:
        self._to = to
        self._server = server
        self._kinds = kinds
        # A name can be left to the server; a pattern it does not know.
        self._session, self._pattern = ("", session) if _PATTERN & set(session) else (session, "")
        self._errors = errors
        self._first = "begin" if from_beginning else ""
        self._backoff = Backoff()

    async def run(self) -> None:
        """Follow for ever.

        Raises:
            KinesegError: The server refuses.
        """
        async with AsyncClient(self._server) as client:
            while True:
                looking = asyncio.create_task(self._look_for_ended_streams(client))
                try:
                    await self._follow(client)
                    why = "the server has ended the watch"
                except KinesegError as error:
                    if not error.retryable:
                        raise
                    why = str(error).removeprefix(f"{self._server}: ")
                except sqlite3.Error as error:  # the disk is full: the server keeps what comes meanwhile
                    why = f"what comes cannot be kept ({error})"
                finally:
                    looking.cancel()
                self._errors.print_line(f"{self._server}: {why}; trying again")
                await asyncio.sleep(self._backoff.next_s())

    async def _follow(self, client: AsyncClient) -> None:
        watch = client.watch(self._session, kinds=self._kinds, cursor=self._to.cursor or self._first)
        async with watch:
            self._backoff.reset()
            if not self._to.cursor:
                self._to.take([], watch.cursor)  # from now on, whatever happens before the first event
            async for watched in watch:
                if watched.dropped:
                    self._errors.print_line(
                        f"{self._server}: {watched.dropped} events had been given up by its log before they were read"
                    )
                if watched.log_changed:
                    self._errors.print_line(f"{self._server}: its log is another one; what was not read is lost")
                    await self._end_lost_streams(client)
                self._take(watched)

    def _take(self, watched: WatchedEvent) -> None:
        wanted = not self._pattern or fnmatchcase(watched.session_id, self._pattern)
        events = [SinkEvent(watched.event.to_dict(), watched.session_id)] if wanted else []
        self._to.take(events, watched.cursor)

    async def _look_for_ended_streams(self, client: AsyncClient) -> None:
        while True:
            with suppress(KinesegError):  # the watch says so, too
                await self._end_lost_streams(client)
            await asyncio.sleep(_LOOK_FOR_ENDED_S)

    async def _end_lost_streams(self, client: AsyncClient) -> None:
        """Of streams whose server was killed no event says that they have ended."""
        if standing := self._to.standing_streams():  # those that are opened from here on are none of them
            still_open = {session.stream_id for session in await client.sessions()}
            self._to.streams_ended(standing - still_open)
