"""The frames of one performer on their way in: numbered, timed, and checked for what they claim to be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from kineseg.sources.address import Expectations
from kineseg.sources.body import Body
from kineseg.sources.clocks import SECOND, ArrivalClock, FrameNumbers, SenderClock
from kineseg.sources.frames import Frames, Layout, Sample, SourceInfo
from kineseg.sources.rates import Pace, is_claim_true, measured_rate, usual_rate

if TYPE_CHECKING:
    from kineseg.motion import Joints

_MEASURED_S = {True: 1.0, False: 0.5}  # how long frames are measured before the first is given: arrivals, a clock
_FEWEST, _MOST = 12, 2000  # frames that are measured
_FEWEST_KNOWN = 3  # where rate and axes are known: whether the clock runs and how the sender counts is seen of these
_LOST_S = 30.0  # what is missing for longer is no loss, but another count
_CHANGED = 0.35  # a rate that differs by so much for some seconds is another one
_RATES = (1.0, 1000.0)  # that a stream may have


class Track:
    """One performer's frames.

    Args:
        performer: Whose frames they are.
        expected: What the user says about them.
        mapping: Canonical joint -> name of the joint, for names that are not recognised.
    """

    def __init__(self, performer: str, expected: Expectations, mapping: Mapping[str, str]) -> None:
        self._performer = performer
        self._expected = expected
        self._mapping = mapping
        self._parts = 0
        self._measuring: list[tuple[Sample, int]] = []
        self._following: _Following | None = None
        self._since_looked = 0
        self.late = 0
        self.jumps = 0
        self.pace = Pace()

    @property
    def info(self) -> SourceInfo | None:
        """What is known of the stream now; None while its first frames are measured."""
        return None if self._following is None else self._following.info

    @property
    def layout(self) -> Layout | None:
        """What the numbers are, as soon as one frame has come."""
        if self._measuring:
            return self._measuring[-1][0].layout
        return None if self._following is None else self._following.layout

    def add(self, sample: Sample, arrived_ns: int) -> list[Frames]:
        """The next frame; what can be given because of it."""
        following = self._following
        if following is not None:
            same = sample.layout is following.layout or sample.layout.same_numbers(following.layout)
            if same and not self._has_another_rate(following):
                return self._follow(following, [(sample, arrived_ns)])
            self._following = None
        if self._measuring and not sample.layout.same_numbers(self._measuring[-1][0].layout):
            self._measuring.clear()
        self._measuring.append((sample, arrived_ns))
        return self._begin() if self._is_measured() else []

    def finish(self) -> list[Frames]:
        """Nothing more will come: what still is measured is given, if it is enough to tell a rate."""
        return self._begin() if self._measuring else []

    def _has_another_rate(self, following: _Following) -> bool:
        pace = self.pace
        self._since_looked += 1
        if self._expected.rate is not None or self._since_looked < following.info.rate or not pace.full:
            return False
        self._since_looked = 0
        return abs(pace.rate - following.info.rate) > _CHANGED * following.info.rate and pace.loss < _CHANGED

    def _is_measured(self) -> bool:
        measuring = self._measuring
        beginning = measuring[0][0]
        known = self._expected.rate is not None and (self._expected.up != "auto" or beginning.layout.up_known)
        if known and (len(measuring) >= _FEWEST or (beginning.number is None and self._by_arrival(beginning))):
            return True
        if len(measuring) < (_FEWEST_KNOWN if known else _FEWEST):
            return False
        first, last = measuring[0], measuring[-1]
        bunched = self._by_arrival(last[0])
        spans = [last[1] - first[1]]
        if not bunched and first[0].time_ns is not None and last[0].time_ns is not None:
            spans.append(last[0].time_ns - first[0].time_ns)
        return len(measuring) >= _MOST or max(spans) >= _MEASURED_S[bunched] * SECOND

    def _by_arrival(self, sample: Sample) -> bool:
        return sample.time_ns is None or self._expected.clock == "arrival"

    def _begin(self) -> list[Frames]:
        """The stream begins with the frames that were measured."""
        measured, layout = self._measuring, self._measuring[-1][0].layout
        by_arrival = any(self._by_arrival(sample) for sample, _ in measured)
        stride = _stride([sample.number for sample, _ in measured])
        steps = _steps(measured, stride)
        rate = None
        if not by_arrival:
            rate = measured_rate([sample.time_ns or 0 for sample, _ in measured], steps, bunched=False)
            by_arrival = rate is None  # a clock that stands
        if rate is None:
            counted = all(sample.number is not None for sample, _ in measured)
            rate = measured_rate([arrived for _, arrived in measured], steps, bunched=True, counted=counted)
        notes = list(layout.notes)
        claimed, given = layout.rate, self._expected.rate
        if given is not None:
            chosen = given
        elif (
            claimed is not None and _RATES[0] <= claimed <= _RATES[1] and (rate is None or is_claim_true(claimed, rate))
        ):
            chosen = claimed
        elif rate is None:
            return []
        else:
            chosen = min(max(usual_rate(rate), _RATES[0]), _RATES[1])
            if claimed is not None:
                notes.append(
                    f"the sender claims {claimed:g} frames a second, but {rate:.4g} arrive: {chosen:.4g} it is"
                )
        body = None
        if layout.joints is not None:
            points = np.stack([sample.values for sample, _ in measured])
            body = Body.of(self._described(layout.joints), points, layout.up_known, self._expected.up)
            notes += body.notes
        info = SourceInfo(
            performer=self._performer,
            part=self._parts,
            joints=None if body is None else body.joints,
            channels=layout.channels,
            rate=chosen,
            claimed_rate=claimed,
            measured_rate=rate or chosen,
            clock="arrival" if by_arrival else "sender",
            notes=tuple(notes),
        )
        self._parts += 1
        self.pace.clear()
        self._following = _Following(info, layout, body, stride)
        self._measuring = []
        return self._follow(self._following, measured)

    def _described(self, joints: Joints) -> Joints:
        """The joints with what the user says about them."""
        known = {joint: name for joint, name in self._mapping.items() if name in joints.names}
        unit = self._expected.unit or joints.unit
        return replace(joints, mapping={**joints.mapping, **known}, unit=unit)  # type: ignore[arg-type]

    def _follow(self, following: _Following, samples: list[tuple[Sample, int]]) -> list[Frames]:
        pieces: list[_Piece] = []
        for sample, arrived in samples:
            index, time_ns, jumped = following.place(sample, arrived)
            self.jumps += jumped
            if time_ns is None:
                self.late += 1
                continue
            self.pace.add(arrived, time_ns, index)
            if not pieces or pieces[-1].next_frame != index:
                pieces.append(_Piece(index))
            pieces[-1].add(sample.values, time_ns, arrived)
        return [piece.frames(following) for piece in pieces]


class _Following:
    """A stream that has begun: where its next frame goes."""

    def __init__(self, info: SourceInfo, layout: Layout, body: Body | None, stride: int) -> None:
        self.info = info
        self.layout = layout
        self.body = body
        self._period = SECOND / info.rate
        self._most = round(_LOST_S * info.rate)
        self._numbers = FrameNumbers(stride)
        self._sender = SenderClock(self._period) if info.clock == "sender" else None
        self._arrival = ArrivalClock(self._period)
        self._index = -1
        self._time = -1
        self._before: NDArray[np.float32] | None = None
        self._arrived = 0

    def place(self, sample: Sample, arrived_ns: int) -> tuple[int, int | None, bool]:
        """Index and time of a frame, and whether the sender's count or clock has jumped; no time: it came late."""
        steps: int | None = 1
        jumped = False
        if sample.number is not None:
            steps = self._numbers.step(sample.number, self._most)
            jumped = steps is None and self._index >= 0
            if steps is not None and steps < 0:
                return self._index, None, False
            if steps == 0:
                if self._before is not None and np.array_equal(self._before, sample.values, equal_nan=True):
                    return self._index, None, False
                steps = 1  # a counter that stands
        counted = steps if sample.number is not None else None
        if self._sender is not None and sample.time_ns is not None:
            tick = self._sender.tick(sample.time_ns, arrived_ns, counted)
        else:
            tick = self._arrival.tick(arrived_ns, steps)
        if tick.time_ns is None:
            return self._index, None, False
        jumped = jumped or tick.jumped
        if steps is None:  # as many as would have come
            steps = max(1, round((tick.time_ns - self._time) / self._period)) if self._index >= 0 else 1
        self._index += steps
        self._time = max(tick.time_ns, self._time + 1)
        self._before = sample.values
        return self._index, self._time, jumped


