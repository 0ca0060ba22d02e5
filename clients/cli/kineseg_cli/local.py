"""A client for a command: of a server somewhere, or of one started in this process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from kineseg import Client, Model

from kineseg_cli.extras import needed
from kineseg_cli.failures import CommandError
from kineseg_cli.server_settings import server_settings

if TYPE_CHECKING:
    from kineseg_service.server import BackgroundServer

Provider = Literal["auto", "cuda", "cpu"]


@contextmanager
def local_server(
    *,
    bundles: Sequence[Path] = (),
    provider: Provider = "auto",
    metrics: bool = False,
    bank: Path | None = None,
    spare_bank: Path | None = None,
    joints_only: bool = False,
) -> Iterator[BackgroundServer]:
    """A server on loopback at free ports, as long as the context lasts.

    Args:
        bundles: Models beside the usual ones.
        provider: Where models run.
        metrics: Whether it has metrics.
        bank: Its name bank; None: that which the environment names, if any.
        spare_bank: The one it has where neither names any.
        joints_only: It takes streams of joints to the packaged model and no others, and so is there sooner the first
            time; not where the environment names another model.

    Raises:
        BadBundle: A bundle does not verify.
        BadBank: The name bank cannot be used.
        CommandError: A setting, here or in the environment, cannot be used, or the server is not installed.
    """
    with needed("service", "a server in this process", otherwise="name one with --server"):
        from kineseg_service.server import BackgroundServer
    chosen: dict[str, object] = {
        "host": "127.0.0.1",
        # Whatever the environment says of a server for others: no one but this command knows of this one.
        **dict.fromkeys(("tls_cert", "tls_key", "tls_client_ca", "tokens")),
        "port": 0,
        "metrics_port": 0 if metrics else None,
        "bundles": tuple(bundles),
        "provider": provider,
        "log_level": "warning",
    }
    if bank is not None:
        chosen["label_bank"] = bank
    settings = server_settings(chosen)
    if settings.label_bank is None and spare_bank is not None:
        settings = settings.model_copy(update={"label_bank": spare_bank})
    if joints_only and settings.packaged_bundle and not settings.default_model:
        settings = settings.model_copy(update={"joints_only": True, "scratch": False})
    with BackgroundServer(settings) as server:
        yield server


@contextmanager
def connect(
    server: str | None, *, bundles: Sequence[Path] = (), provider: Provider = "auto", bank: Path | None = None
) -> Iterator[Client]:
    """A client of `server` (HOST:PORT), or of one in this process if that is None."""
    if server is not None:
        if bundles:
            raise CommandError("--bundle is for a server in this process: leave it out with --server")
        if bank is not None:
            raise CommandError("--bank is for a server in this process; one elsewhere has its own (serve --label-bank)")
        with Client(server) as client:
            yield client
        return
    with local_server(bundles=bundles, provider=provider, bank=bank) as own, own_client(own) as client:
        yield client


def own_client(server: BackgroundServer) -> Client:
    """A client of a server in this process, whatever the environment says of others."""
    return Client(server.address, tls=False, token="")


def choose_model(client: Client, name: str) -> Model:
    """The model of that name, or the server's default.

    Raises:
        CommandError: There is none such.
    """
    models = client.models()
    for model in models:
        if model.name == name or (not name and model.is_default):
            return model
    known = ", ".join(model.name for model in models) or "none: give one with --bundle"
    wanted = f"model {name!r}" if name else "default model"
    raise CommandError(f"the server has no {wanted}; it has: {known}")
