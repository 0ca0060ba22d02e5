"""What is shown: the same history in every view, on any terminal, and scores that can be checked by hand."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kineseg import (
    AnomalyClass,
    AnomalyCleared,
    AnomalyKind,
    AnomalyRaised,
    AnomalyUpdated,
    Event,
    FrameResult,
    Gap,
    SegmentClosed,
    SegmentStarted,
)
from kineseg.motion import Annotation, Recording, canonical_pose
from kineseg_cli.show import page
from kineseg_cli.show.agreement import compare_with_truth, naming
from kineseg_cli.show.colors import PALETTE, UNKNOWN, color_of, ink_on
from kineseg_cli.show.live import picture
from kineseg_cli.show.signals import plane
from kineseg_cli.show.stream_history import StreamHistory
from kineseg_cli.show.timeline import draw
from kineseg_cli.show.wording import brief, describe, rarity
from rich.console import Console
from rich.segment import Segment

RATE = 10.0


def history(
    bars: list[tuple[float, float, int]], *, truth: Annotation | None = None, seconds: float = 40.0
) -> StreamHistory:
    """A history of two sensors whose segments (from, to, label) were reported two seconds after they had ended."""
    times = np.arange(round(seconds * RATE)) / RATE
    frames = np.stack([np.sin(times), times / 40], axis=1)
    made = StreamHistory(Recording(frames, RATE, ("current", "voltage"), name="two <sensors>", truth=truth))
    for i, (start_s, end_s, label) in enumerate(bars):
        about = {"frame": round(start_s * RATE), "time_s": start_s}
        begun = {"decided_frame": round((start_s + 2) * RATE), "decided_time_s": start_s + 2 if i else 0.0}
        ended = {"decided_frame": round((end_s + 2) * RATE), "decided_time_s": end_s + 2}
        made.add(SegmentStarted(seq=2 * i + 1, **about, **begun, segment_id=i, label=label))
        for time in np.arange(start_s, end_s, 0.5):
            made.add(
                FrameResult(
                    frame=round(time * RATE),
                    time_s=float(time),
                    surprise=0.1,
                    anomaly_score=float(time % 3),
                    embedding=np.array([label, time % 1, 0], dtype=np.float32),
                    label=label,
                )
            )
        if i + 1 < len(bars):
            made.add(
                SegmentClosed(
                    seq=2 * i + 2,
                    **about,
                    **ended,
                    segment_id=i,
                    label=label,
                    start_frame=round(start_s * RATE),
                    end_frame=round(end_s * RATE),
                    start_time_s=start_s,
                    end_time_s=end_s,
                )
            )
    return made


TRUTH = Annotation((0, 100, 200, 300), (0, 1, 0, 2), ("rest", "load", "rest", "fault"))


def test_scores_of_a_perfect_answer() -> None:
    agreement = compare_with_truth(history([(0, 10, 4), (10, 20, 7), (20, 30, 4), (30, 40, 1)], truth=TRUTH))
    assert agreement is not None
    found = agreement.confirmed
    assert (found.known, found.found, found.hits) == (3, 3, 3)
    assert found.f1 == 1.0
    assert found.delay_s == pytest.approx(2.0)
    assert agreement.provisional is None
    assert agreement.accuracy == pytest.approx(1.0, abs=0.02)


def test_scores_count_what_is_missed_late_and_mistaken() -> None:
    # One boundary 0.4 s off, one 1 s off, one missing; the last 10 s carry a label that is already given away.
    agreement = compare_with_truth(history([(0, 10.4, 0), (10.4, 21, 1), (21, 40, 0)], truth=TRUTH))
    assert agreement is not None
    found = agreement.confirmed
    assert (found.known, found.found, found.hits) == (3, 2, 1)
    assert found.precision == pytest.approx(1 / 2)
    assert found.recall == pytest.approx(1 / 3)
    assert found.delay_s == pytest.approx(2.4)
    assert agreement.accuracy == pytest.approx((10 + 9.6 + 9) / 39.5, abs=0.02)


def test_naming_gives_each_known_class_one_label() -> None:
    assert naming(history([(0, 10, 4), (10, 20, 7), (20, 30, 4), (30, 40, 1)], truth=TRUTH)) == {0: 4, 1: 7, 2: 1}


def test_without_truth_there_is_no_score() -> None:
    assert compare_with_truth(history([(0, 10, 0), (10, 40, 1)])) is None


def test_colours_are_stable_and_readable() -> None:
    assert len(set(PALETTE)) == len(PALETTE)
    assert [color_of(i) for i in range(len(PALETTE))] == list(PALETTE)
    assert len({color_of(i) for i in range(3 * len(PALETTE))}) == 3 * len(PALETTE)
    assert color_of(3) == color_of(3 + 3 * len(PALETTE))
    assert color_of(-1) == UNKNOWN

    def light(color: str) -> float:
        channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    for color in map(color_of, range(3 * len(PALETTE))):
        high, low = sorted((light(color), light(ink_on(color))), reverse=True)
        assert (high + 0.05) / (low + 0.05) >= 3.0  # WCAG, large or bold text


def test_a_history_can_be_shown_while_the_stream_is_open() -> None:
    made = history([(0, 10, 0), (10, 25, 1)])
    first, last = made.bars()
    assert (first.start_s, first.end_s, first.reported_s) == (0, 10, 12)
    assert last.reported_s is None
    assert last.end_s == pytest.approx(24.5)
    assert made.labels == [0, 1]
    assert made.labels_at([5.0, 15.0, 39.0]).tolist() == [0, 1, -1]


@settings(max_examples=40)
@given(
    cuts=st.lists(st.floats(0.5, 39.5), max_size=12, unique=True),
    labels=st.lists(st.integers(0, 40), min_size=13, max_size=13),
    width=st.integers(20, 240),
    height=st.integers(5, 80),
    known=st.booleans(),
)
def test_the_terminal_view_fits_every_terminal(
    cuts: list[float], labels: list[int], width: int, height: int, known: bool
) -> None:
    edges = [0.0, *sorted(cuts), 40.0]
    bars = list(zip(edges[:-1], edges[1:], labels, strict=False))
    made = history(bars, truth=TRUTH if known else None)
    for event in anomalies():
        made.add(event)
    made.add(Gap(seq=99, frame=50, time_s=5, decided_frame=60, decided_time_s=6, missing_frames=9, duration_s=1.0))
    console = Console(width=width, height=height, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    # What is rendered, before the console would crop it.
    lines = list(Segment.split_lines(console.render(picture(made, width, height))))
    assert all(sum(segment.cell_length for segment in line) <= width for line in lines)
    assert len(lines) > 10


@pytest.mark.parametrize("cuts", [True, False])
def test_no_curve_crosses_a_gap_that_cuts_the_stream(cuts: bool) -> None:
    times = np.r_[np.arange(0, 20, 0.1), np.arange(25, 40, 0.1)]
    frames = np.stack([np.sin(times), times / 40], axis=1)
    made = StreamHistory(Recording(frames, RATE, ("current", "voltage"), timestamps=times, name="two sensors"))
    for time in times[::5]:
        about = {"frame": round(time * RATE), "time_s": float(time)}
        made.add(FrameResult(**about, surprise=0.1, anomaly_score=1.0, embedding=np.zeros(3, np.float32), label=0))
    about = {"frame": 200, "time_s": 20.0, "decided_frame": 200, "decided_time_s": 25.0}
    made.add(Gap(seq=1, **about, missing_frames=50, duration_s=5.1, cuts=cuts))

    drawn = [np.asarray(line.get_data()) for ax in draw(made).axes for line in ax.lines]
    curves = [curve for curve in drawn if curve.shape[1] > 50 and np.ptp(curve[0]) > 30]
    assert len(curves) == 3  # the two sensors and the surprise
    for x, y in curves:
        (before,) = np.flatnonzero(np.diff(x[~np.isnan(y)]) > 4)
        assert np.isnan(y[before + 1]) == cuts


def test_no_pose_stands_in_a_gap_that_cuts_the_stream(motion: Recording) -> None:
    pose = canonical_pose(motion)
    times = pose.times() + np.where(np.arange(pose.n_frames) < 600, 0.0, 8.0)

    def poses(cuts: bool) -> list[float]:
        made = StreamHistory(replace(pose, timestamps=times))
        about = {"frame": 600, "time_s": 10.0, "decided_frame": 600, "decided_time_s": times[-1]}
        made.add(Gap(seq=1, **about, missing_frames=480, duration_s=8.0, cuts=cuts))
        marks = [line for ax in draw(made).axes for line in ax.lines if line.get_marker() == "o"]
        return [float(line.get_xdata()[0]) for line in marks if len(line.get_xdata()) == 1]

    filled, cut = poses(cuts=False), poses(cuts=True)
    assert [x for x in filled if 10.5 < x < 17.5]
    assert [x for x in cut if x < 10.5 or x > 17.5]
    assert not [x for x in cut if 10.5 < x < 17.5]


def anomalies() -> list[Event]:
    """One that became worse and is over, one that goes on, and one of what is done."""
    about = {"seq": 98, "frame": 5, "time_s": 0.5, "decided_frame": 9, "decided_time_s": 0.9}
    known = {**about, "anomaly_id": 1, "anomaly_kind": AnomalyKind.LEVEL, "severity": 0.25}
    known |= {"text": "head <off>"}
    frozen = known | {"anomaly_kind": AnomalyKind.FROZEN, "severity": 30.0, "text": "head frozen for 2.0 s"}
    long = known | {"anomaly_id": 3, "anomaly_kind": AnomalyKind.LONG_ACTION, "anomaly_class": AnomalyClass.BEHAVIOUR}
    long |= {"text": "action 4 goes on for 9.0 s, usually 2 to 5 s", "time_s": 7.0}
    return [
        AnomalyRaised(**known | {"frame": 6, "time_s": 0.6}),
        AnomalyUpdated(**frozen),
        AnomalyCleared(**frozen, end_frame=25, end_time_s=2.5, duration_s=2.0),
        AnomalyRaised(**known | {"anomaly_id": 2, "time_s": 5.0, "severity": 9e15}),
        AnomalyRaised(**long),
    ]


def test_an_anomaly_is_a_span_from_when_it_is_raised_until_it_is_cleared() -> None:
    made = history([(0, 10, 4), (10, 20, 7)])
    for event in anomalies():
        made.add(event)
    over, going, long = made.anomalies
    assert (over.start_s, over.end_s, over.kind, over.severity) == (0.5, 2.5, "frozen", 30.0)
    assert (going.start_s, going.end_s, going.kind, going.about) == (5.0, None, "level", "fault")
    assert (long.start_s, long.kind, long.about) == (7.0, "long_action", "behaviour")
    assert "head <off>" not in page.render(made)
    assert "head \\u003coff>" in page.render(made)
    assert {"frozen", "level", "long action"} <= {text.get_text() for ax in draw(made).axes for text in ax.texts}
    words = [describe(event) for event in anomalies()]
    assert words == [
        "anomaly 1 from 0:00.6 on: head <off> (level, once in 15.0 minutes)",
        "anomaly 1 goes on: head frozen for 2.0 s (frozen, once in 30.0 hours)",
        "anomaly 1 is over: head frozen for 2.0 s (frozen, once in 30.0 hours), 0:00.5 to 0:02.5",
        "anomaly 2 from 0:05.0 on: head <off> (level, once in a year or less)",
        "anomaly 3 from 0:07.0 on: action 4 goes on for 9.0 s, usually 2 to 5 s (behaviour: long action, once in 15.0 "
        "minutes)",
    ]
    assert [brief(event) for event in anomalies()] == [
        "anomaly 1: level", "anomaly 1 goes on: frozen", "anomaly 1 over, 2.0 s", "anomaly 2: level",
        "anomaly 3: long action",
    ]  # fmt: skip


def test_what_a_rule_says_is_shown_with_the_rule_and_not_as_rare() -> None:
    known = {"seq": 98, "frame": 5, "time_s": 0.5, "decided_frame": 9, "decided_time_s": 0.9, "anomaly_id": 1}
    raised = AnomalyRaised(
        **known, anomaly_kind=AnomalyKind.RULE, severity=8103.0, text="no pick for 60.0 s", rule="absence:pick"
    )
    made = history([(0, 10, 4)])
    made.add(raised)
    assert describe(raised) == "anomaly 1 from 0:00.5 on: no pick for 60.0 s (rule, as absence:pick says)"
    assert "absence:pick" in {text.get_text() for ax in draw(made).axes for text in ax.texts}


@pytest.mark.parametrize(
    ("hours", "words"),
    [
        (0.25, "15.0 minutes"),
        (30, "30.0 hours"),
        (240, "10.0 days"),
        (8103, "a year or less"),
        (1e12, "a year or less"),
    ],
)
def test_how_rare_something_is_is_said_in_a_unit_for_people(hours: float, words: str) -> None:
    assert rarity(hours) == f"once in {words}"


def test_the_picture_and_the_page_of_sensors_have_no_body() -> None:
    made = history([(0, 10, 4), (10, 20, 7), (20, 30, 4), (30, 40, 1)], truth=TRUTH)
    texts = [text.get_text() for ax in draw(made).axes for text in ax.texts]
    assert "poses" not in texts
    assert {"segments found", "known truth", "load"} <= set(texts)
    written = page.render(made)
    assert "two &lt;sensors&gt;" in written
    assert "two <sensors>" not in written
    assert '"body":null,"signals":["current","voltage"]' in written


def test_a_stream_without_events_can_be_drawn() -> None:
    empty = history([])
    draw(empty).canvas.draw()
    assert "</html>" in page.render(empty)


def test_a_few_wild_frames_do_not_flatten_the_plane() -> None:
    rng = np.random.default_rng(0)
    usual = np.c_[rng.standard_normal((200, 2)) * [3, 1], np.zeros((200, 3))]
    wild = usual.copy()
    wild[50:54, 4] = 500.0
    times = np.arange(200) / 30
    expected, _ = plane(usual, times)
    seen, share = plane(wild, times)
    assert share == pytest.approx(1.0)
    assert np.abs(seen).max() == pytest.approx(np.abs(expected).max(), rel=0.2)
