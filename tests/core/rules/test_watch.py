"""What is raised and cleared as the names of segments become known, change, and are taken back."""

from __future__ import annotations

import pickle
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st
from kineseg_core.events import AnomalyCleared, AnomalyRaised
from kineseg_core.intake.watch import AnomalyFound, Place
from kineseg_core.rules import rules_from_toml
from kineseg_core.rules.watch import RuleWatch

FPS = 10


def at(time_s: float) -> Place:
    return round(time_s * FPS), round(time_s * 1e9)


def watch(text: str) -> RuleWatch:
    return RuleWatch(rules_from_toml(text))


def said(found: list[AnomalyFound]) -> list[tuple[str, str]]:
    return [("raised" if isinstance(each.detail, AnomalyRaised) else "cleared", each.detail.text) for each in found]


def until(rules: RuleWatch, begin_s: float, end_s: float) -> list[AnomalyFound]:
    """All that time alone brings, and when."""
    frames = range(round(begin_s * FPS), round(end_s * FPS))
    return [each for frame in frames for each in rules.advance(at(frame / FPS))]


FALL = '[[name]]\nname = "fall"\n'
PICK = '[[absence]]\nname = "pick"\nfor_s = 60\n'


def test_a_name_is_raised_when_a_segment_gets_it_and_cleared_when_that_ends() -> None:
    rules = watch(FALL)
    assert rules.runs(1, "", at(5), at(6)) == []
    [raised] = rules.runs(1, "fall", at(5), at(7))
    assert (raised.frame, raised.decided, raised.detail.text) == (50, 70, "fall for 2.0 s")
    assert raised.detail.rule == "name:fall"
    assert rules.runs(1, "fall", at(4.8), at(8)) == [], "once for a segment"
    [cleared] = rules.closed(1, "fall", at(4.8), at(9), at(11))
    assert (cleared.frame, cleared.detail.anomaly_id) == (48, raised.detail.anomaly_id)
    assert isinstance(cleared.detail, AnomalyCleared)
    assert (cleared.detail.end_frame, cleared.detail.end_time_s, cleared.decided) == (90, 9.0, 110)
    assert cleared.detail.text == "fall for 4.2 s"


def test_a_name_that_was_wrong_is_cleared_with_a_correction() -> None:
    rules = watch(FALL)
    rules.runs(1, "fall", at(5), at(6))
    assert said(rules.runs(1, "kneel", at(5), at(7))) == [("cleared", "fall for 2.0 s (corrected: it is kneel)")]
    assert said(rules.runs(1, "fall", at(5), at(8))) == [("raised", "fall for 3.0 s")]
    assert said(rules.closed(1, "", at(5), at(9), at(9))) == [("cleared", "fall for 4.0 s (corrected: it has no name)")]
    rules.runs(2, "fall", at(9), at(10))
    assert said(rules.retracted(2, at(10.5))) == [("cleared", "fall for 1.5 s (retracted)")]


def test_a_name_that_is_known_only_at_the_end_is_not_lost() -> None:
    found = watch(FALL).closed(1, "fall", at(5), at(7), at(9))
    assert said(found) == [("raised", "fall for 4.0 s"), ("cleared", "fall for 2.0 s")]


def test_only_what_lasts() -> None:
    rules = watch(FALL + 'after_s = 3\ntext = "somebody lies there"')
    assert rules.runs(1, "fall", at(5), at(6)) == []
    [raised] = until(rules, 6, 10)
    assert (raised.decided, raised.detail.text) == (80, "somebody lies there")
    rules.closed(1, "fall", at(5), at(10), at(12))
    assert rules.runs(2, "fall", at(20), at(21)) == []
    rules.runs(3, "walk", at(22), at(22.5))  # with which the fall ends, as far as is known
    assert until(rules, 22.5, 30) == []
    assert said(rules.retracted(3, at(30))) == [("raised", "somebody lies there")], "it went on"
    rules.closed(2, "fall", at(20), at(31), at(31))
    assert rules.closed(4, "fall", at(31), at(33.9), at(40)) == []


def test_an_absence_is_raised_in_the_middle_of_a_segment_and_cleared_by_the_name() -> None:
    rules = watch(PICK)
    rules.runs(1, "walk", at(0), at(1))
    [raised] = until(rules, 1, 100)
    assert (raised.frame, raised.decided, raised.detail.text) == (0, 600, "no pick for 60.0 s")
    assert raised.detail.rule == "absence:pick"
    [cleared] = rules.runs(2, "pick", at(110), at(111))
    assert isinstance(cleared.detail, AnomalyCleared)
    assert (cleared.detail.end_frame, cleared.detail.text) == (1100, "no pick for 110.0 s")
    rules.closed(1, "walk", at(0), at(110), at(112))
    assert until(rules, 111, 500) == [], "it goes on"
    rules.closed(2, "pick", at(110), at(499), at(500))
    [raised] = until(rules, 500, 600)
    assert (raised.frame, raised.decided) == (4990, 5590)


