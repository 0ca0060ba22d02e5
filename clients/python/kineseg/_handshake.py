"""Why no connection comes about, where gRPC says only what its TLS library says."""

from __future__ import annotations

import socket

from kineseg._errors import CertificateError, Unavailable

_ANOTHER_NAME = (
    "the server's certificate is of another name than the address: use a name that is in it, or say one with "
    "tls=TLS(server_name=...) (KINESEG_SERVER_NAME)"
)
# What gRPC's words have in them, what that means, and what helps.
_MEANS = (
    (
        "certificate has expired",
        "the server's certificate has expired: its operator has to renew it (or this machine's clock is wrong)",
    ),
    (
        "certificate is not yet valid",
        "the server's certificate is not valid yet: its operator has to look at it (or this machine's clock is wrong)",
    ),
    ("Hostname Verification Check failed", _ANOTHER_NAME),
    ("is not in peer certificate", _ANOTHER_NAME),  # before gRPC 1.73
    (
        "CERTIFICATE_VERIFY_FAILED",
        "the server's certificate is not of an authority that is trusted here: give that authority's file with "
        "tls=TLS(ca=...) (KINESEG_CA)",
    ),
    ("WRONG_VERSION_NUMBER", "the server has no TLS: connect with tls=False (KINESEG_TLS=0), or have it serve TLS"),
    (
        "CERTIFICATE_REQUIRED",
        "the server asks clients for a certificate: give one with tls=TLS(cert=..., key=...) (KINESEG_CLIENT_CERT, "
        "KINESEG_CLIENT_KEY)",
    ),
)
_MOMENT_S = 0.2
_HUNG_UP = ("Socket closed", "Connection reset", "Broken pipe")
_ALONE = " (if it has TLS, connect with tls=True or tls=TLS(ca=...))"
_SHOWN = (
    " (if it asks clients for a certificate of an authority that it trusts, give one with tls=TLS(cert=..., key=...))"
)


def handshake_error(error: Unavailable, address: str, *, is_safe: bool) -> Unavailable | None:
    """What the error means, if it is one of connecting.

    Args:
        error: As gRPC words it.
        address: Of the server.
        is_safe: Whether the client speaks TLS.
    """
    for words, meaning in _MEANS:
        if words in error.message:
            return CertificateError(f"{address}: {meaning}", code=error.code)
    hung_up = any(words in error.message for words in _HUNG_UP)
    # Of several addresses gRPC names the last error: that no one is at ::1 hides what the server at 127.0.0.1 did.
    if "failed to connect" in error.message and (hung_up or (not is_safe and _listens_here(address))):
        return Unavailable(f"{error.message}{_SHOWN if is_safe else _ALONE}", code=error.code, retryable=True)
    return None


def _listens_here(address: str) -> bool:
    """Whether something listens at `localhost`, which answers at once; of other hosts it is not asked."""
    host, _, port = address.rpartition(":")
    if host.removeprefix("dns:").strip("/").lower() != "localhost" or not port.isdecimal():
        return False
    try:
        socket.create_connection(("localhost", int(port)), timeout=_MOMENT_S).close()
    except (OSError, OverflowError):
        return False
    return True
