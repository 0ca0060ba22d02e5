"""Where a server is: what people write, as gRPC understands it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from kineseg._errors import InvalidRequest

DEFAULT_PORT = 50051
# Names that gRPC resolves itself; all but the last two have a port of their own.
_GRPC_SCHEMES = ("dns:", "ipv4:", "ipv6:", "xds:", "vsock:", "unix:", "unix-abstract:")
_URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<rest>[^/?#]*)")
_HOST = re.compile(r"[^\s/\\@?#:\[\]]+")


def checked_addresses(address: object) -> tuple[str, ...]:
    """One address or several as gRPC takes them, see `checked_address`.

    Args:
        address: One, several with commas between them, or a sequence of several.

    Raises:
        InvalidRequest: There is none, or one is none.
    """
    if isinstance(address, str):
        is_grpcs = address.strip().startswith(_GRPC_SCHEMES)  # which may have commas of their own
        parts: list[object] = [address] if is_grpcs else [part for part in address.split(",") if part.strip()]
    elif isinstance(address, Sequence) and not isinstance(address, bytes):
        parts = list(address)
    else:
        parts = [address]
    return tuple(dict.fromkeys(map(checked_address, parts or [""])))


def checked_address(address: object) -> str:
    """An address as gRPC takes it: ``host:port``, with the default port 50051 where none is given.

    Args:
        address: ``host``, ``host:port``, ``[ipv6]:port``, or a name with a scheme of gRPC's (``dns:``, ``unix:``, ...).

    Raises:
        InvalidRequest: It is a URL, or no address at all; says what to give instead.
    """
    if not isinstance(address, str) or not address.strip():
        raise InvalidRequest(f"address must be 'host:port', got {address!r}", field="address")
    text = address.strip()
    if text.startswith(_GRPC_SCHEMES):
        return text
    url = _URL.match(text)
    if url:
        secure = ", and tls=True" if url["scheme"].endswith("s") else ""
        raise InvalidRequest(
            f"address is the URL {text!r}; gRPC takes host:port without {url['scheme']}://: give "
            f"{url['rest'] or 'host:port'!r}{secure}",
            field="address",
        )
    host, port = _split(text)
    if not host or not (_HOST.fullmatch(host) or _is_ipv6(host)):
        raise InvalidRequest(
            f"address must be 'host:port', such as 'localhost:{DEFAULT_PORT}', got {address!r}", field="address"
        )
    if not (port.isascii() and port.isdigit() and 1 <= int(port) <= 65535):
        raise InvalidRequest(f"the port of an address must be 1 to 65535, got {port!r} in {address!r}", field="address")
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _split(text: str) -> tuple[str, str]:
    if text.startswith("["):
        host, closing, rest = text[1:].partition("]")
        return host if closing else "", rest.removeprefix(":") if rest else str(DEFAULT_PORT)
    if text.count(":") > 1:  # an IPv6 address without brackets has no port
        return text, str(DEFAULT_PORT)
    host, colon, port = text.partition(":")
    return host, port if colon else str(DEFAULT_PORT)


def _is_ipv6(host: str) -> bool:
    return ":" in host and re.fullmatch(r"[0-9A-Fa-f:.]+(%[\w.-]+)?", host) is not None
