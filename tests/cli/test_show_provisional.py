"""Provisional segments are shown as such, in every view, and those that are retracted go away."""

from __future__ import annotations

import io
import itertools
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kineseg import Event, LabelsMerged, MissingValues, SegmentRetracted, SegmentStarted, SegmentUpdated
from kineseg.motion import Annotation
from kineseg_cli.show.agreement import compare_with_truth
from kineseg_cli.show.live import picture
from kineseg_cli.show.plain import PlainView
from kineseg_cli.show.segment_versions import Bar, SegmentVersions
from kineseg_cli.show.stream_history import StreamHistory
from kineseg_cli.show.timeline import draw
from kineseg_cli.show.wording import agreement_lines, brief, describe, outcomes
from rich.console import Console
from rich.segment import Segment

from tests.cli.provisional_stream import Change, Mistake, emitted, event, history

TRUTH = Annotation((0, 100, 200), (0, 1, 0), ("rest", "load", "rest"))
# At 10 s the change is first reported 0.4 s too late, with a wrong label; at 14 s nothing happens; at 20 s all is well.
CHANGES = (Change(10, 13.5, 1, reported=11, first_time=10.4, first_label=2, confidence=0.7), Change(20, 23.5, 0, 21))
MISTAKES = (Mistake(14, reported=14.5, retracted=15.5),)
EVENTS = emitted(CHANGES, MISTAKES, end=40)


def seen(bars: list[Bar]) -> list[tuple[float, float, int, bool]]:
    return [(bar.start_s, bar.end_s, bar.label, bar.confirmed) for bar in bars]


@pytest.fixture
def whole() -> StreamHistory:
    return history(EVENTS, truth=TRUTH)


def test_at_any_moment_one_sees_what_was_known_then(whole: StreamHistory) -> None:
    known = whole.segments
    assert seen(known.bars_at(10.9)) == [(0, 10.9, 0, True)]
    assert seen(known.bars_at(12)) == [(0, 10.4, 0, True), (10.4, 12, 2, False)]
    assert known.bars_at(12)[1].confidence == 0.7
    assert seen(known.bars_at(13.5)) == [(0, 10, 0, True), (10, 13.5, 1, True)]
    assert seen(known.bars_at(15)) == [(0, 10, 0, True), (10, 14, 1, True), (14, 15, 9, False)]
    assert seen(known.bars_at(15.5)) == [(0, 10, 0, True), (10, 15.5, 1, True)]
    assert seen(whole.bars()) == [(0, 10, 0, True), (10, 20, 1, True), (20, 40, 0, True)]


def test_what_became_of_provisional_segments(whole: StreamHistory) -> None:
    became = [(one.time_s, one.reported_s, one.outcome, one.outcome_s) for one in whole.provisional]
    assert became == [(10.4, 11, "confirmed", 13.5), (14, 14.5, "retracted", 15.5), (20, 21, "confirmed", 23.5)]
    assert outcomes(whole.provisional) == "3 reported, 2 confirmed, 1 retracted"
    cut = history([one for one in EVENTS if one.decided_time_s <= 12])
    assert outcomes(cut.provisional) == "1 reported, 0 confirmed, 0 retracted, 1 open"


def test_first_reports_and_confirmed_boundaries_are_scored_apart(whole: StreamHistory) -> None:
    agreement = compare_with_truth(whole)
    assert agreement is not None
    assert agreement.provisional is not None
    confirmed, first = agreement.confirmed, agreement.provisional
    assert (confirmed.hits, confirmed.found, confirmed.f1, confirmed.delay_s) == (2, 2, 1.0, 3.5)
    assert (first.hits, first.found, first.delay_s) == (2, 3, 1.0)
    assert first.precision == pytest.approx(2 / 3)
    assert first.recall == 1.0
    lines = [f"{name}: {value}" for name, value in agreement_lines(agreement)]
    assert "confirmed boundaries: 2 of 2 known within 0.5 s, 2 reported" in lines
    assert "boundaries as first reported: 2 of 2 known within 0.5 s, 3 reported" in lines


def test_a_merged_label_goes_on_under_the_other_only_where_it_is_open(whole: StreamHistory) -> None:
    open_one = history([one for one in EVENTS if one.decided_time_s <= 25])
    open_one.add(event(LabelsMerged, 26, 26, label=0, into=1))
    assert seen(open_one.bars()) == [(0, 10, 0, True), (10, 20, 1, True), (20, 26, 1, True)]
    assert seen(open_one.segments.bars_at(25))[-1] == (20, 25, 0, True)
    whole.add(event(LabelsMerged, 40, 40, label=0, into=1))
    assert [bar.label for bar in whole.bars()] == [0, 1, 0]


def test_events_in_plain_words() -> None:
    made = history(EVENTS)
    lines = [describe(one, made.before(one)) for one in EVENTS]
    assert "segment 1 began at 0:10.4, looks like action 2 (provisional, confidence 70%)" in lines
    assert "segment 1 is confirmed: action 1, not 2, from 0:10.0, 0.4 s earlier than reported before" in lines
    assert "segment 2 is retracted: nothing new began at 0:14.0" in lines
    assert "segment 3 is confirmed: action 0 from 0:20.0" in lines
    merged = event(LabelsMerged, 30, 30, label=7, into=3)
    assert describe(merged) == "actions 7 and 3 are one, 3 from now on"
    started = event(SegmentStarted, 10, 10, segment_id=4, label=1)
    relabelled = event(SegmentUpdated, 10, 12, segment_id=4, label=5, confidence=1.0, confirmed=True)
    assert describe(relabelled, started) == "segment 4 looks like action 5, not 1"
    surer = event(SegmentUpdated, 10, 12, segment_id=4, label=1, confidence=0.9, confirmed=False)
    assert describe(surer, started) != describe(relabelled, started)
    assert "90%" in describe(surer)
    assert all(len(brief(one)) <= len(describe(one)) for one in [*EVENTS, merged, relabelled, surer])


