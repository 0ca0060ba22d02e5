"""Where taught names are stored: on a server, or in the file of a name bank."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from kineseg import Client, TaughtName
from kineseg_core.naming import NameBank, NamedExamples

from kineseg_cli.failures import CommandError
from kineseg_cli.local import Provider, connect


@dataclass(frozen=True, slots=True)
class KeptName:
    """A name as it is stored now.

    Attributes:
        name: The name.
        model: Name of the model whose segments have it.
        sha256: Of that model's graph.
        sources: Where its examples come from, in the order taught.
        in_use: Whether streams are given it; None for a file, since no model runs.
    """

    name: str
    model: str
    sha256: str
    sources: tuple[str, ...]
    in_use: bool | None

    @classmethod
    def on_server(cls, taught: TaughtName) -> Self:
        """As a server has it."""
        return cls(taught.name, taught.model, taught.model_sha256, taught.sources, taught.in_use)

    @classmethod
    def in_bank(cls, taught: NamedExamples) -> Self:
        """As a file has it."""
        sources = tuple(example.source for example in taught.examples)
        return cls(taught.name, taught.model, taught.sha256, sources, None)


@dataclass(frozen=True, slots=True)
class NameStore:
    """A server, or a file, for which a server in this process does what needs a model.

    Attributes:
        server: HOST:PORT.
        bank: The file.
        bundles: Models of the server in this process.
        provider: Where those run.

    Raises:
        CommandError: Neither a server nor a file is named, or both are.
    """

    server: str | None = None
    bank: Path | None = None
    bundles: tuple[Path, ...] = ()
    provider: Provider = "auto"

    def __post_init__(self) -> None:
        if (self.server is None) == (self.bank is None):
            raise CommandError("no place for the names: give either --server HOST:PORT or --bank FILE")

    @contextmanager
    def client(self) -> Iterator[Client]:
        """A client of the server that was named, or of one in this process."""
        with connect(self.server, bundles=self.bundles, provider=self.provider, bank=self.bank) as client:
            yield client

    def check_writable(self) -> None:
        """Check before the work that the file can be changed; a server checks its own.

        Raises:
            BadBank: It is not a name bank, or it cannot be written.
        """
        if self.bank is not None:
            NameBank.load(self.bank)
            NameBank.check_writable(self.bank)


def existing_bank(path: Path | None) -> Path | None:
    """The path of a name bank that is to be read.

    Raises:
        CommandError: There is no such file.
    """
    if path is not None and not path.is_file():
        raise CommandError(f"--bank {path}: there is no such file; `kineseg label teach` makes one")
    return path
