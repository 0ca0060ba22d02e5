"""What goes wrong with sinks: those that cannot be used, and what they do not take, now or ever."""

from __future__ import annotations


class SinkError(Exception):
    """A sink that cannot be used as it was asked for; the message says what helps."""


class Retry(Exception):  # noqa: N818 - named after what is to be done
    """The events were not taken, or no one knows; they are delivered again.

    Args:
        why: For people.
        after_s: Not before so many seconds, if the receiver says so.
    """

    def __init__(self, why: str, after_s: float | None = None) -> None:
        super().__init__(why)
        self.after_s = after_s


class Refused(Exception):  # noqa: N818 - named after what has happened
    """The receiver will never take this event; one that was delivered along with it may still be taken."""
