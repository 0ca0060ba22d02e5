"""The server's certificate and key, which may be replaced while it runs."""

from __future__ import annotations

import ssl
import threading
from dataclasses import dataclass
from pathlib import Path

from kineseg_core.errors import BadFile

from kineseg_service.access.changes import signature
from kineseg_service.logs import get_logger

_log = get_logger(__name__)


class BadCertificate(BadFile):
    """A certificate or its key was refused."""

    what = "certificate"


@dataclass(frozen=True, slots=True)
class Pems:
    """What the files hold.

    Attributes:
        chain: The server's certificate, and those between it and the authority.
        key: Its private key.
        client_ca: Whose certificates clients must show; none: they need not.
    """

    chain: bytes
    key: bytes
    client_ca: bytes | None


class Certificates:
    """A server's certificate and key. To be used by any thread.

    Args:
        chain: PEM file of the certificate, and those between it and the authority.
        key: PEM file of its private key.
        client_ca: PEM file of the authority whose certificates clients must show; none: they need not.

    Raises:
        BadCertificate: A file cannot be read, is not what it should be, or the key is not the certificate's.
    """

    def __init__(self, chain: Path, key: Path, client_ca: Path | None = None) -> None:
        self._chain = chain
        self._key = key
        self._client_ca = client_ca
        self._lock = threading.Lock()
        self._read_at = signature(self._paths)
        self._pems = self._read()
        self._context = self._make_context()

    @property
    def asks_clients(self) -> bool:
        """Whether clients must show a certificate."""
        return self._client_ca is not None

    def current(self) -> Pems:
        """What the files hold now; while they do not fit together, what they held before."""
        self._look()
        return self._pems

    def context(self) -> ssl.SSLContext:
        """The same for Python's own servers."""
        self._look()
        return self._context

    def following_context(self) -> ssl.SSLContext:
        """One that stays, and yet gives every new connection the certificates of its time."""
        context = self._make_context()

        def follow(connection: ssl.SSLSocket | ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
            connection.context = self.context()

        context.sni_callback = follow
        return context

    def ends(self) -> dict[str, float]:
        """When the first certificate of each file ends, in Unix seconds, by the setting that names the file."""
        pems = self.current()
        ends = {"tls_cert": _end(pems.chain)}
        if pems.client_ca is not None:
            ends["tls_client_ca"] = _end(pems.client_ca)
        return ends

    @property
    def _paths(self) -> list[Path]:
        return [path for path in (self._chain, self._key, self._client_ca) if path is not None]

    def _look(self) -> None:
        with self._lock:
            found = signature(self._paths)
            if found == self._read_at:
                return
            self._read_at = found
            try:
                pems, context = self._read(), self._make_context()
            except BadCertificate as error:
                # They are written one after the other: the next look may find that they fit.
                _log.error("certificates have changed and cannot be used: the old ones stay", error=str(error))
                return
            self._pems, self._context = pems, context
            _log.info("certificates have been read anew", certificate=str(self._chain))

    def _read(self) -> Pems:
        chain, key = _bytes_of(self._chain), _bytes_of(self._key)
        return Pems(chain, key, None if self._client_ca is None else _bytes_of(self._client_ca))

    def _make_context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            context.load_cert_chain(self._chain, self._key, password=_no_password)
        except (OSError, ValueError) as error:  # of which ssl.SSLError is one
            reason = f"it does not fit its key {self._key}, or one of them is not a PEM file ({error})"
            raise BadCertificate(self._chain, reason) from error
        if self._client_ca is not None:
            try:
                context.load_verify_locations(self._client_ca)
            except (OSError, ValueError) as error:
                raise BadCertificate(self._client_ca, f"it is not a PEM file of certificates ({error})") from error
            context.verify_mode = ssl.CERT_REQUIRED
        return context


def _end(pem: bytes) -> float:
    from cryptography.x509 import load_pem_x509_certificates  # takes long, and is needed only here

    return min(each.not_valid_after_utc.timestamp() for each in load_pem_x509_certificates(pem))


def _no_password() -> str:
    raise ValueError("the key is encrypted: give one without a password, that only the server's user may read")


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadCertificate(path, f"it cannot be read ({error.strerror or error})") from error
