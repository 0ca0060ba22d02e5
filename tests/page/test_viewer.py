"""What pages are sent: all events, in order; as many poses as they can take; and no more is kept than may be."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kineseg import EndReason, FrameResult, Gap, SegmentStarted, Summary
from kineseg.motion import CANONICAL_CHANNELS, generate
from kineseg.page import Feed, Hub, Limits, StreamInfo, Viewer
from kineseg.page.body import BodyTrack
from kineseg.page.health import HealthMeter
from kineseg.page.plane import Plane

RATE = 60.0


def info(stream: str = "s", **more: Any) -> StreamInfo:
    return StreamInfo(stream=stream, name=stream, rate_hz=RATE, channels=("a", "b"), **more)


def started(seq: int) -> SegmentStarted:
    about = {"frame": seq, "time_s": seq / RATE, "decided_frame": seq, "decided_time_s": seq / RATE}
    return SegmentStarted(seq=seq, **about, segment_id=seq, label=0)


def send(feed: Feed, first: int, count: int) -> None:
    times = (first + np.arange(count)) / RATE
    feed.poses(np.stack([np.sin(times), times], axis=1), times.tolist())


def of(batch: list[Any] | None, kind: str) -> list[dict[str, Any]]:
    return [message for message in (batch or [0, []])[1] if message["type"] == kind]


def test_a_browser_is_sent_streams_then_what_is_new() -> None:
    hub = Hub()
    feed = hub.open(info())
    feed.event(started(1))
    viewer = Viewer(hub)
    viewer.select("s")
    send(feed, 0, 60)
    first = viewer.batch()
    assert [message["type"] for message in first[1]] == ["stream", "events", "health", "frames", "results"]
    assert of(first, "stream")[0]["signals"] == ["a", "b"]
    assert 15 <= len(of(first, "frames")[0]["rows"]) <= 30  # of sixty a second so many as are shown
    feed.event(started(2))
    assert [event["seq"] for event in of(viewer.batch(), "events")[0]["events"]] == [2]
    assert viewer.batch() is None
    json.dumps(first, allow_nan=False)


@given(reads=st.lists(st.booleans(), min_size=30, max_size=80))
def test_however_slowly_a_browser_reads_it_gets_every_event_and_no_backlog_of_poses(reads: list[bool]) -> None:
    hub = Hub()
    feed = hub.open(info())
    viewer = Viewer(hub, clock=lambda: 0.0)
    viewer.select("s")
    seqs, shown, skipped, newest = [], 0, 0, 0
    for turn, is_read in enumerate([*reads, True, True]):
        send(feed, turn * 30, 30)
        feed.event(started(turn + 1))
        batch = viewer.batch()
        assert batch is not None  # there is an event
        newest = batch[0]
        seqs += [event["seq"] for message in of(batch, "events") for event in message["events"]]
        for message in of(batch, "frames"):
            shown += len(message["rows"])
            skipped += message["skipped"]
            assert len(message["rows"]) <= 60 or message["first"]
        if is_read:
            viewer.has_read(newest)
    assert seqs == list(range(1, len(reads) + 3))
    assert shown + skipped == feed.frames.end


def test_who_does_not_read_is_sent_nothing_but_events() -> None:
    hub = Hub()
    feed = hub.open(info())
    viewer = Viewer(hub)
    viewer.select("s")
    for turn in range(12):
        send(feed, turn * 30, 30)
        feed.event(started(turn + 1))
        kinds = {message["type"] for message in viewer.batch()[1]}
        assert viewer.behind == (turn >= 3)
        assert kinds == {"events"} or turn < 4
    viewer.has_read(10**9)  # of what was never sent nothing can have been read
    assert not viewer.behind
    assert of(viewer.batch(), "frames")


def test_an_hour_of_ten_streams_keeps_no_more_than_minutes() -> None:
    limits = Limits(kept_s=10, events=50)
    hub = Hub(limits=limits)
    feeds = [hub.open(info(str(i))) for i in range(10)]
    for feed in feeds:
        for second in range(60):
            send(feed, second * 60, 60)
            feed.event(started(second + 1))
            feed.result(
                FrameResult(
                    frame=second, time_s=second, surprise=1, anomaly_score=0, embedding=np.ones(4, np.float32), label=0
                )
            )
        assert len(feed.frames) == limits.frames
        assert len(feed.results) <= limits.results
        assert len(feed.events) == limits.events
    late = Viewer(hub)
    assert of(late.batch(), "events")[0]["lost"] == 10


def test_ended_streams_are_kept_for_a_while_and_then_go() -> None:
    hub = Hub(most_ended=2)
    viewer = Viewer(hub)
    for i in range(5):
        hub.open(info(str(i))).end()
        viewer.batch()
    hub.open(info("last"))
    assert [feed.info.stream for feed in hub.feeds()] == ["3", "4", "last"]
    assert [message["stream"] for message in of(viewer.batch(), "gone")] == ["2"]


def test_a_tenant_sees_its_own_streams_only() -> None:
    hub = Hub()
    hub.open(info("ours", tenant="a"))
    hub.open(info("theirs", tenant="b")).event(started(1))
    viewer = Viewer(hub, "a")
    viewer.select("theirs")
    batch = viewer.batch()
    assert "theirs" not in json.dumps(batch)
    assert "ours" in json.dumps(batch)
    assert hub.get("theirs", "a") is None
    assert [message["stream"] for message in of(Viewer(hub).batch(), "stream")] == ["ours", "theirs"]


def test_a_body_walks_where_its_velocities_say() -> None:
    frames = np.zeros((121, len(CANONICAL_CHANNELS)))
    frames[:, CANONICAL_CHANNELS.index("root.velocity_z")] = 1.0
    frames[61:, CANONICAL_CHANNELS.index("root.yaw_rate")] = np.pi / 2
    frames[10, :3] = np.nan
    rows, curves = BodyTrack(CANONICAL_CHANNELS).push(frames, (np.arange(121) / RATE).tolist())
    x, z, yaw, speed, turning = rows[60][:5]
    assert (x, z, yaw, speed, turning) == (0, pytest.approx(1, abs=0.01), 0, 1, 0)
    x, z, yaw, *_ = rows[120][:5]
    assert yaw == pytest.approx(np.pi / 2, abs=0.01)
    assert x == pytest.approx(2 / np.pi, abs=0.02)  # a quarter of a circle, to the left
    assert z == pytest.approx(1 + 2 / np.pi, abs=0.02)
    assert np.isfinite(curves).all()


def test_the_body_of_a_recording_can_be_drawn() -> None:
    from kineseg.motion import canonical_pose

    pose = canonical_pose(generate(1, rate=60.0, actions=("walk",), n_segments=1))
    feed = Hub().open(StreamInfo(stream="s", name="s", rate_hz=pose.rate, channels=pose.channels))
    feed.poses(pose.frames, (np.arange(pose.n_frames) / pose.rate).tolist())
    body = feed.describe()["body"]
    _, points, signals = feed.frames.since(0).entries[-1]
    assert len(points) == 5 + 3 * len(body["joints"])
    assert max(points[6::3]) > 1000  # higher than the legs and the spine are long
    assert len(signals) == len(feed.describe()["signals"])


def test_the_plane_turns_as_little_as_it_can() -> None:
    rng = np.random.default_rng(0)
    points = rng.normal(size=(3000, 6)) * [5, 3, 1, 0.5, 0.2, 0.1]
    plane = Plane(2000)
    seen: dict[int, Any] = {}
    for i, point in enumerate(points):
        plane.push(point, float(i))
        if plane.version > len(seen):
            seen[plane.version] = np.array(plane.all())[-20:]
    assert 4 <= len(seen) <= 12
    assert plane.share > 0.9
    late = [seen[version] for version in sorted(seen)[-2:]]
    count = len(plane.all())
    assert count == 2000
    assert all(np.isfinite(one).all() for one in late)


def test_the_health_of_a_source_is_measured() -> None:
    now = [0.0]
    meter = HealthMeter(lambda: now[0])
    for frame in range(300):
        now[0] = frame / 50 + (0.01 if frame % 2 else 0.0)
        meter.arrived(1, frame / 50)
        meter.decided(0.03)
    meter.lost(100)
    report = meter.report()
    assert report["rate_hz"] == pytest.approx(50, rel=0.03)
    assert report["jitter_ms"] == pytest.approx(5, abs=0.5)
    assert report["lost"] == pytest.approx(0.25)
    assert report["delay_ms"] == pytest.approx(30)
    now[0] += 7
    assert meter.report() == {"silent_s": 7.0, "lost": 0.25}


def test_gaps_and_the_end_come_from_the_events() -> None:
    feed = Hub().open(info())
    about = {"frame": 1, "time_s": 1.0, "decided_frame": 2, "decided_time_s": 2.0}
    feed.arrived(30)
    feed.event(Gap(seq=1, **about, missing_frames=10, duration_s=0.5))
    totals = {"frames": 40, "duration_s": 1.0, "segments": 0, "labels": 0, "anomalies": 0, "filled_frames": 10}
    assert feed.describe()["ended"] == ""
    feed.event(Summary(seq=2, **about, **totals, reason=EndReason.COMPLETED))
    assert feed.describe()["ended"] == "completed"
    assert feed.health.report()["lost"] == 0.25
