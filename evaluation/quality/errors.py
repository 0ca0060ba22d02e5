"""What can go wrong while quality is measured, for people to read."""

from __future__ import annotations


class QualityError(Exception):
    """The measurement cannot be made; the message names what is missing and the remedy."""
