"""The measure of naming: what is right, wrong, missed, kept and invented; and its command."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from kineseg import EndReason, FrameResult, Segment, Segmentation, Summary
from kineseg.motion import Annotation, Recording
from kineseg_core.naming import NamingSettings

from evaluation.quality.naming.__main__ import main
from evaluation.quality.naming.segments import NamedSeconds, StreamSegments, name_segments
from evaluation.quality.stream import AnnotatedStream, from_truth

PLACES = {"walk": (0.0, 0.0), "run": (1.0, 0.0), "sit": (0.0, 1.0), "lie": (9.0, 9.0)}
SETTINGS = NamingSettings(radius=0.4, ratio=0.7)
RATE = 10.0


def segments_of(name: str, *actions: str, shift: float = 0.0, cuts: tuple[int, ...] = ()) -> StreamSegments:
    """Five seconds of each action, found as they are or cut at other frames; the embedding is the action's place."""
    edges = range(0, 50 * len(actions) + 1, 50)
    frames = np.repeat([PLACES[action] for action in actions], 50, axis=0) + shift
    starts = tuple(edges)[:-1]
    truth = Annotation.from_names(starts, actions, tuple((start, start) for start in starts))
    recording = Recording(frames=frames, rate=RATE, channels=("x", "y"), name=name, truth=truth)
    segments = tuple(
        Segment(
            segment_id=i, label=0, start_frame=a, end_frame=b, start_time_s=a / RATE, end_time_s=b / RATE,
            embedding=tuple(frames[a:b].mean(axis=0).tolist()),
        )
        for i, (a, b) in enumerate(pairwise(cuts or edges))
    )  # fmt: skip
    results = tuple(
        FrameResult(frame=i, time_s=i / RATE, surprise=0.0, anomaly_score=0.0, embedding=row, label=0)
        for i, row in enumerate(frames.astype(np.float32))
    )
    about = {"seq": 1, "frame": 0, "time_s": 0.0, "decided_frame": 0, "decided_time_s": 0.0}
    totals = {"frames": len(frames), "duration_s": 1.0, "segments": 1, "labels": 1, "anomalies": 0, "filled_frames": 0}
    summary = Summary(**about, **totals, reason=EndReason.COMPLETED)  # type: ignore[arg-type]
    stream: AnnotatedStream = from_truth("made", recording)
    return StreamSegments.of(stream, Segmentation(segments, (), summary, RATE, len(frames), results))


def test_what_is_taught_is_named_and_the_rest_stays_unknown() -> None:
    known, other = segments_of("a", "walk", "run"), segments_of("b", "run", "sit", "walk", "lie", shift=0.1)
    assert name_segments([known], other, SETTINGS) == NamedSeconds(right=10.0, kept=10.0)
    seconds = name_segments([known], other, SETTINGS, withheld=frozenset({"run"}))
    assert seconds == NamedSeconds(right=5.0, kept=15.0)
    assert (seconds.precision, seconds.recall, seconds.unknown) == (100.0, 100.0, 100.0)


def test_what_is_wrong_missed_and_invented_is_counted_by_time() -> None:
    known = segments_of("a", "walk", "run")
    # A segment over two actions has one name, and that is wrong for a part of it.
    seconds = name_segments([known], segments_of("b", "walk", "run", cuts=(0, 60, 100)), SETTINGS)
    assert seconds == NamedSeconds(right=9.0, wrong=1.0)
    far = name_segments([known], segments_of("b", "walk", "sit", shift=0.35), SETTINGS)
    assert far == NamedSeconds(missed=5.0, kept=5.0)
    wide = name_segments([known], segments_of("b", "sit"), NamingSettings(radius=2.0, ratio=1.0))
    assert wide == NamedSeconds(wrong=5.0, invented=5.0)
    assert (wide.precision, wide.unknown) == (0.0, 0.0)
    both = NamedSeconds(right=3.0, wrong=1.0, missed=2.0, kept=3.0, invented=1.0)
    assert (both.precision, both.recall, both.unknown) == (75.0, 60.0, 75.0)


def test_other_words_for_an_action_are_that_action() -> None:
    PLACES["walking"] = PLACES["walk"]
    assert segments_of("a", "walking", "run").actions == {"walk", "run"}


def rows(printed: str) -> list[list[str]]:
    """The cells of the table that the command prints about two streams."""
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in printed.splitlines()[4:]]
    assert [row[2] for row in cells] == ["1 other", "all others, but one action"]
    return cells


def test_one_stream_teaches_no_other(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--set", "generated", "--streams", "1"]) == 1
    assert "at least two" in capsys.readouterr().err


def test_the_command_prints_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--set", "generated", "--streams", "2"]) == 0
    for row in rows(capsys.readouterr().out):
        assert all(0.0 <= float(cell) <= 100.0 for cell in row[3:])


@pytest.mark.data
@pytest.mark.usefixtures("real_data", "scoring_scripts")
def test_of_real_takes_most_is_named_right(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--streams", "2"]) == 0
    precision, recall, unknown = (float(cell) for cell in rows(capsys.readouterr().out)[0][3:])
    assert precision > 85.0
    assert recall > 60.0
    assert unknown > 85.0
