"""The frames that wait to be read: so many at most, the newest are kept."""

from __future__ import annotations

import asyncio
from collections import deque

import numpy as np

from kineseg.sources.frames import Frames

_MOST_AT_ONCE = 256


class WaitingFrames:
    """A queue between who receives and who reads, in one event loop.

    Args:
        most: Frames it holds; then the oldest are dropped, and counted.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._waiting: deque[Frames] = deque()
        self._count = 0
        self._changed = asyncio.Event()
        self._taken = asyncio.Event()
        self._closed = False
        self.dropped = 0

    def put(self, frames: Frames) -> None:
        """Add frames; what is too much is dropped from the other end."""
        self._waiting.append(frames)
        self._count += frames.n_frames
        while self._count > self._most and len(self._waiting) > 1:
            oldest = self._waiting.popleft()
            self._count -= oldest.n_frames
            self.dropped += oldest.n_frames
        self._changed.set()

    async def room(self) -> None:
        """Wait until half of it is free, for senders that can wait."""
        while self._count > self._most // 2 and not self._closed:
            self._taken.clear()
            await self._taken.wait()

    async def get(self) -> Frames | None:
        """What waits of one stream and follows one another; None once it is closed and empty."""
        while not self._waiting:
            if self._closed:
                return None
            self._changed.clear()
            await self._changed.wait()
        pieces = [self._waiting.popleft()]
        size = pieces[0].n_frames
        while self._waiting and size < _MOST_AT_ONCE and _follows(pieces[-1], self._waiting[0]):
            pieces.append(self._waiting.popleft())
            size += pieces[-1].n_frames
        self._count -= size
        self._taken.set()
        return pieces[0] if len(pieces) == 1 else _joined(pieces)

    def close(self) -> None:
        """Nothing more will come."""
        self._closed = True
        self._changed.set()
        self._taken.set()


def _follows(before: Frames, after: Frames) -> bool:
    return after.info is before.info and after.first_frame == before.first_frame + before.n_frames


def _joined(pieces: list[Frames]) -> Frames:
    return Frames(
        pieces[0].first_frame,
        np.concatenate([piece.values for piece in pieces]),
        np.concatenate([piece.capture_times_ns for piece in pieces]),
        pieces[-1].received_ns,
        pieces[0].info,
    )