def _stride(numbers: list[int | None]) -> int:
    """The usual step of a sender's numbers."""
    known = [number for number in numbers if number is not None]
    steps = Counter(after - before for before, after in pairwise(known) if after > before)
    return steps.most_common(1)[0][0] if steps else 1


def _steps(measured: list[tuple[Sample, int]], stride: int) -> list[int]:
    """Frames from each of those measured to the next."""
    numbers = FrameNumbers(stride)
    steps = []
    for sample, _ in measured:
        step = 1 if sample.number is None else numbers.step(sample.number, _MOST)
        steps.append(max(1, step or 1))
    return steps[1:]


class _Piece:
    """Frames that follow one another."""

    def __init__(self, first_frame: int) -> None:
        self._first_frame = first_frame
        self._rows: list[NDArray[np.float32]] = []
        self._times: list[int] = []
        self._arrived = 0

    @property
    def next_frame(self) -> int:
        return self._first_frame + len(self._rows)

    def add(self, values: NDArray[np.float32], time_ns: int, arrived_ns: int) -> None:
        self._rows.append(values)
        self._times.append(time_ns)
        self._arrived = arrived_ns

    def frames(self, following: _Following) -> Frames:
        values = np.stack(self._rows)
        if following.body is not None:
            values = following.body.turned(values)
        return Frames(self._first_frame, values, np.array(self._times, np.int64), self._arrived, following.info)
