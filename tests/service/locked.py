"""Servers that ask for tokens and certificates, and those who have them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import grpc
import trustme
from kineseg_service.access.caller import Role
from kineseg_service.access.token_file import Tokens, new_token

from tests.service.talk import Stub

OWN = [("grpc.use_local_subchannel_pool", 1)]


class Keyring:
    """A file of tokens, and the tokens themselves."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.tokens = Tokens()
        self.tokens.save(path)

    def make(self, tenant: str, *roles: Role, expires: datetime | None = None) -> str:
        text, token = new_token(tenant, roles or tuple(Role), expires)
        self.tokens = self.tokens.with_token(token)
        self.tokens.save(self.path)
        return text

    def revoke(self, text: str) -> None:
        self.tokens = self.tokens.without(text.split("_")[1])
        self.tokens.save(self.path)


def bearer(token: str) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {token}"),)


class Shows(grpc.UnaryUnaryClientInterceptor, grpc.UnaryStreamClientInterceptor, grpc.StreamStreamClientInterceptor):  # type: ignore[misc, type-arg]
    """Puts a token on every call."""

    def __init__(self, token: str) -> None:
        self._metadata = bearer(token)

    def _intercept(self, continuation: Any, details: Any, request: Any) -> Any:
        return continuation(details._replace(metadata=self._metadata), request)

    intercept_unary_unary = intercept_unary_stream = intercept_stream_stream = _intercept


@contextmanager
def stub_with(address: str, token: str) -> Iterator[Stub]:
    """Talks with a token."""
    with grpc.insecure_channel(address, OWN) as channel:
        yield Stub(grpc.intercept_channel(channel, Shows(token)))


def write_pair(cert: trustme.LeafCert, folder: Path) -> tuple[Path, Path]:
    """The certificate and the key of a server, in files of that folder."""
    chain, key = folder / "server.pem", folder / "server.key"
    chain.write_bytes(b"".join(blob.bytes() for blob in cert.cert_chain_pems))
    key.write_bytes(cert.private_key_pem.bytes())
    return chain, key
