"""Chunks of many streams taken together give what each alone gives, whatever is wrong with some of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kineseg_core.anomalies import AnomalyBudget, WatchedSource
from kineseg_core.errors import InvalidFrame
from kineseg_core.intake.intake import Intake, IntakeLimits
from kineseg_core.intake.resampling import ModelFrames
from kineseg_core.intake.taken import ChunkEnd, Taken
from kineseg_core.intake.together import SentChunk, take_together
from kineseg_core.intake.watch import SourceWatch

from tests.core.intake.of_each import of_each

CHANNELS = ("a", "b", "c")
FAULTS = ("", "", "", "", "hole", "gap", "times", "absurd", "again", "short", "frozen")


def intake(rate: float, order: tuple[int, ...] | None, *, watched: bool) -> Intake:
    watch = SourceWatch(WatchedSource.of_channels(CHANNELS, rate), AnomalyBudget(6.0)) if watched else None
    return Intake(CHANNELS, order, rate, 30.0, IntakeLimits(), watch=watch)


def plain(items: list[Taken]) -> list[Any]:
    """What comes, without regard to how the model's frames are cut."""
    given: list[Any] = []
    for item in items:
        if isinstance(item, ModelFrames):
            rows = [row.tobytes() for row in item.frames]
            given += zip(rows, item.decided, item.decided_ns, item.start, item.start_ns, strict=True)
        else:
            given.append(item)
    return given


class Sender:
    """Sends chunks of a stream to two intakes, one of which takes them by itself."""

    def __init__(self, seed: int, rate: float, order: tuple[int, ...] | None, *, watched: bool) -> None:
        self.alone, self.beside = (intake(rate, order, watched=watched) for _ in range(2))
        self.given: list[Any] = []
        self.expected: list[Any] = []
        self._random = np.random.default_rng(seed)
        self._next = 0

    def chunk(self, frames: int, fault: str) -> tuple[int, bytes, tuple[int, ...]]:
        rows = self._random.normal(size=(frames, 3)).cumsum(axis=0).astype("<f4")
        first, times = self._next, ()
        if fault == "hole":
            rows[self._random.random(rows.shape) < 0.3] = np.nan
        elif fault == "frozen":
            rows[:] = 1.0
        elif fault == "gap":
            first += 7
        elif fault == "times":
            times = tuple(range(frames))
        elif fault == "absurd":
            rows[-1, 1] = 2e9
        elif fault == "again":
            first -= 1
        data = rows.tobytes()[: -3 if fault == "short" else None]
        if fault in ("", "hole", "frozen", "gap"):
            self._next = first + frames
        return first, data, times

    def take_alone(self, chunk: tuple[int, bytes, tuple[int, ...]]) -> None:
        try:
            self.expected += plain([*self.alone.take(*chunk)])
        except InvalidFrame as error:
            self.expected.append(error.message)

    def got(self, chunk: SentChunk, taken: Any) -> None:
        if taken is None:
            with pytest.raises(InvalidFrame) as caught:
                self.beside.take(*chunk[1:])
            self.given.append(caught.value.message)
        else:
            self.given += plain([*taken])


@settings(max_examples=60)
@given(
    seed=st.integers(0, 2**20),
    kinds=st.lists(
        st.tuples(st.sampled_from([24.0, 60.0, 100.0, 120.0]), st.sampled_from([None, None, (2, 0, 1)]), st.booleans()),
        min_size=1,
        max_size=5,
    ),
    turns=st.lists(st.tuples(st.integers(1, 40), st.sampled_from(FAULTS), st.integers(0, 4)), min_size=3, max_size=12),
)
def test_together_gives_what_each_alone_gives(
    seed: int,
    kinds: list[tuple[float, tuple[int, ...] | None, bool]],
    turns: list[tuple[int, str, int]],
) -> None:
    senders = [Sender(seed + at, rate, order, watched=watched) for at, (rate, order, watched) in enumerate(kinds)]
    for frames, fault, whose in turns:
        chunks = []
        for at, sender in enumerate(senders):
            chunk = sender.chunk(frames + at, fault if at == whose else "")
            sender.take_alone(chunk)
            chunks.append((sender.beside, *chunk))
        for sender, chunk, taken in zip(senders, chunks, of_each(take_together(chunks)), strict=True):
            sender.got(chunk, taken)
    for sender in senders:
        assert sender.given == sender.expected
        assert plain(sender.beside.flush()) == plain(sender.alone.flush())
        assert sender.beside.received == sender.alone.received


def test_what_is_found_comes_before_the_frames_of_its_row() -> None:
    sender = Sender(0, 60.0, None, watched=True)
    for fault in ("",) * 240 + ("frozen",) * 60:
        chunk = sender.chunk(6, fault)
        sender.take_alone(chunk)
        [taken] = of_each(take_together([(sender.beside, *chunk)]))
        sender.got((sender.beside, *chunk), taken)
    assert sender.given == sender.expected
    assert any(not isinstance(item, tuple | ChunkEnd) for item in sender.given)
