"""`kineseg segment`: what it writes, and that all of it agrees."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from kineseg import (
    Client,
    FrameResult,
    Gap,
    SegmentClosed,
    SegmentStarted,
    Summary,
    event_from_dict,
    provisional_segments,
)
from kineseg.motion import Joints, Recording, canonical_pose, read
from kineseg_service.server import BackgroundServer

from tests.cli.command import Command
from tests.event_schema import check_events
from tests.same_events import content

PNG = b"\x89PNG\r\n\x1a\n"


def test_the_three_files_agree(kineseg: Command, motion_file: Path, motion: Recording, tmp_path: Path) -> None:
    out, labels, plot = tmp_path / "events.jsonl", tmp_path / "labels.csv", tmp_path / "timeline.png"
    outcome = kineseg("segment", motion_file, "--out", out, "--labels", labels, "--plot", plot)
    assert outcome.status == 0, outcome.err
    assert outcome.out == ""  # nothing but what was asked for
    events = [event_from_dict(json.loads(line)) for line in out.read_text().splitlines()]
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    assert isinstance(events[-1], Summary)
    assert events[-1].frames == motion.n_frames
    closed = [event for event in events if isinstance(event, SegmentClosed)]
    assert len(closed) == events[-1].segments > 1
    assert all(before.end_frame == after.start_frame for before, after in pairwise(closed))
    with labels.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["frame", "segment_id", "label"]
    assert [int(row["frame"]) for row in rows] == list(range(motion.n_frames))
    for segment in closed:
        inside = {(r["segment_id"], r["label"]) for r in rows[segment.start_frame : segment.end_frame]}
        assert inside == {(str(segment.segment_id), str(segment.label))}
    assert plot.read_bytes().startswith(PNG)


def emitted(lines: str) -> list[dict[str, object]]:
    """The events that were printed, but for what is of one stream alone."""
    return content(map(json.loads, lines.splitlines()))


def test_json_lines_have_the_keys_that_are_promised(kineseg: Command, motion_file: Path) -> None:
    outcome = kineseg("segment", motion_file, "--out", "-")
    assert outcome.status == 0, outcome.err
    lines = [json.loads(line) for line in outcome.out.splitlines()]  # so standard output holds nothing else
    common = ["id", "stream_id", "seq", "kind", "emitted_at", "frame", "time_s", "decided_frame", "decided_time_s"]
    assert all(list(line)[: len(common)] == common for line in lines)
    started = next(line for line in lines if line["kind"] == "segment_started")
    about = {"segment_id", "label", "repeat_probability"}
    assert set(started) == {*common, *about, "confidence", "confirmed", "start_frame"}
    closed = next(line for line in lines if line["kind"] == "segment_closed")
    times = {"start_frame", "end_frame", "start_time_s", "end_time_s"}
    assert set(closed) == {*common, *about, *times, "embedding"}  # and a name if it has one
    assert lines[-1]["kind"] == "summary"


def test_a_file_has_the_result_of_a_live_stream(kineseg: Command, motion_file: Path, tmp_path: Path) -> None:
    labels, live_labels = tmp_path / "labels.csv", tmp_path / "live.csv"
    with BackgroundServer() as server, Client(server.address) as client:
        outcome = kineseg("segment", motion_file, "--out", "-", "--labels", labels, "--server", server.address)
        motion = read(motion_file)
        assert motion.positions is not None
        # By canonical poses of what travels in single precision, and by joints as they come.
        found = client.segment(canonical_pose(replace(motion, positions=motion.positions.astype(np.float32))))
        found.to_csv(live_labels)
        with client.stream(rate=motion.rate, joints=Joints.of(motion)) as stream:
            live = []
            for first in range(0, motion.n_frames, 7):
                stream.send(motion.positions[first : first + 7])
                live += stream.poll()
            stream.end_input()
            live += stream
    written = [event_from_dict(json.loads(line)) for line in outcome.out.splitlines()]
    check_events(map(json.loads, outcome.out.splitlines()))
    assert all(event.confirmed for event in written if isinstance(event, SegmentStarted))
    assert {event.kind for event in written} <= {
        "segment_started",
        "segment_closed",
        "labels_merged",
        "anomaly",
        "anomaly_updated",
        "anomaly_cleared",
        "summary",
    }

    def final(events: object) -> list[dict[str, object]]:
        assert isinstance(events, list | tuple)
        closed = content(event.to_dict() for event in events if isinstance(event, SegmentClosed | Summary))
        return [{key: value for key, value in event.items() if key != "seq"} for event in closed]

    assert not any(isinstance(item, FrameResult) for item in live)
    assert final(written) == final(found.events) == final(live)
    assert len(final(written)) > 2
    assert labels.read_text() == live_labels.read_text()


def test_provisional_segments_are_reported_on_request(kineseg: Command, motion_file: Path) -> None:
    usual = kineseg("segment", motion_file, "--out", "-")
    outcome = kineseg("segment", motion_file, "--out", "-", "--provisional")
    assert outcome.status == usual.status == 0, outcome.err
    events, without = ([event_from_dict(json.loads(line)) for line in o.out.splitlines()] for o in (outcome, usual))
    assert isinstance(events[-1], Summary)
    assert isinstance(without[-1], Summary)
    assert len(provisional_segments(events)) == events[-1].provisional == without[-1].provisional
    assert provisional_segments(without) == ()
    table = kineseg("segment", motion_file, "--provisional")
    assert "provisional segments" in table.out
    for heading in ("from", "delay", "confidence", "outcome", "moved by"):  # none of them cut short
        assert heading in table.out
    outcomes = [table.out.count(outcome) for outcome in ("confirmed", "retracted", "left open")]
    assert sum(outcomes) == events[-1].provisional


def test_without_out_there_is_a_table(kineseg: Command, motion_file: Path) -> None:
    outcome = kineseg("segment", motion_file)
    assert outcome.status == 0
    assert "segment" in outcome.out
    assert "0:00.0" in outcome.out
    assert "end of stream (completed)" in outcome.err


def test_what_is_wrong_with_the_source_is_said_below_the_table(
    kineseg: Command, motion: Recording, tmp_path: Path
) -> None:
    assert motion.positions is not None
    positions = motion.positions.copy()
    first, wrist = round(10 * motion.rate), motion.joints.index("left_wrist")
    positions[first : first + round(3 * motion.rate), wrist] = positions[first, wrist]
    file = tmp_path / "frozen.npz"
    np.savez(file, positions=positions, rate=motion.rate, joints=np.array(motion.joints))
    outcome = kineseg("segment", file, "--alarms-per-hour", "0.01")
    assert outcome.status == 0, outcome.err
    _, _, below = outcome.out.partition("anomalies")
    assert "0:10.0" in below
    assert "left wrist frozen" in below
    events = emitted(kineseg("segment", file, "--out", "-", "--alarms-per-hour", "0.01").out)
    (over,) = [event for event in events if event["kind"] == "anomaly_cleared"]
    assert (over["anomaly_kind"], over["joints"]) == ("frozen", ["left_wrist"])


def test_real_time_gives_the_same_events(kineseg: Command, motion_file: Path, tmp_path: Path) -> None:
    short = tmp_path / "short.csv"
    recording = read(motion_file).slice(0, 180)
    header = ",".join(recording.channels)
    body = "\n".join(",".join(f"{value:.6f}" for value in row) for row in recording.frames)
    short.write_text(f"{header}\n{body}\n")
    fast = kineseg("segment", short, "--rate", 60, "--out", "-")
    live = kineseg("segment", short, "--rate", 60, "--out", "-", "--realtime")
    assert fast.status == live.status == 0, live.err
    assert emitted(fast.out) == emitted(live.out) != []


def test_a_gap_is_reported_and_labels_keep_to_the_rows_of_the_file(
    kineseg: Command, gap_file: Path, tmp_path: Path
) -> None:
    labels = tmp_path / "labels.csv"
    outcome = kineseg("segment", gap_file, "--out", "-", "--labels", labels)
    assert outcome.status == 0, outcome.err
    events = [event_from_dict(json.loads(line)) for line in outcome.out.splitlines()]
    (gap,) = [event for event in events if isinstance(event, Gap)]
    assert (gap.frame, gap.missing_frames) == (600, 30)
    rows = labels.read_text().splitlines()[1:]
    assert len(rows) == len(gap_file.read_text().splitlines()) - 1
    assert not any("-1" in row for row in rows)


def test_a_running_server_is_used(kineseg: Command, motion_file: Path) -> None:
    here = kineseg("segment", motion_file, "--out", "-")
    with BackgroundServer() as server:
        there = kineseg("segment", motion_file, "--out", "-", "--server", server.address)
    assert there.status == 0, there.err
    assert emitted(there.out) == emitted(here.out)


def test_the_latency_budget_reaches_the_server(kineseg: Command, motion_file: Path) -> None:
    def slowest(latency: float) -> float:
        outcome = kineseg("segment", motion_file, "--out", "-", "--latency", latency)
        assert outcome.status == 0, outcome.err
        events = [event_from_dict(json.loads(line)) for line in outcome.out.splitlines()]
        return max(event.decided_time_s - event.end_time_s for event in events if isinstance(event, SegmentClosed))

    assert slowest(2.0) <= 2.0 < slowest(6.0) <= 6.0


@pytest.mark.parametrize("suffix", ["svg", "pdf"])
def test_other_pictures(kineseg: Command, motion_file: Path, tmp_path: Path, suffix: str) -> None:
    plot = tmp_path / f"timeline.{suffix}"
    assert kineseg("segment", motion_file, "--plot", plot).status == 0
    assert plot.read_bytes()[:5] in (b"<?xml", b"%PDF-")
