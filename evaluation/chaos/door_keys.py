"""Tokens and certificates of one's own making: those that count, and those that do not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme
from kineseg_service.access.caller import Role
from kineseg_service.access.token_file import Tokens, new_token


class Keys:
    """A file of tokens, an authority, and a server's certificate by it.

    Args:
        folder: Where they lie.

    Attributes:
        tokens: The file.
        ca, stranger: An authority, and another that no one trusts.
    """

    def __init__(self, folder: Path) -> None:
        self.tokens = folder / "tokens.json"
        self._known = Tokens()
        self.ca, self.stranger = trustme.CA(), trustme.CA()
        self._cert, self._key, self._client_ca = folder / "server.pem", folder / "server.key", folder / "clients.pem"
        server = self.ca.issue_cert("localhost", "127.0.0.1")
        self._cert.write_bytes(b"".join(blob.bytes() for blob in server.cert_chain_pems))
        self._key.write_bytes(server.private_key_pem.bytes())
        self._client_ca.write_bytes(self.ca.cert_pem.bytes())
        self._known.save(self.tokens)

    @property
    def tls(self) -> dict[str, Path]:
        """Settings of a server that asks its clients for certificates, too."""
        return {"tls_cert": self._cert, "tls_key": self._key, "tls_client_ca": self._client_ca}

    def token(self, tenant: str, *roles: Role, over: bool = False) -> str:
        """One that counts, with all roles unless some are given; or one whose time is over."""
        expires = datetime.now(UTC) - timedelta(seconds=1) if over else None
        text, token = new_token(tenant, roles or tuple(Role), expires)
        self._known = self._known.with_token(token)
        self._known.save(self.tokens)
        return text

    def revoke(self, text: str) -> None:
        """It does not count any more."""
        self._known = self._known.without(text.split("_")[1])
        self._known.save(self.tokens)

    def certificate(self, authority: trustme.CA, *, over: bool = False) -> trustme.LeafCert:
        """Of a client."""
        until = datetime.now(UTC) - timedelta(days=1) if over else None
        since = datetime.now(UTC) - timedelta(days=2) if over else None
        return authority.issue_cert("rig@example.org", not_before=since, not_after=until)
