"""One stream's life: its intake, its segmenter, when its frames and segments were, and the numbering of its events."""

from kineseg_core.session.config import End, Progress, SegmentCounts, SessionConfig
from kineseg_core.session.session import Session

__all__ = ["End", "Progress", "SegmentCounts", "Session", "SessionConfig"]
