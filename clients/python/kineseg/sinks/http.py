"""Posting over HTTP, for all sinks that do: what an answer means, whom to trust, and a signature."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urljoin

import aiohttp

from kineseg._version import __version__
from kineseg.sinks.address import SinkAddress
from kineseg.sinks.errors import Refused, Retry, SinkError
from kineseg.sinks.tls import tls_of

OPTIONS = ("ca", "secret", "token")
PREFIXES = ("header.",)
_OF_THE_EVENT = (400, 413, 415, 422)  # what is sent is at fault, and will be the next time
_MOST_READ, _MOST_SAID = 16_384, 200
_SECRET_PREFIX = "whsec_"


class HttpTarget:
    """Posts to one receiver.

    Args:
        address: The sink's; options ``token``, ``secret``, ``ca``, and ``header.NAME`` for each header.

    Raises:
        SinkError: An option cannot be used.
    """

    def __init__(self, address: SinkAddress) -> None:
        if not address.host:
            raise SinkError(f"{address.where}: name a host, such as {address.scheme}://example.org/events")
        self.where = address.where
        self._url = address.target
        self._headers = {"User-Agent": f"kineseg/{__version__}", **address.named("header.")}
        if token := address.text("token"):
            self._headers["Authorization"] = f"Bearer {token}"
        if address.user:
            self._headers["Authorization"] = aiohttp.BasicAuth(address.user, address.password, "utf-8").encode()
        self._secret = _secret(address)
        self._tls = tls_of(address)
        self._session: aiohttp.ClientSession | None = None

    async def post(
        self, body: bytes, content_type: str, *, message_id: str = "", url: str = "", headers: Mapping[str, str] = {}
    ) -> bytes:
        """Post, and say what the answer means.

        Args:
            body: What is posted.
            content_type: What it is.
            message_id: The same for the same body; for the signature.
            url: Where to, as seen from the sink's own URL; empty: there.
            headers: Besides those of the sink.

        Returns:
            What the receiver has answered, the beginning of it.

        Raises:
            Retry: The receiver could not be reached, or cannot take it now.
            Refused: It will never take it.
        """
        if self._session is None:
            connector = aiohttp.TCPConnector(ssl=self._tls)
            self._session = aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=None))
        sent = {**self._headers, "Content-Type": content_type, **headers}
        if self._secret:
            sent |= _signature(self._secret, message_id, body)
        try:
            # A redirect is no delivery: a body must not go to whom no one has named.
            async with self._session.post(
                urljoin(self._url, url), data=body, headers=sent, allow_redirects=False
            ) as answer:
                content = await answer.content.read(_MOST_READ)
                if 200 <= answer.status < 300:
                    return content
                said = " ".join(content[:_MOST_SAID].decode(errors="replace").split())
                why = f"HTTP {answer.status} {answer.reason or ''}".rstrip() + (f": {said}" if said else "")
                if answer.status in _OF_THE_EVENT:
                    raise Refused(why)
                raise Retry(why, _retry_after(answer.headers.get("Retry-After", "")))
        except aiohttp.ClientError as error:
            raise Retry(f"cannot be reached ({error or type(error).__name__})") from error

    async def close(self) -> None:
        """Close the connection."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()


def _secret(address: SinkAddress) -> bytes:
    secret = address.text("secret")
    if not secret.startswith(_SECRET_PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(_SECRET_PREFIX), validate=True)
    except ValueError:
        raise SinkError(f"{address.where}: what follows {_SECRET_PREFIX} in secret must be base64") from None


def _signature(secret: bytes, message_id: str, body: bytes) -> dict[str, str]:
    """As https://www.standardwebhooks.com has it."""
    at = str(int(time.time()))
    signed = hmac.digest(secret, b".".join((message_id.encode(), at.encode(), body)), hashlib.sha256)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": at,
        "webhook-signature": f"v1,{base64.b64encode(signed).decode()}",
    }


def _retry_after(text: str) -> float | None:
    """Seconds, of a number of them or of a date."""
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    return (at.replace(tzinfo=at.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
