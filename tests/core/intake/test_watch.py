"""A source's anomalies at the intake: placed at its frames and times, the same however it is chunked or pickled."""

from __future__ import annotations

import pickle

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from kineseg.motion import CANONICAL_JOINTS, Joints
from kineseg_core.anomalies import AnomalyBudget, AnomalyKind, WatchedSource
from kineseg_core.events import AnomalyCleared, AnomalyRaised
from kineseg_core.intake.intake import Intake, IntakeLimits
from kineseg_core.intake.taken import Taken
from kineseg_core.intake.together import take_together
from kineseg_core.intake.watch import AnomalyFound, SourceWatch, joints_source
from numpy.typing import NDArray

from tests.core.intake.of_each import of_each

RATE = 30.0
CHANNELS = ("a", "b", "c")
N = 360
FROZEN, LOST = (150, 200), range(260, 275)


def sent() -> NDArray[np.float32]:
    """Three channels, of which one freezes."""
    t = np.arange(N)[:, None] / RATE
    values = np.sin(2 * np.pi * (0.4 + 0.2 * np.arange(3)) * t)
    values += 0.02 * np.random.default_rng(0).standard_normal(values.shape)
    values[slice(*FROZEN), 1] = values[FROZEN[0], 1]
    return values.astype("<f4")


def fed(cuts: set[int], times_ns: list[int]) -> list[Taken]:
    """What the intake gives of chunks that end at the cuts, pickled in between; some frames do not come."""
    watch = SourceWatch(WatchedSource.of_channels(CHANNELS, RATE), AnomalyBudget())
    into = Intake(CHANNELS, None, RATE, 15.0, IntakeLimits(), watch=watch)
    frames, taken = sent(), list[Taken]()
    for rows in np.split(np.arange(N), sorted({*cuts, LOST.start, LOST.stop})):
        if len(rows) and rows[0] not in LOST:
            stamps = [times_ns[row] for row in rows] if times_ns else []
            taken += into.take(int(rows[0]), frames[rows].tobytes(), stamps)
            into = pickle.loads(pickle.dumps(into))
    return taken + into.flush()


def found(taken: list[Taken]) -> list[AnomalyFound]:
    return [item for item in taken if isinstance(item, AnomalyFound)]


@settings(max_examples=15)
@given(cuts=st.sets(st.integers(1, N - 1).filter(lambda at: at not in LOST), max_size=40), timed=st.booleans())
def test_chunks_and_pickling_change_nothing(cuts: set[int], timed: bool) -> None:
    random = np.random.default_rng(1)
    times_ns = (np.arange(N) * 1e9 / RATE + random.uniform(-2e6, 2e6, N) + 7e15).astype(int).tolist() if timed else []
    taken = fed(cuts, times_ns)
    anomalies = found(taken)
    assert anomalies == found(fed(set(), times_ns))
    decided = [item.decided for item in anomalies]
    assert decided == sorted(decided)

    raised = [item for item in anomalies if isinstance(item.detail, AnomalyRaised)]
    assert [item.detail.anomaly_kind for item in raised] == [AnomalyKind.FROZEN, AnomalyKind.GAP]
    frozen, gap = (item for item in anomalies if isinstance(item.detail, AnomalyCleared))
    assert frozen.detail.channels == ("b",)
    assert abs(frozen.frame - FROZEN[0]) <= 1
    assert frozen.detail.end_frame == FROZEN[1]  # type: ignore[union-attr]
    assert gap.detail.channels == ()
    assert gap.frame == LOST.start - 1
    assert gap.decided > LOST.stop
    for item in anomalies:
        for frame, ns in ((item.frame, item.time_ns), (item.decided, item.decided_ns)):
            # Of the frame as it was stamped, not of about then.
            assert ns == (times_ns[frame] - times_ns[0] if timed else round(frame * 1e9 / RATE))


def test_chunks_that_are_watched_together_give_what_each_alone_gives() -> None:
    frames = sent()
    sources = {0: frames, 1: frames[:, ::-1].copy(), 2: frames[100:]}
    intakes = {
        number: Intake(
            CHANNELS, None, RATE, 15.0, IntakeLimits(),
            watch=SourceWatch(WatchedSource.of_channels(CHANNELS, RATE), AnomalyBudget()) if number != 1 else None,
        )
        for number in sources
    }  # fmt: skip
    together = {number: list[Taken]() for number in sources}
    for first in range(0, N, 10):
        chunks = {
            number: (intakes[number], first, rows[first : first + 10].tobytes(), ())
            for number, rows in sources.items()
            if first < len(rows)
        }
        for number, taken in zip(chunks, of_each(take_together([*chunks.values()])), strict=True):
            assert taken is not None
            together[number] += taken
    assert [type(item.detail) for item in found(together[0])] == [AnomalyRaised, AnomalyCleared]
    assert not found(together[1])
    for number in (0, 2):
        alone = SourceWatch(WatchedSource.of_channels(CHANNELS, RATE), AnomalyBudget())
        intake = Intake(CHANNELS, None, RATE, 15.0, IntakeLimits(), watch=alone)
        rows = sources[number]
        taken = [
            item for first in range(0, len(rows), 10) for item in intake.take(first, rows[first:][:10].tobytes(), ())
        ]
        assert found(taken) == found(together[number])
        assert [*intake.flush()] == [*intakes[number].flush()]


def test_one_that_goes_on_ends_where_the_stream_does() -> None:
    watch = SourceWatch(WatchedSource.of_channels(CHANNELS, RATE), AnomalyBudget())
    into = Intake(CHANNELS, None, RATE, 15.0, IntakeLimits(), watch=watch)
    frames = sent()[: FROZEN[0] + 30]
    assert [type(item.detail) for item in found([*into.take(0, frames.tobytes(), ())])] == [AnomalyRaised]
    (over,) = found(into.flush())
    assert isinstance(over.detail, AnomalyCleared)
    assert (over.decided, over.detail.end_frame) == (len(frames) - 1, len(frames))


def test_joints_without_parents_hang_together_by_their_names() -> None:
    parents = joints_source(Joints(names=CANONICAL_JOINTS), RATE).parents
    assert parents is not None
    above = {
        joint: CANONICAL_JOINTS[parent] for joint, parent in zip(CANONICAL_JOINTS, parents, strict=True) if parent + 1
    }
    assert above["left_wrist"] == "left_elbow"
    assert above["head"] == "neck"
    assert set(CANONICAL_JOINTS) - set(above) == {"hips"}
