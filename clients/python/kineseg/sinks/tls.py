"""Whom to trust."""

from __future__ import annotations

import ssl
from pathlib import Path

from kineseg.sinks.address import SinkAddress
from kineseg.sinks.errors import SinkError


def tls_of(address: SinkAddress) -> ssl.SSLContext:
    """As the system does, or by the certificates in the file that the option ``ca`` names.

    Raises:
        SinkError: There is no such file.
    """
    authority = address.text("ca")
    try:
        return ssl.create_default_context(cafile=Path(authority).expanduser() if authority else None)
    except (OSError, ssl.SSLError) as error:
        raise SinkError(f"{address.where}: ca must name a file of certificates ({error})") from None
