"""`kineseg serve`: runs the server until a signal stops it."""

from __future__ import annotations

import asyncio
import enum
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Annotated

import typer
from kineseg.page import Hub
from kineseg_core.garbage import collected_seldom

from kineseg_cli.error_console import ErrorConsole
from kineseg_cli.extras import needed
from kineseg_cli.options import Bundle, Provider
from kineseg_cli.page_address import page_address, shown_page
from kineseg_cli.server_settings import server_settings


class LogLevel(enum.StrEnum):
    """Lowest level that is logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogFormat(enum.StrEnum):
    """Form of log lines."""

    JSON = "json"
    CONSOLE = "console"


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on. Default: 127.0.0.1.")] = None,
    port: Annotated[int | None, typer.Option(help="gRPC port; 0: any free one. Default: 50051.")] = None,
    metrics_port: Annotated[
        int | None, typer.Option(help="Prometheus port; 0: any free one; -1: none. Default: 9464.")
    ] = None,
    tls_cert: Annotated[
        Path | None, typer.Option("--tls-cert", help="PEM file of the server's certificate. Default: no TLS.")
    ] = None,
    tls_key: Annotated[
        Path | None,
        typer.Option("--tls-key", help="PEM file of that certificate's key; both may be renewed."),
    ] = None,
    tls_client_ca: Annotated[
        Path | None,
        typer.Option("--tls-client-ca", help="PEM file of the authority whose certificates clients must show."),
    ] = None,
    tokens: Annotated[
        Path | None,
        typer.Option(help="File of tokens that callers must show, see `kineseg token`. Default: none is asked for."),
    ] = None,
    insecure: Annotated[
        bool, typer.Option("--insecure", help="Listen without TLS where other machines can reach it.")
    ] = False,
    bundle: Bundle = None,
    model: Annotated[str | None, typer.Option(help="Model for streams that name none.")] = None,
    provider: Annotated[
        Provider | None, typer.Option(help="Where models run; auto: CUDA where it is faster, else CPU. Default: auto.")
    ] = None,
    label_bank: Annotated[
        Path | None,
        typer.Option(help="Name bank: JSON file with taught names, created when the first is taught. Default: none."),
    ] = None,
    rules: Annotated[
        Path | None,
        typer.Option(help="TOML file of names, and absences of names, that are alerts in all streams. Default: none."),
    ] = None,
    store: Annotated[
        str | None,
        typer.Option(
            help="Where resumable streams are kept so that they outlive the server: memory (they do not), sqlite:PATH, "
            "or a redis:// URL. Default: memory."
        ),
    ] = None,
    store_key: Annotated[
        Path | None,
        typer.Option("--store-key", help="File of 32 random bytes that servers which share a store have in common."),
    ] = None,
    max_sessions: Annotated[
        int | None, typer.Option(help="Most streams that may be open at once, in each process. Default: 1024.")
    ] = None,
    processes: Annotated[
        str | None,
        typer.Option(help='Processes that share the port, each with its own streams; "auto": one a core. Default: 1.'),
    ] = None,
    log_level: Annotated[LogLevel | None, typer.Option(help="Lowest level that is logged. Default: info.")] = None,
    log_format: Annotated[LogFormat | None, typer.Option(help="Form of log lines. Default: console.")] = None,
    page: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT", help="Show all streams in a browser there; prints the address. Default: no page."
        ),
    ] = None,
    config: Annotated[
        Path | None, typer.Option(help="TOML file with settings; flags and KINESEG_* variables win over it.")
    ] = None,
) -> None:
    """Run the server until SIGTERM or Ctrl-C; open streams are ended properly."""
    with needed("service", "serving"), collected_seldom():
        from kineseg_service.access.guests import guests
        from kineseg_service.access.of_settings import certificates
        from kineseg_service.logs import configure_logs
        from kineseg_service.serving import server

    given: dict[str, object] = {
        "host": host,
        "port": port,
        "tls_cert": tls_cert,
        "tls_key": tls_key,
        "tls_client_ca": tls_client_ca,
        "tokens": tokens,
        "insecure": insecure or None,
        "bundles": tuple(bundle) if bundle else None,
        "default_model": model,
        "provider": provider and provider.value,
        "label_bank": label_bank,
        "rules": rules,
        "store": store,
        "store_key": store_key,
        "max_sessions": max_sessions,
        "processes": processes,
        "log_level": log_level and log_level.value,
        "log_format": log_format and log_format.value,
        "config_file": config,
    }
    chosen = {name: value for name, value in given.items() if value is not None}
    if metrics_port is not None:
        chosen["metrics_port"] = None if metrics_port == -1 else metrics_port
    settings = server_settings(chosen)
    configure_logs(settings.log_level, settings.log_format)
    with needed("service", "serving"):
        hub = None if page is None else Hub()
        run = server(settings, hub)
    shown_at = None
    if page is not None:
        shown_at = page_address(page, "--page", closed=settings.insecure or settings.tls_cert is not None)

    async def until_asked() -> None:  # a server is made in the loop that runs it
        async with AsyncExitStack() as stack:
            if hub is not None and shown_at is not None:
                tls = certificates(settings)
                context = None if tls is None else tls.following_context()
                shown = await stack.enter_async_context(shown_page(hub, *shown_at, context, guests(settings)))
                ErrorConsole().print_line(f"the page: {shown.url}")
            await run()

    asyncio.run(until_asked())
