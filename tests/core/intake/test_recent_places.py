"""Which frame is nearest to a time, whatever gaps there are between frames."""

from __future__ import annotations

import pickle

from hypothesis import given, settings
from hypothesis import strategies as st
from kineseg_core.intake.recent_places import RecentPlaces

_RATE_HZ = 2.0  # twenty frames are remembered
_REMEMBERED = 20
_SECOND = 10**9

steps = st.integers(1, _SECOND) | st.integers(1, 3600 * _SECOND)
chunks = st.lists(st.tuples(st.integers(0, 3), st.lists(steps, max_size=30)), min_size=1, max_size=8)


@settings(max_examples=200)
@given(chunks=chunks, asked=st.integers(0, 10**6))
def test_the_nearest_of_the_frames_that_are_remembered_is_found(chunks, asked):
    places, all_places = RecentPlaces(_RATE_HZ), []
    frame, ns = 0, 0
    for missed, steps_ns in chunks:
        frame += missed if all_places else 0
        times_ns = []
        for step in steps_ns:
            ns += step
            times_ns.append(ns)
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


came = st.lists(st.tuples(st.integers(0, 3), st.integers(1, 50), st.booleans()), min_size=1, max_size=8)


@settings(max_examples=200)
@given(came=came, rate_hz=st.sampled_from([2.0, 3.0, 0.1]), asked=st.integers(0, 10**6))
def test_frames_that_are_only_counted_are_where_they_would_be_if_each_had_been_noted(came, rate_hz, asked):
    counted, noted = RecentPlaces(rate_hz), RecentPlaces(rate_hz)
    end = 0
    for missed, many, is_counted in came:
        first = end + (missed if end and not is_counted else 0)
        end = first + many
        times_ns = [round(frame * _SECOND / rate_hz) for frame in range(first, end)]
        noted.extend(first, times_ns)
        if is_counted:
            counted.follow(end)
        else:
            counted.extend(first, times_ns)
    counted = pickle.loads(pickle.dumps(counted))
    assert counted.nearest(asked / 1e3) == noted.nearest(asked / 1e3)
    assert counted.last == noted.last


def test_ten_seconds_take_little_room():
    places = RecentPlaces(120.0)
    for first in range(0, 6000, 6):
        places.extend(first, [round(frame * _SECOND / 120.0) for frame in range(first, first + 6)])
    assert len(pickle.dumps(places)) < 6 * 1024
