"""What is noted in columns is what sessions would have been given one by one, whoever comes and goes beside them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kineseg_core.inference.bundle import load_bundle, packaged_bundle
from kineseg_core.opening import Opener, StreamRequest
from kineseg_core.session import SessionConfig
from kineseg_core.session.frame_times import FrameTimes
from kineseg_core.session.quiet_rows import QuietRow, QuietRows

ROWS = 4


@pytest.fixture(scope="module")
def config() -> SessionConfig:
    return Opener({"motion": load_bundle(packaged_bundle())}).session(StreamRequest(120.0)).config


class Stream:
    """One that is noted in a row, and what it would know had it been given each frame."""

    def __init__(self, config: SessionConfig, quiet: QuietRows, row: int) -> None:
        self.noted, self.given = FrameTimes(config), FrameTimes(config)
        self.row = QuietRow(quiet, row)
        self.noted.read(self.row)
        self.row.says(quiet=True)
        self.acked = 0

    def check(self) -> None:
        """They know the same."""
        self.noted.catch_up()
        assert self.noted.count == self.given.count
        for index in range(max(0, self.given.count - 200), self.given.count):
            assert self.noted.at(index) == self.given.at(index)
        assert self.row.acked == self.acked


WHAT = st.sampled_from(["note", "note", "note", "many", "append", "close", "comes", "check", "acknowledge"])


@given(turns=st.lists(st.tuples(WHAT, st.sets(st.integers(0, ROWS - 1), min_size=1)), min_size=5, max_size=60))
@settings(max_examples=40)
def test_noted_is_as_given(config: SessionConfig, turns: list[tuple[str, set[int]]]) -> None:
    quiet = QuietRows(ROWS)
    streams = [Stream(config, quiet, row) for row in range(ROWS)]
    now = 0
    for what, rows in turns:
        chosen = [streams[row] for row in sorted(rows)]
        for _ in range(70 if what == "many" else 1):
            now += 1
            moments = np.array([(4 * now + at, 10**9 * now + at) for at in range(len(chosen))])
            if what in ("note", "many"):
                loud, full = quiet.note(np.array(sorted(rows)), moments, ())
                assert not loud
                for place in full:
                    chosen[place].noted.catch_up()
            for at, stream in enumerate(chosen):
                if what == "append":
                    stream.noted.append(*moments[at].tolist())
                if what in ("note", "many", "append"):
                    stream.given.append(*moments[at].tolist())
        if what == "acknowledge":
            quiet.acknowledge(np.array(sorted(rows)), [now + row for row in sorted(rows)])
        for row in sorted(rows):
            if what == "comes":
                streams[row] = Stream(config, quiet, row)
            elif what == "close":
                for times in (streams[row].noted, streams[row].given):
                    times.close(now, now)
                    assert times.at(times.count) == (now, now)
                    times.reopen()
            elif what == "acknowledge":
                streams[row].acked = now + row
            elif what == "check":
                streams[row].check()
    for stream in streams:
        stream.check()


@given(quiet_rows=st.sets(st.integers(0, ROWS - 1)), follows=st.sets(st.integers(0, ROWS - 1)))
def test_of_a_step_those_are_left_from_which_something_may_follow(quiet_rows: set[int], follows: set[int]) -> None:
    quiet = QuietRows(ROWS)
    rows = [QuietRow(quiet, row) for row in range(ROWS)]
    for row in quiet_rows:
        rows[row].says(quiet=True)
    moments = np.arange(2 * ROWS).reshape(ROWS, 2)
    loud = {*range(ROWS)} - quiet_rows | follows
    assert quiet.note(np.arange(ROWS), moments, follows) == (sorted(loud), [])
    for row in range(ROWS):
        assert rows[row].take() == (([], []) if row in loud else ([2 * row], [2 * row + 1]))
    assert quiet.note(np.arange(ROWS), moments, ())[0] == sorted({*range(ROWS)} - quiet_rows)


def test_a_row_is_quiet_only_once_its_stream_says_so() -> None:
    quiet, moments = QuietRows(ROWS), np.zeros((ROWS, 2), np.int64)
    QuietRow(quiet, 1).says(quiet=True)
    assert quiet.note(np.arange(ROWS), moments, ()) == ([0, 2, 3], [])
    QuietRow(quiet, 1)  # another one comes
    assert quiet.note(np.arange(ROWS), moments, ()) == ([0, 1, 2, 3], [])