def test_missing_values_in_plain_words() -> None:
    channels = ("a", "b", "c", "d", "e")
    lost = event(MissingValues, 10, 10.3, channels=channels, duration_s=0.3, returned=False)
    back = event(MissingValues, 10, 14, channels=channels, duration_s=4.0, returned=True)
    assert describe(lost) == "values are missing from 0:10.0 on, filled with the last ones: a, b, c and 2 more"
    assert describe(back) == "values were missing from 0:10.0 on for 4.0 s and are back: a, b, c and 2 more"
    assert brief(lost) == "5 channels missing, filled"


def test_off_a_terminal_every_event_is_a_line() -> None:
    out = io.StringIO()
    with PlainView(history([]), Console(file=out)) as view:
        for one in EVENTS:
            view.add(one)
    lines = out.getvalue().splitlines()
    assert len(lines) == len(EVENTS)
    assert any("segment_retracted" in line and "is retracted" in line for line in lines)


def terminal(made: StreamHistory, width: int = 120, height: int = 40) -> list[str]:
    console = Console(width=width, height=height, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    lines = Segment.split_lines(console.render(picture(made, width, height)))
    return ["".join(segment.text for segment in line) for line in lines]


def test_the_terminal_hatches_what_is_provisional() -> None:
    def row(until: float) -> str:
        lines = terminal(history([one for one in EVENTS if one.decided_time_s <= until]))
        return next(line for line in lines if "segments found" in line)

    assert "╱" in row(13)
    assert "╱" not in row(13.5)
    assert "╱" in row(15)
    assert "╱" not in row(15.5)
    late = terminal(history(EVENTS))
    assert any(re.search(r"retracted +1 of 3", line) for line in late)
    unconfirmed = emitted((Change(10, 39, 1, reported=12, confidence=0.65),), end=40)
    waiting = history([one for one in unconfirmed if one.decided_time_s <= 12])
    waiting.add(event(LabelsMerged, 38, 38, label=90, into=91))  # time goes on
    assert any("1? 65%" in line for line in terminal(waiting))


def texts(made: StreamHistory) -> set[str]:
    figure = draw(made)
    legends = [text.get_text() for legend in figure.legends for text in legend.get_texts()]
    return {text.get_text() for ax in figure.axes for text in ax.texts} | set(legends)


def test_the_picture_shows_what_was_provisional_and_how_late_it_was_reported(whole: StreamHistory) -> None:
    shown = texts(whole)
    assert {"provisional", "reported 0.6 s later", "confirmed", "reported 3.5 s later"} <= shown
    assert {"provisional, later confirmed", "provisional, later retracted", "when it was reported"} <= shown
    assert "provisional, still open" not in shown


def test_the_picture_of_final_decisions_alone_has_no_such_rows() -> None:
    shown = texts(history(emitted((Change(10, 13.5, 1),), end=40)))
    assert "segments found" in shown
    assert "provisional" not in shown


times = st.integers(1, 390).map(lambda tenth: tenth / 10)


@st.composite
def lives(draw: st.DrawFn) -> list[Event]:
    """Streams with changes at least 3 s apart, each first provisional or not, and mistakes in between."""
    starts = draw(st.lists(st.integers(1, 12), max_size=6, unique=True).map(sorted))
    changes = [
        Change(
            3.0 * start,
            3.0 * start + draw(st.sampled_from([1.5, 2.5])),
            draw(st.integers(0, 3)),
            reported=draw(st.none() | st.just(3.0 * start + 1)),
            first_time=3.0 * start + draw(st.sampled_from([-0.5, 0.0, 0.5])),
            confidence=draw(st.floats(0, 1)),
        )
        for start in starts
    ]
    mistakes = [
        Mistake(change.time + 1.6, change.time + 1.7, change.time + draw(st.sampled_from([1.8, 2.9])))
        for change in changes
        if change.confirmed <= change.time + 1.6 and draw(st.booleans())
    ]
    return emitted(changes, mistakes, end=40)


@settings(max_examples=80)
@given(events=lives(), now=times)
def test_looking_back_is_the_same_as_having_been_there(events: list[Event], now: float) -> None:
    afterwards, there = SegmentVersions(), SegmentVersions()
    for one in events:
        afterwards.add(one)
        if one.decided_time_s <= now:
            there.add(one)
    bars = afterwards.bars_at(now)
    assert bars == there.bars(now)
    # Bars lie side by side from the beginning to now.
    assert bars[0].start_s == 0
    assert bars[-1].end_s == now
    assert all(before.end_s == after.start_s for before, after in itertools.pairwise(bars))
    retracted = {e.segment_id for e in events if isinstance(e, SegmentRetracted) and e.decided_time_s <= now}
    assert retracted.isdisjoint(bar.segment_id for bar in bars)


@settings(max_examples=25)
@given(events=lives(), now=times, width=st.integers(20, 200), height=st.integers(5, 60))
def test_the_terminal_view_fits_at_any_moment(events: list[Event], now: float, width: int, height: int) -> None:
    made = history([one for one in events if one.decided_time_s <= now], truth=TRUTH)
    console = Console(width=width, height=height, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    for line in Segment.split_lines(console.render(picture(made, width, height))):
        assert sum(segment.cell_length for segment in line) <= width
