"""Figures of alarms that were written by hand."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from kineseg.motion import Recording
from kineseg_training.data.faults import BODY_FAULTS, CHANNEL_FAULTS

from evaluation.alerts.alarms import alarm_times, false_alarms, normal_hours, threshold_for
from evaluation.alerts.events import event_scores
from evaluation.alerts.false_alarms import near_boundaries, realised
from evaluation.alerts.faults import (
    Share,
    ahead,
    delay_s,
    exact_soon,
    found,
    kinds_right,
    places_right,
    share,
    warning_s,
)
from evaluation.alerts.results import BUDGETS, MIDDLE, OURS, Outcome, SetResult
from evaluation.alerts.run import merge
from evaluation.alerts.stream import AlertStream
from evaluation.alerts.trials import Trial
from evaluation.alerts.vus import range_auc_pr, soft_labels, vus_pr
from evaluation.alerts.watch import Alarm, Seen, Watched
from evaluation.asked import Asked, Reached, plain

RATE = 10.0
CHANNELS = ("acc_x", "acc_y", "flow")


def quiet(minutes: float = 60.0, **known: object) -> AlertStream:
    frames = np.random.default_rng(0).standard_normal((round(minutes * 60 * RATE), len(CHANNELS)))
    return AlertStream("cmu", "quiet", Recording(frames, RATE, CHANNELS), **known)  # type: ignore[arg-type]


def peaks(stream: AlertStream, heights: dict[float, float]) -> np.ndarray:
    """A score that is 0 but for one frame at each of these times."""
    scores = np.zeros(len(stream.times))
    for at_s, height in heights.items():
        scores[round(at_s * RATE)] = height
    return scores


def trial(kind: str, start_s: float, units: tuple[str, ...] = ("acc_x",)) -> Trial:
    (of,) = (each for each in CHANNEL_FAULTS if each.name == kind)
    first, frames = round(start_s * RATE), round((of.duration_s + 1.6) * RATE)
    times = (first + np.arange(frames)) / RATE
    return Trial(of, first, start_s, start_s + of.duration_s, units, np.zeros((frames, len(CHANNELS))), times)


def watched(stream: AlertStream, alarms: tuple[Alarm, ...] = (), faulty: tuple[Seen, ...] = ()) -> Watched:
    return Watched(Seen(np.zeros(len(stream.times)), alarms), faulty, 0.0)


def result(
    stream: AlertStream, put_in: tuple[Trial, ...] = (), ours: Watched | None = None, **peers: Watched
) -> SetResult:
    own = (ours or watched(stream),)
    return SetResult("cmu", (stream,), (put_in,), dict.fromkeys(BUDGETS, own), {k: (v,) for k, v in peers.items()})


def test_an_alarm_begins_again_only_after_a_pause() -> None:
    times = np.arange(10) / 2.0
    assert alarm_times(times, np.array([0, 5, 5, 0, 5, 0, 0, 0, 5, 0.0]), 5.0).tolist() == [0.5, 4.0]
    assert alarm_times(times, np.zeros(10), 5.0).tolist() == []


def test_alarms_in_events_in_what_is_ignored_and_in_the_warm_up_are_not_false() -> None:
    stream = quiet(1.0, events=((20.0, 25.0),), ignore=((30.0, 32.0),))
    assert false_alarms(stream, np.array([5.0, 15.0, 22.0, 31.0, 40.0])).tolist() == [15.0, 40.0]
    assert normal_hours(stream) == pytest.approx((60 - 10 - 5 - 2) / 3600.0, rel=0.02)


def test_the_threshold_raises_as_many_false_alarms_as_are_allowed_and_no_more() -> None:
    stream = quiet()  # an hour
    scores = peaks(stream, {100.0 * k: float(k) for k in range(1, 30)})
    for per_hour in (2.0, 6.0):
        threshold = threshold_for([stream], [scores], per_hour)
        allowed = int(per_hour * normal_hours(stream))
        assert len(alarm_times(stream.times, scores, threshold)) == allowed
        assert len(alarm_times(stream.times, scores, threshold - 1.0)) == allowed + 1
    assert threshold_for([stream], [np.zeros(len(scores))], 2.0) > 0.0  # a constant score raises none


def test_outcomes_as_stated() -> None:
    stream = quiet(2.0)
    put_in = (trial("occluded", 30.0), trial("drift", 30.0), trial("jitter", 60.0), trial("offset", 60.0))
    seen = (
        Seen(np.zeros(26), (Alarm(30.2, "occluded", ("acc_x",)),)),
        Seen(np.zeros(76), (Alarm(31.5, "drift", ("acc_y",)), Alarm(33.0, "jitter", ("flow",)))),
        Seen(np.zeros(26), (Alarm(62.1, "jitter", ("acc_x",)),)),
        Seen(np.zeros(56), (Alarm(61.0, "spike", ("flow", "acc_x", "acc_y")),)),
    )
    outcomes = (found_in := result(stream, put_in, watched(stream, (), seen))).stated_outcomes[MIDDLE]
    # The alarm about jitter comes more than a second after its end.
    assert [outcome.at_s for outcome in outcomes] == [30.2, 31.5, None, 61.0]
    assert share(outcomes, found) == Share(3, 4)
    assert kinds_right(found_in) == Share(2, 3)
    assert places_right(found_in) == Share(3, 3)
    assert exact_soon(found_in) == Share(1, 1)
    assert delay_s(outcomes[1]) == pytest.approx(1.5)
    assert warning_s(outcomes[1]) == pytest.approx(4.5)
    assert [ahead(outcome) for outcome in outcomes] == [False, True, False, False]


def test_a_wrong_place_is_wrong_and_naming_everything_is_no_place() -> None:
    stream = quiet(2.0)
    put_in = (trial("spike", 30.0), trial("spike", 30.0), trial("gap", 30.0))
    units: tuple[tuple[str, ...], ...] = (("flow",), ("flow", "acc_x", "flow2"), ())
    seen = tuple(Seen(np.zeros(17), (Alarm(30.0, "spike", each),)) for each in units)
    assert places_right(result(stream, put_in, watched(stream, (), seen))) == Share(0, 2)


def test_the_delay_of_a_gap_is_from_the_first_frame_after_it() -> None:
    (gap,) = (each for each in BODY_FAULTS if each.name == "gap")
    missing = Trial(gap, 300, 30.0, 30.4, (), np.zeros((10, 3)), 30.4 + np.arange(10) / RATE)
    assert delay_s(Outcome(missing, 30.5)) == pytest.approx(0.1)
    assert delay_s(Outcome(missing, None)) is None


def test_outcomes_at_the_best_threshold_need_an_alarm_that_begins() -> None:
    stream = quiet()
    clean = peaks(stream, {100.0 * k: float(k) for k in range(1, 30)})
    clean[1000 - 20 : 1000] = 28.5  # goes on when the first fault begins
    low, high = peaks(stream, {0.3: 10.0})[:26], peaks(stream, {0.3: 40.0})[:26]
    on = np.full(26, 28.5)
    put_in = (trial("jitter", 100.0), trial("jitter", 200.0), trial("jitter", 200.0))
    peer = Watched(Seen(clean), (Seen(on), Seen(low), Seen(high)), 0.0)
    found_in = result(stream, put_in, watched(stream, (), (Seen(low),) * 3), peer=peer)
    assert [outcome.at_s for outcome in found_in.best_outcomes["peer", 2.0]] == [None, None, 200.3]


def test_realised_against_stated() -> None:
    stream = quiet(30.0, ignore=((100.0, 110.0),))
    raised = tuple(Alarm(at_s, "spike", ()) for at_s in (50.0, 105.0, 200.0, 300.0))
    row = realised("some", [result(stream, (), watched(stream, raised))])
    assert row is not None
    assert row.alarms == dict.fromkeys(BUDGETS, 3)
    assert row.called == {"spike": 3}
    assert row.ratio(2.0) == pytest.approx(3.0)
    assert row.ratio(30.0) == pytest.approx(0.2)
    assert realised("none", []) is None


def test_alarms_at_boundaries_differ_from_chance() -> None:
    boundaries = tuple(float(at_s) for at_s in range(20, 1800, 20))
    stream = quiet(30.0, boundaries_s=boundaries)
    for offset_s, likely in ((0.5, False), (7.0, True)):
        raised = tuple(Alarm(at_s + offset_s, "spike", ()) for at_s in boundaries[:10])
        near = near_boundaries(result(stream, (), watched(stream, raised)))
        assert near is not None
        assert near[0].alarms == 10
        assert near[0].chance == pytest.approx(0.1, abs=0.02)
        assert (near[0].p > 0.05) == likely
    assert near_boundaries(result(quiet(1.0))) is None


def test_events_are_found_by_alarms_in_them() -> None:
    stream = quiet(30.0, events=((100.0, 104.0), (200.0, 204.0)))
    perfect, blind = np.zeros(len(stream.times)), np.zeros(len(stream.times))
    for start, stop in stream.events:
        perfect[round(start * RATE) : round(stop * RATE) + 1] = 9.0
    blind[::97] = 1.0
    ours = Watched(Seen(perfect, (Alarm(101.0, "level", ()), Alarm(300.0, "level", ()))), (), 0.0)
    found_in = SetResult(
        "falls", (stream,), ((),), dict.fromkeys(BUDGETS, (ours,)), {"blind": [Watched(Seen(blind), (), 0.0)]}
    )
    own, other = event_scores(found_in)
    assert (own.method, own.found[MIDDLE], own.auc_pr) == (OURS, 1.0, pytest.approx(1.0))
    assert own.vus_pr > 0.6
    assert own.stated[MIDDLE] == (0.5, pytest.approx(1.0 / normal_hours(stream)))
    assert (other.method, other.found[MIDDLE]) == ("blind", 0.0)
    assert other.auc_pr < 0.05


def test_volume_under_the_surface() -> None:
    inside = np.zeros(60, dtype=bool)
    inside[20:25] = inside[40:44] = True
    soft = soft_labels(inside, 6)
    np.testing.assert_allclose(soft[17:20], np.sqrt([1 - 3 / 6, 1 - 2 / 6, 1 - 1 / 6]))
    np.testing.assert_allclose(soft[25:28], [np.sqrt(1 - 1 / 6), np.sqrt(1 - 2 / 6), 0.0])
    scores = np.sin(np.arange(60) * 0.7) + 2.0 * inside
    # What the authors' package gives (vus 0.0.6, RangeAUC_volume with windows up to 0, 4 and 8).
    for width, expected in ((0, 1.0), (4, 0.9668565012569508), (8, 0.9181152767644873)):
        assert vus_pr(scores, inside, np.arange(width + 1)) == pytest.approx(expected, abs=1e-9)
    assert range_auc_pr(inside.astype(float), inside, 0) > range_auc_pr(-inside.astype(float), inside, 0)


def test_the_summary_keeps_what_others_put_into_it(tmp_path: Path) -> None:
    path = tmp_path / "summary.json"
    path.write_text(json.dumps({"takes bf1": {"value": 0.9, "asked": 0.9, "holds": True}}))
    merge(path, [Reached(Asked("kind right", 0.85), 0.9), Reached(Asked("alarms", 1.0, at_most=True), 2.0)])
    merge(path, [Reached(Asked("kind right", 0.85), None)])
    assert json.loads(path.read_text()) == {
        "takes bf1": {"value": 0.9, "asked": 0.9, "holds": True},
        "alerts: alarms": {"value": 2.0, "asked": 1.0, "holds": False},
        "alerts: kind right": {"value": None, "asked": 0.85, "holds": False},
    }
    assert plain([Reached(Asked("x", 0.3), 0.1 + 0.2)])["x"]["holds"]
