"""The door as the settings want it."""

from __future__ import annotations

from kineseg_service.access.access import Access
from kineseg_service.access.certificates import Certificates
from kineseg_service.config import Settings


def access(settings: Settings) -> Access:
    """Who may do what.

    Raises:
        BadTokens: The file of tokens cannot be used.
    """
    return Access(settings.tokens)


def certificates(settings: Settings) -> Certificates | None:
    """The server's certificate and key; none: it has no TLS.

    Raises:
        BadCertificate: A file cannot be used.
    """
    if settings.tls_cert is None or settings.tls_key is None:
        return None
    return Certificates(settings.tls_cert, settings.tls_key, settings.tls_client_ca)
