"""Which frame is nearest to a time, whatever gaps there are between frames."""

from __future__ import annotations

import pickle
from array import array

from hypothesis import given, settings
from hypothesis import strategies as st
from kineseg_core.intake.recent_places import LONGEST_NS, RecentPlaces

_RATE_HZ = 2.0  # twenty frames are remembered
_REMEMBERED = 20
_SECOND = 10**9

steps = st.integers(1, _SECOND) | st.integers(1, 3600 * _SECOND)
chunks = st.lists(st.tuples(st.integers(0, 3), st.lists(steps, max_size=30)), min_size=1, max_size=8)


@settings(max_examples=200, deadline=None)
@given(chunks=chunks, asked=st.integers(0, 10**6), known=st.booleans())
def test_the_nearest_of_the_frames_that_are_remembered_is_found(chunks, asked, known):
    places, all_places = RecentPlaces(_RATE_HZ), []
    frame, ns = 0, 0
    for missed, steps_ns in chunks:
        frame += missed if all_places else 0
        times_ns = []
        for step in steps_ns:
            ns += step
            times_ns.append(ns)
        is_short = known and max(steps_ns, default=0) <= LONGEST_NS
        if not (is_short and places.follow(frame, array("I", steps_ns), ns)):
            places.extend(frame, times_ns)
        all_places += list(enumerate(times_ns, frame))
        frame += len(times_ns)
    if not all_places:
        return
    places = pickle.loads(pickle.dumps(places))
    assert places.last == all_places[-1]
    remembered = all_places[-_REMEMBERED:]
    for place in remembered:
        assert places.nearest(place[1] / _SECOND) == min(
            remembered, key=lambda each, at=place[1]: (abs(each[1] - round(at / _SECOND * _SECOND)), each[1])
        )
    found = places.nearest(asked / 1e3)
    assert abs(found[1] - asked * 10**6) == min(abs(each[1] - asked * 10**6) for each in remembered)


def test_ten_seconds_take_little_room():
    places = RecentPlaces(120.0)
    for first in range(0, 6000, 6):
        places.extend(first, [round(frame * _SECOND / 120.0) for frame in range(first, first + 6)])
    assert len(pickle.dumps(places)) < 6 * 1024
