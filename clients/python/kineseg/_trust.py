"""Whom a client trusts and who it says it is: TLS and token, from arguments, the environment, or the user's file.

An argument wins over the environment, and that over the file, which has a table for each server:

    # ~/.config/kineseg/client.toml, or where KINESEG_CLIENT_CONFIG says
    ["motion.example.org:443"]
    tls = true
    token_file = "~/.config/kineseg/token"
"""

from __future__ import annotations

import ipaddress
import os
import ssl
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from reprlib import repr as short
from typing import Any

import grpc

from kineseg._errors import InvalidRequest

_KEYS = ("tls", "ca", "cert", "key", "server_name", "token", "token_file")
_YES, _NO = ("1", "true", "yes", "on"), ("0", "false", "no", "off", "")


@dataclass(frozen=True, slots=True)
class TLS:
    """How a connection is encrypted, and whom it trusts.

    Attributes:
        ca: PEM file of the authority that vouches for the server. None: those that gRPC comes with.
        cert: PEM file of the client's own certificate, for servers that ask for one.
        key: PEM file of its private key.
        server_name: The name that the server's certificate must have. Empty: that of the address.
    """

    ca: str | os.PathLike[str] | None = None
    cert: str | os.PathLike[str] | None = None
    key: str | os.PathLike[str] | None = None
    server_name: str = ""

    def credentials(self) -> grpc.ChannelCredentials:
        """For gRPC.

        Raises:
            InvalidRequest: A file cannot be read, or is not what it should be.
        """
        if (self.cert is None) != (self.key is None):
            raise InvalidRequest("tls: a client's certificate and its key come together: give both", field="tls")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        ca = chain = key = None
        if self.ca is not None:
            ca = _read(self.ca, "tls.ca")
            try:
                context.load_verify_locations(Path(self.ca).expanduser())
            except (OSError, ValueError) as error:
                raise InvalidRequest(f"tls.ca {self.ca}: no PEM file of certificates ({error})", field="tls") from error
        if self.cert is not None and self.key is not None:
            chain, key = _read(self.cert, "tls.cert"), _read(self.key, "tls.key")
            try:
                context.load_cert_chain(Path(self.cert).expanduser(), Path(self.key).expanduser(), _no_password)
            except (OSError, ValueError) as error:
                message = (
                    f"tls.cert {self.cert} does not fit tls.key {self.key}, or one of them is no PEM file ({error})"
                )
                raise InvalidRequest(message, field="tls") from error
        return grpc.ssl_channel_credentials(ca, key, chain)


@dataclass(frozen=True, slots=True)
class Trust:
    """What a client connects with.

    Attributes:
        credentials: For the channel; None: no encryption.
        token: Who it says it is; empty: nothing.
        options: For the channel.
    """

    credentials: grpc.ChannelCredentials | None
    token: str
    options: tuple[tuple[str, Any], ...] = ()


def trust(
    address: str,
    tls: TLS | bool | str | os.PathLike[str] | None,
    token: str | None,
    credentials: grpc.ChannelCredentials | None,
) -> Trust:
    """What a client connects with.

    Args:
        address: Of the server, as it was checked.
        tls, token, credentials: See `Client`.

    Raises:
        InvalidRequest: Something of it cannot be used, or the token would be sent for everyone to read.
    """
    is_given = (tls is not None or credentials is not None) and token is not None
    said = {} if is_given and tls is not True else _said(address)
    chosen = _tls(tls, said) if credentials is None else None
    if credentials is not None and tls is not None:
        raise InvalidRequest("give tls or credentials, not both", field="tls")
    shown = _token(token, said)
    safe = credentials if chosen is None else chosen.credentials()
    if shown and safe is None and not _is_here(address):
        raise InvalidRequest(
            f"the token would go to {address} for everyone on the way to read: give tls=True, or tls=TLS(ca=...) with "
            "the authority of the server's certificate (KINESEG_TLS, KINESEG_CA)",
            field="token",
        )
    name = "" if chosen is None else chosen.server_name
    return Trust(safe, shown, (("grpc.ssl_target_name_override", name),) if name else ())


