"""When a stream is kept anew: what is written is in proportion to what has come."""

from __future__ import annotations

_LONGEST_S = 20.0
"""However little comes, a stream is kept this often: clients keep 30 s of what is not safe yet."""
_MOST_TIMES = 12
"""So many times the bytes that have come may be written, if that is sooner."""


class Due:
    """Says at which turns one stream is kept.

    A body's state is as large as some seconds of its frames, a slow sensor's as many minutes of them: what that has
    sent since, its client keeps with ease.

    Args:
        frame_bytes: The size of a frame as it is sent.
        most_turns: At one of so many it is kept, if anything has come.
    """

    __slots__ = ("_at_turn", "_frame_bytes", "_frames", "_most_turns", "_size", "_turns")

    def __init__(self, frame_bytes: int, most_turns: int) -> None:
        self._frame_bytes = frame_bytes
        self._most_turns = most_turns
        self._frames = self._at_turn = -1  # that were kept last, and that had come at the last turn
        self._size = 0
        self._turns = 0

    def at_turn(self, frames: int) -> bool:
        """Whether it is, after so many frames: enough are new, no more come for now, or it has been for long."""
        pauses, self._at_turn = frames == self._at_turn, frames
        self._turns += 1
        if frames == self._frames:
            return False
        new_bytes = (frames - self._frames) * self._frame_bytes
        return pauses or self._turns >= self._most_turns or self._size <= _MOST_TIMES * new_bytes

    def begun(self, frames: int) -> None:
        """With so many frames it is being kept."""
        self._frames = frames
        self._turns = 0

    def written(self, size: int) -> None:
        """Bytes of what is written."""
        self._size = size

    def failed(self) -> None:
        """It was not kept: at the next turn it is."""
        self._frames, self._size = -1, 0


def most_turns(every_s: float) -> int:
    """Of turns that come so often."""
    return max(1, int(_LONGEST_S / every_s))
