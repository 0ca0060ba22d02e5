"""The address of a sink: a URL whose scheme says how it takes events."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from kineseg.sinks.errors import SinkError

COMMON_OPTIONS = ("batch", "kinds", "name", "provisional", "session", "spool", "timeout")
"""Options that every sink has, see `Terms`."""
_VARIABLE = re.compile(r"\$\{(\w+)\}")
_PARTS = re.compile(r"([^:/?#]+://[^/@?#]*@)?([^?#]*)(.*)", re.DOTALL)  # user and password, place, options
_YES, _NO = ("true", "yes", "1"), ("false", "no", "0")


@dataclass(frozen=True)
class SinkAddress:
    """A sink's URL taken apart. ``${NAME}`` in it stands for a variable of the environment, so that no secret must be
    written into a command.

    Attributes:
        url: As it was given, variables and all, but without the password that may stand in it.
        scheme: What says how it takes events, lower case.
        host: Host or address; empty: none was given.
        port: None: the protocol's own.
        path: What follows, or all of it for schemes without a host.
        options: What stands after the question mark; for HTTP, whose receivers have queries of their own, after ``#``.
        target: For HTTP: where to, without the scheme's first part and without options.
        user: Before the ``@``; empty: none.
        password: The same.
    """

    url: str
    scheme: str
    host: str = ""
    port: int | None = None
    path: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    target: str = ""
    user: str = ""
    password: str = field(default="", repr=False)

    @classmethod
    def parse(cls, url: str) -> SinkAddress:
        """Take a URL apart.

        Raises:
            SinkError: It is no URL, its port is none, or a variable is not set.
        """
        scheme, colon, rest = _with_variables(url).partition(":")
        scheme = scheme.lower()
        shown = re.sub(r"(?<=://)([^/@:]*):[^/@]*@", r"\1:***@", url)
        if not colon or len(scheme) < 2:  # a single letter is a drive
            raise SinkError(f"{shown!r} is no sink: write a scheme first, such as jsonl:events.jsonl or mqtt://HOST")
        if not rest.startswith("//"):
            path, mark, query = rest.rpartition("?")
            return cls(shown, scheme, path=path if mark else rest, options=_options(query) if mark else {})
        inner = scheme.rpartition("+")[2]
        over_http = inner in ("http", "https")  # which has fragments
        try:
            parts = urlsplit(f"{scheme}:{rest}", allow_fragments=over_http)
            port, host = parts.port, parts.hostname or ""
        except ValueError as error:
            raise SinkError(f"{shown}: the port must be a number up to 65535 ({error})") from None
        netloc = parts.netloc.rpartition("@")[2]
        return cls(
            shown, scheme, host, port, parts.path,
            _options(parts.fragment if over_http else parts.query),
            parts._replace(scheme=inner, netloc=netloc, fragment="").geturl() if over_http else "",
            unquote(parts.username or ""), unquote(parts.password or ""),
        )  # fmt: skip

    @property
    def where(self) -> str:
        """The sink without its options, which may be secrets."""
        return re.split(r"[?#]", self.url, maxsplit=1)[0]

    def check_options(self, known: Iterable[str], prefixes: tuple[str, ...] = ()) -> None:
        """Raises SinkError for an option that the sink does not have."""
        names = sorted({*known, *COMMON_OPTIONS})
        for name in self.options:
            if name not in names and not (prefixes and name.startswith(prefixes)):
                all_of_them = ", ".join([*names, *(f"{prefix}NAME" for prefix in prefixes)])
                raise SinkError(f"{self.where}: there is no option {name!r}; {self.scheme} has: {all_of_them}")

    def text(self, name: str, default: str = "") -> str:
        """An option as it stands."""
        return self.options.get(name, default)

    def named(self, prefix: str) -> dict[str, str]:
        """The options that begin so, by what follows."""
        return {name[len(prefix) :]: value for name, value in self.options.items() if name.startswith(prefix)}

    def number(self, name: str, default: float, *, low: float, high: float) -> float:
        """An option that is a number.

        Raises:
            SinkError: It is none, or out of range.
        """
        try:
            value = float(self.options.get(name, default))
        except ValueError:
            value = float("nan")
        if not low <= value <= high:
            raise SinkError(f"{self.where}: {name} must be a number from {low:g} to {high:g}")
        return value

    def choice(self, name: str, choices: tuple[str, ...]) -> str:
        """An option out of a few; the first of them unless it is given.

        Raises:
            SinkError: It is none of them.
        """
        value = self.options.get(name, choices[0])
        if value not in choices:
            raise SinkError(f"{self.where}: {name} must be one of {', '.join(choices)}, not {value!r}")
        return value

    def yes(self, name: str, default: bool) -> bool:
        """An option that is yes or no.

        Raises:
            SinkError: It is neither.
        """
        value = self.options.get(name, _YES[0] if default else _NO[0]).lower()
        if value not in _YES + _NO:
            raise SinkError(f"{self.where}: {name} must be yes or no, not {value!r}")
        return value in _YES


def _options(query: str) -> dict[str, str]:
    return dict(parse_qsl(query, keep_blank_values=True))


def _with_variables(url: str) -> str:
    found = _PARTS.fullmatch(url)
    if found is None:
        return url

    def plain(variable: re.Match[str]) -> str:
        if variable[1] not in os.environ:
            raise SinkError(f"the environment has no variable {variable[1]}, which a sink's URL names")
        return os.environ[variable[1]]

    def quoted(variable: re.Match[str]) -> str:
        return quote(plain(variable), safe="")

    user, place, options = found.groups()
    return _VARIABLE.sub(quoted, user or "") + _VARIABLE.sub(plain, place) + _VARIABLE.sub(quoted, options)
