"""The errors of sources: what cannot be listened to, and what a sender says that cannot be read."""

from __future__ import annotations


class SourceError(Exception):
    """A source that cannot be used as it was asked for; the message says what helps."""


class SourceLost(SourceError):  # noqa: N818 - named after what has happened
    """A source that was there and has ended for good."""


class Unreadable(Exception):  # noqa: N818 - named after what is wrong
    """What arrived is no frame: the message says what it is, in the words of its protocol.

    Raised by decoders; a source counts it and goes on.
    """