def _tls(given: TLS | bool | str | os.PathLike[str] | None, said: Mapping[str, Any]) -> TLS | None:
    if isinstance(given, TLS):
        return given
    if given is False:
        return None
    if isinstance(given, str | os.PathLike):
        return TLS(ca=given)
    if not (given is None or given is True):
        raise InvalidRequest(
            f"tls must be True, False, a kineseg.TLS, or the file of an authority, got {short(given)}", field="tls"
        )
    found = {key: said[key] for key in ("ca", "cert", "key", "server_name") if key in said}
    if given is True or said.get("tls", bool(found)):
        return TLS(**found)
    return None


def _token(given: str | None, said: Mapping[str, Any]) -> str:
    token = given
    if token is None:
        token = said.get("token", "")
        if not token and "token_file" in said:
            token = _read(said["token_file"], "token_file").decode("utf-8", "replace")
    shown = token.strip() if isinstance(token, str) else None
    if shown is None or not (shown.isascii() and shown.isprintable()) or " " in shown:
        raise InvalidRequest("the token is not one: it is printable ASCII, without spaces", field="token")
    return shown


def _said(address: str) -> dict[str, Any]:
    """What environment and file say for this server."""
    said = _of_file(address)
    names = {
        "tls": "KINESEG_TLS",
        "ca": "KINESEG_CA",
        "cert": "KINESEG_CLIENT_CERT",
        "key": "KINESEG_CLIENT_KEY",
        "server_name": "KINESEG_SERVER_NAME",
        "token": "KINESEG_TOKEN",
        "token_file": "KINESEG_TOKEN_FILE",
    }
    found = {key: os.environ[name] for key, name in names.items() if os.environ.get(name)}
    if {"token", "token_file"} & set(found):
        said.pop("token", None), said.pop("token_file", None)
    said |= found
    tls = said.get("tls")
    if isinstance(tls, str):
        if tls.lower() not in _YES + _NO:
            raise InvalidRequest(f"KINESEG_TLS must be 1 or 0, got {tls!r}", field="tls")
        said["tls"] = tls.lower() in _YES
    return said


def _of_file(address: str) -> dict[str, Any]:
    named = os.environ.get("KINESEG_CLIENT_CONFIG")
    folder = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    try:
        path = Path(named or f"{folder}/kineseg/client.toml").expanduser()
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError, RuntimeError):  # the last: no one knows where home is
        if named:
            raise InvalidRequest(f"KINESEG_CLIENT_CONFIG: there is no file {named}", field="tls") from None
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidRequest(f"{path} cannot be read ({error})", field="tls") from error
    try:
        table = tomllib.loads(text).get(address, {})
    except tomllib.TOMLDecodeError as error:
        raise InvalidRequest(f"{path} is not TOML ({error})", field="tls") from error
    if not isinstance(table, dict):
        raise InvalidRequest(f'{path}: "{address}" must be a table', field="tls")
    strange = set(table) - set(_KEYS)
    wrong = [key for key in _KEYS if key in table and not isinstance(table[key], bool if key == "tls" else str)]
    if strange or wrong:
        what = ", ".join(sorted([*strange, *wrong]))
        raise InvalidRequest(f'{path}, table "{address}": {what}: there are {", ".join(_KEYS)}', field="tls")
    return dict(table)


def _read(path: str | os.PathLike[str], field: str) -> bytes:
    try:
        return Path(path).expanduser().read_bytes()
    except OSError as error:
        raise InvalidRequest(f"{field} {path}: it cannot be read ({error.strerror or error})", field="tls") from error


def _is_here(address: str) -> bool:
    """Whether what is sent there leaves this machine."""
    if address.startswith(("unix:", "unix-abstract:")):
        return True
    host = address.rpartition(":")[0].removeprefix("dns:").strip("/").strip("[]")
    host = host.removeprefix("ipv4:").removeprefix("ipv6:").strip("[]")
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _no_password() -> str:
    raise ValueError("the key is encrypted; give one without a password, that only you may read")
