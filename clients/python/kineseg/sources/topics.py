"""Messages that are published under topics, as brokers of MQTT and servers of NATS pass them on: lines of JSON.

Where several topics are listened to, each is a performer unless its lines name one.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple
from urllib.parse import unquote

from kineseg.sources.address import SourceAddress
from kineseg.sources.errors import SourceError, Unreadable
from kineseg.sources.frames import Sample
from kineseg.sources.ndjson import NdjsonDecoder

_MOST_TOPICS = 64


class Message(NamedTuple):
    """What was published."""

    topic: str
    content: bytes


class TopicDecoder:
    """Reads lines of JSON by topic.

    Args:
        several: Whether topics tell performers apart.
    """

    def __init__(self, *, several: bool) -> None:
        self._several = several
        self._topics: dict[str, NdjsonDecoder] = {}

    def reset(self) -> None:
        """A new connection: descriptions hold, as who publishes may not know of it."""

    def decode(self, item: Message) -> Iterator[Sample]:
        """The frames in a message.

        Raises:
            Unreadable: It holds no lines of JSON, or there are too many topics.
        """
        topic = item.topic if self._several else ""
        decoder = self._topics.get(topic)
        if decoder is None:
            if len(self._topics) >= _MOST_TOPICS:
                raise Unreadable(f"one topic too many: {_MOST_TOPICS} at most")
            decoder = self._topics[topic] = NdjsonDecoder()
        for sample in decoder.decode(item.content):
            yield sample if sample.performer or not topic else replace(sample, performer=topic)


def topic_of(address: SourceAddress, separator: str, wildcards: str) -> tuple[str, bool]:
    """The topic that an address names, and whether it stands for several.

    Raises:
        SourceError: It names none.
    """
    topic = unquote(address.path.removeprefix("/"))
    if not topic or "\0" in topic or any(blank in topic for blank in " \t\r\n"):
        raise SourceError(
            f"{address.url}: name a topic without blanks after the host, as in {address.scheme}://HOST/mocap{separator}ada"
        )
    return topic, any(part in wildcards for part in topic.split(separator))


def tls_of(address: SourceAddress) -> ssl.SSLContext:
    """How to trust a server: as the system does, or by the certificates in the file that ``ca`` names.

    Raises:
        SourceError: There is no such file.
    """
    authority = address.text("ca") or None
    try:
        return ssl.create_default_context(cafile=authority)
    except (OSError, ssl.SSLError) as error:
        raise SourceError(f"{address.url}: ca must name a file of certificates ({error})") from None
