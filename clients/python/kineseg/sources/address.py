"""The address of a source: a URL whose scheme says how it speaks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeVar, get_args
from urllib.parse import parse_qsl, unquote, urlsplit

from kineseg.sources.errors import SourceError

Value = TypeVar("Value")
_VERBATIM = ("exec",)  # what follows is a command, question marks and all
_LARGEST_PORT = 65535


@dataclass(frozen=True)
class SourceAddress:
    """A source's URL taken apart.

    Attributes:
        url: As it was given, but for a password.
        scheme: What says how it speaks, lower case.
        host: Host or address; empty: any.
        port: None: the protocol's own.
        path: What follows, or all of it for schemes without a host.
        options: What stands after the question mark.
        user: Who logs in, for schemes where somebody does.
        password: Theirs; shown nowhere.
    """

    url: str
    scheme: str
    host: str = ""
    port: int | None = None
    path: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    user: str = ""
    password: str = field(default="", repr=False)

    @classmethod
    def parse(cls, url: str) -> SourceAddress:
        """Take a URL apart; ``-`` is standard input.

        Raises:
            SourceError: It is no URL, or its port is none.
        """
        if url == "-":
            return cls(url, "-")
        scheme, colon, rest = url.partition(":")
        scheme = scheme.lower()
        if not colon or not scheme or len(scheme) == 1:  # a single letter is a drive
            raise SourceError(
                f"{url!r} is no source: write a scheme first, such as vmc://0.0.0.0:39539 or file:take.bvh"
            )
        if scheme in _VERBATIM:
            return cls(url, scheme, path=rest.strip())
        if not rest.startswith("//"):
            path, options = _split_options(rest)
            return cls(url, scheme, path=path, options=options)
        try:
            parts = urlsplit(url, allow_fragments=False)
            port, host = parts.port, parts.hostname or ""
        except ValueError as error:
            raise SourceError(f"{url!r}: the port must be a number up to {_LARGEST_PORT} ({error})") from None
        options = dict(parse_qsl(parts.query, keep_blank_values=True))
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        if parts.password:
            url = url.replace(f":{parts.password}@", ":***@", 1)
        return cls(url, scheme, host, port, parts.path, options, user, password)

    @property
    def file(self) -> Path | None:
        """The file that is read; None: it is no file."""
        return Path(self.path or self.host) if self.scheme == "file" else None

    def check_options(self, known: Iterable[str]) -> None:
        """Raises SourceError for an option that the source does not have."""
        names = sorted({*known, *COMMON_OPTIONS})
        for name in self.options:
            if name not in names:
                raise SourceError(f"{self.url}: there is no option {name!r}; {self.scheme} has: {', '.join(names)}")

    def text(self, name: str, default: str = "") -> str:
        """An option as it stands."""
        return self.options.get(name, default)

    def number(self, name: str, default: Value, *, low: float, high: float) -> float | Value:
        """An option that is a number.

        Raises:
            SourceError: It is none, or out of range.
        """
        if name not in self.options:
            return default
        try:
            value = float(self.options[name])
        except ValueError:
            value = float("nan")
        if not low <= value <= high:
            raise SourceError(f"{self.url}: {name} must be a number from {low:g} to {high:g}")
        return value

    def choice(self, name: str, choices: Iterable[str], default: str) -> str:
        """An option out of a few.

        Raises:
            SourceError: It is none of them.
        """
        value = self.options.get(name, default)
        known = tuple(choices)
        if value not in known:
            raise SourceError(f"{self.url}: {name} must be one of {', '.join(filter(None, known))}, not {value!r}")
        return value


Direction = Literal["auto", "y", "z"]
COMMON_OPTIONS = ("clock", "queue", "rate", "unit", "up")
"""Options that every source has, see `Expectations`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectations:
    """What the user says about a feed, instead of what its sender says.

    Attributes:
        rate: Frames a second.
        up: The vertical axis; ``auto``: what the protocol says, or as the body stands.
        unit: The unit of length; empty: what the protocol says.
        clock: Whose clock the capture times are of; empty: the sender's where it has one.
        queue: Frames that may wait to be read; then the oldest are dropped.
    """

    rate: float | None = None
    up: Direction = "auto"
    unit: str = ""
    clock: str = ""
    queue: int = 2000

    @classmethod
    def of(cls, address: SourceAddress) -> Expectations:
        """The common options of an address.

        Raises:
            SourceError: One of them cannot be used.
        """
        up = address.choice("up", get_args(Direction), "auto")
        return cls(
            rate=address.number("rate", None, low=1.0, high=1000.0),
            up="y" if up == "y" else "z" if up == "z" else "auto",
            unit=address.choice("unit", ("", "m", "cm", "mm", "in"), ""),
            clock=address.choice("clock", ("", "sender", "arrival"), ""),
            queue=int(address.number("queue", 2000, low=1, high=1e6)),
        )


def _split_options(rest: str) -> tuple[str, dict[str, str]]:
    """A path and the options after it; a question mark that no options follow belongs to the path."""
    path, mark, query = rest.rpartition("?")
    options = dict(parse_qsl(query)) if mark else {}
    return (path, options) if options else (rest, {})
