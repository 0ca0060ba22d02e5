"""What is kept of a stream lies within bounds, or is refused: no number leads a kernel astray, or makes anyone wait."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kineseg_core.errors import BadSnapshot
from kineseg_core.in_process import InProcessStream
from kineseg_core.kept.bounds import LARGEST, bounds_of, within
from kineseg_core.kept.sealing import sealed
from kineseg_core.session import Session
from kineseg_core.snapshot import Snapshot

from tests.core.snapshot.row_stream import RowStream
from tests.core.snapshot.scenes import Scene, open_stream, opener, scene, taught


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bundles")


@pytest.fixture(scope="module")
def made() -> Scene:
    return scene("recogniser", 30.0, 14.0, (30, 7), seed=2, timed=False)


def through(stream: InProcessStream | RowStream, made: Scene) -> None:
    for chunk in made.chunks:
        stream.take(chunk.first, chunk.data, chunk.times_ns, [])


def of_scorer(session: Session) -> Any:
    watch: Any = session.intake._watch
    return watch._monitor._scorer


def put(to: Any, name: str, value: object) -> None:
    if isinstance(to, np.ndarray | np.void):
        to[name] = value
    else:
        setattr(to, name, value)


Change = Callable[[Any], None]
CHANGES: dict[str, tuple[Change, str]] = {
    "a row of priors": (lambda session: put(of_scorer(session).clock, "group", 99), "clock.group"),
    "a value that there is not": (lambda session: of_scorer(session).state.top.fill(10_000), "state.top"),
    "a place behind a ring": (lambda session: of_scorer(session).state.book.position.fill(1 << 40), "position"),
    "a lag that is not watched": (lambda session: of_scorer(session).state.book.replays.lag.fill(-3), "replays.lag"),
    "a view of no number": (lambda session: session._decides._views._values.fill(math.nan), "_values holds"),
    "a place of no number": (
        lambda session: session._decides._stillness._position.fill(math.inf),
        "_position holds",
    ),
    "a decision on no number": (lambda session: session._decides._decider._raw.fill(math.nan), "_raw holds"),
    "a prototype of no number": (
        lambda session: session._decides._labeller._clusterer._means.fill(math.nan),
        "_means holds",
    ),
    "no time": (lambda session: put(of_scorer(session).clock, "time_s", math.nan), "clock.time_s"),
    "ticks without end": (lambda session: put(session.intake._resampler._stretch, "tick_ns", -1 << 60), "next tick"),
    "a clock that stands": (lambda session: put(session.intake._resampler._stretch, "tick_period", 0.0), "tick_period"),
    "steps of no frame": (lambda session: put(session.intake._watch._places, "_count", -5), "_count"),
    "a leap of no step": (lambda session: session.intake._watch._places._leaps.append((1 << 40, 1, 1)), "steps"),
    "a number too large": (lambda session: put(session.intake, "_received", LARGEST + 1), "_received"),
    "half a frame": (lambda session: put(session.intake, "_filled", 0.5), "_filled"),
    "frames without times": (lambda session: put(session._frame_times, "count", 7), "_frame_times.count"),
    "a segment of no block": (lambda session: put(session._decides, "_start_block", 1 << 40), "segments begin"),
    "blocks without frames": (lambda session: put(session._decides._views, "_blocks", 0), "so many blocks"),
    "a group that is full": (lambda session: put(session._decides._stillness, "_in_group", 1000), "_in_group"),
    "labels to come": (lambda session: put(session._decides._labeller._clusterer, "_next_label", 0), "_next_label"),
    "a segment that has not begun": (lambda session: session._segments._open.clear(), "have not begun"),
    "an alert of no one": (lambda session: session._watchers._ids._open.clear(), "has not been raised"),
    "an event before the first": (lambda session: put(session, "_seq", -1), "_seq"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_what_is_out_of_bounds_is_refused(folder: Path, made: Scene, what: str) -> None:
    stream = open_stream(opener(folder), made.request)
    through(stream, made)
    change, said = CHANGES[what]
    change(stream.session)
    with pytest.raises(BadSnapshot, match=said):
        InProcessStream.resumed(Snapshot.read(sealed(stream.snapshot(opener(folder)))), opener(folder), taught)


@pytest.mark.parametrize(
    ("column", "name", "value", "said"),
    [("decider", "n_lags", 77, "n_lags"), ("decider", "lags", -1, "lags"),
     ("counters", "blocks_made", -5, "so many blocks"), ("counters", "count", 1 << 40, "so many blocks"),
     ("counters", "learned", -1, "learned")],
)  # fmt: skip
def test_so_is_a_row_of_a_table(folder: Path, made: Scene, column: str, name: str, value: int, said: str) -> None:
    bundle = opener(folder).bundle("recogniser")
    assert bundle is not None
    stream = RowStream(opener(folder), opener(folder).session(made.request, taught), bundle, 1)
    through(stream, made)
    getattr(stream.table.columns, column)[name][1] = value
    with pytest.raises(BadSnapshot, match=said):
        RowStream.resumed(Snapshot.read(sealed(stream.snapshot())), opener(folder), 2)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [("in_block", -1, "in_block"), ("in_block", 1 << 40, "_in_block"), ("frames", 7, "so many blocks"),
     ("surprise_count", -1, "surprise_count"), ("baseline_seen", -1, "baseline_seen"), ("start", 1 << 40, "start"),
     ("count", 1 << 40, "so many blocks"), ("budget", 1 << 40, "budget"), ("waiting", 99, "waiting"),
     ("background_seen", -1, "background_seen"), ("groups", -1, "groups"), ("moved", 1 << 40, "moved")],
)  # fmt: skip
def test_so_is_a_row_of_a_stream_of_few_channels(folder: Path, name: str, value: int, said: str) -> None:
    made = scene("few", 60.0, 8.0, (60,), seed=2, timed=False)
    stream = RowStream(
        opener(folder), opener(folder).session(made.request), open_stream(opener(folder), made.request).bundle, 1
    )
    for chunk in made.chunks[:3]:
        stream.take(chunk.first, chunk.data, chunk.times_ns, [])
    stream.table.columns.counters[name][1] = value
    with pytest.raises(BadSnapshot, match=said):
        RowStream.resumed(Snapshot.read(sealed(stream.snapshot())), opener(folder), 2)


@within("0 <= at < len(ring)", "0.5 <= values", "size stays", "none.such <= 3")
class Ring:
    def __init__(self, at: int, values: object, size: int = 4) -> None:
        self.at, self.values, self.ring, self.size, self.none = at, values, [0] * 4, size, None


@pytest.mark.parametrize(
    ("ring", "holds"),
    [(Ring(0, 1), True), (Ring(3, [0.5, 9]), True), (Ring(4, 1), False), (Ring(-1, 1), False),
     (Ring(0, np.array([1.0, math.nan])), False), (Ring(0, {1, 0}), False), (Ring(10**30, 1), False),
     (Ring(0, 1, size=5), False)],
)  # fmt: skip
def test_bounds_hold_for_all_that_there_is(ring: Ring, holds: bool) -> None:
    [bounds] = bounds_of(Ring)
    fixed = bounds.fixed(Ring(0, 1))
    if holds:
        bounds.check(ring, fixed)
    else:
        with pytest.raises(ValueError, match=r"it must be that|is another"):
            bounds.check(ring, fixed)