def test_a_pick_that_never_was_ends_no_absence() -> None:
    rules = watch(PICK)
    assert said(until(rules, 0, 61)) == [("raised", "no pick for 60.0 s")]
    assert said(rules.runs(1, "pick", at(61), at(62))) == [("cleared", "no pick for 61.0 s")]
    assert said(rules.retracted(1, at(63))) == [("raised", "no pick for 63.0 s")]
    assert said(rules.finish(at(64), at(63.9))) == [("cleared", "no pick for 64.0 s")]
    rules = watch(PICK)
    rules.runs(1, "pick", at(59), at(59.5))
    assert until(rules, 59.5, 62) == []
    assert said(rules.runs(1, "walk", at(59), at(62))) == [("raised", "no pick for 62.0 s")]


def test_an_absence_waits_for_a_segment_that_began_in_time_and_is_not_sure_yet() -> None:
    rules = watch(PICK)
    rules.runs(1, "", at(58), at(58.6), confirmed=False)
    assert until(rules, 58.6, 61) == []
    assert rules.runs(1, "pick", at(58), at(61)) == []
    rules = watch(PICK)
    rules.runs(1, "", at(58), at(58.6), confirmed=False)
    assert until(rules, 58.6, 61) == []
    assert said(rules.runs(1, "walk", at(58), at(61))) == [("raised", "no pick for 61.0 s")]
    rules = watch(PICK)
    rules.runs(1, "", at(58), at(58.6), confirmed=False)
    assert said(rules.retracted(1, at(61))) == [("raised", "no pick for 61.0 s")]
    rules = watch(PICK)  # one that began in time and is known too late
    until(rules, 0, 60.1)
    assert said(rules.runs(1, "pick", at(59.8), at(60.4), confirmed=False)) == [
        ("cleared", "no pick for 59.8 s (corrected: it had begun)")
    ]


def test_rules_stand_side_by_side() -> None:
    rules = watch(FALL + PICK + '[[name]]\nname = "fall"\nafter_s = 10\nid = "long fall"')
    found = rules.runs(1, "fall", at(0), at(1)) + until(rules, 1, 70) + rules.closed(1, "fall", at(0), at(70), at(70))
    assert [each.detail.rule for each in found] == [
        "name:fall", "long fall", "absence:pick", "name:fall", "long fall",
    ]  # fmt: skip
    assert len({each.detail.anomaly_id for each in found}) == 3


NAMES = st.sampled_from(["", "fall", "pick", "walk"])
STEPS = st.lists(
    st.tuples(st.sampled_from(["runs", "retracted", "closed", "time"]), st.integers(0, 3), NAMES, st.integers(0, 40)),
    max_size=40,
)
BOTH = FALL + FALL + 'after_s = 4\nid = "long"\n' + '[[absence]]\nname = "pick"\nfor_s = 5'


@given(STEPS)
def test_whatever_is_decided_each_alert_is_raised_once_and_cleared_once(steps: list[tuple[str, int, str, int]]) -> None:
    """Also after a pickling in the middle; and what holds between steps is what the rules say."""
    rules, found, now = watch(BOTH), list[AnomalyFound](), 0.0
    running: dict[int, tuple[str, float]] = {}
    ids: dict[int, int] = {}  # of the segment that each of a few numbers stands for now; none is used again
    for what, number, name, tenths in steps:
        segment = ids.setdefault(number, len(ids) + 100 * number)
        if what == "time":
            for _ in range(tenths):
                now += 0.1
                found += rules.advance(at(now))
            rules = pickle.loads(pickle.dumps(rules))
        elif what == "runs":
            _, start = running.get(segment, ("", now))
            running[segment] = name, start
            found += rules.runs(segment, name, at(start), at(now))
        elif segment in running:
            _, start = running.pop(segment)
            ids[number] += 1
            if what == "retracted":
                found += rules.retracted(segment, at(now))
            else:
                found += rules.closed(segment, name, at(start), at(now), at(now))
        open_now = Counter(each.detail.rule for each in found if isinstance(each.detail, AnomalyRaised))
        open_now.subtract(each.detail.rule for each in found if isinstance(each.detail, AnomalyCleared))
        names = [name for name, _ in running.values()]
        assert open_now["name:fall"] == names.count("fall")
        assert open_now["long"] <= names.count("fall")
        assert open_now["absence:pick"] <= ("pick" not in names)
    found += rules.finish(at(now), at(now))
    of: dict[int, list[AnomalyFound]] = {}
    for each in found:
        of.setdefault(each.detail.anomaly_id, []).append(each)
    for events in of.values():
        assert isinstance(events[0].detail, AnomalyRaised)
        assert all(isinstance(each.detail, AnomalyCleared) for each in events[1:])
        still_runs = events[0].detail.rule != "absence:pick" and "fall" in [name for name, _ in running.values()]
        assert len(events) == 2 or still_runs
        assert [each.decided for each in events] == sorted(each.decided for each in events)
