"""Both clients against the real server."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import Any

import kineseg
import numpy as np
import pytest
from kineseg.motion import Recording

from evaluation.chaos.proxy import Proxy
from tests.same_events import content

Frames = np.ndarray[Any, np.dtype[np.float32]]


def test_the_server_tells_its_health_and_models(server: str, connect: Any, script: ModuleType) -> None:
    client = connect(server)
    assert client.health() is kineseg.Health.SERVING
    scratch, model = client.models()
    assert (scratch.name, scratch.takes_any_channels, scratch.is_default) == ("scratch", True, False)
    assert not model.takes_any_channels
    assert (model.name, model.channels, model.rate, model.is_default) == ("tiny", script.CHANNELS, 30, True)
    assert len(model.units) == 3
    assert re.fullmatch(r"[0-9a-f]{64}", model.sha256)
    assert model.provider.endswith("ExecutionProvider")


def test_each_client_has_a_connection_of_its_own(server: str, connect: Any) -> None:
    with Proxy(server) as proxy:
        for count in (1, 2):
            client = connect(proxy.address)
            for _ in range(2):
                client.health()
            assert proxy.connections == count


def test_a_stream_gives_segments_that_cover_it(server: str, connect: Any, motion: Frames) -> None:
    with connect(server).stream(rate=30) as stream:
        stream.send(motion)
        stream.end_input()
        events = list(stream)
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    decided = [event.decided_frame for event in events]
    assert decided == sorted(decided)
    segments = [event.segment for event in events if isinstance(event, kineseg.SegmentClosed)]
    ids = [segment.segment_id for segment in segments]
    assert ids == sorted(set(ids))
    assert (segments[0].start_frame, segments[-1].end_frame) == (0, 1800)
    assert [s.end_frame for s in segments[:-1]] == [s.start_frame for s in segments[1:]]
    assert isinstance(events[-1], kineseg.Summary)
    assert (events[-1].frames, events[-1].segments) == (1800, len(segments))
    assert events[-1].reason is kineseg.EndReason.COMPLETED


def outcome(segmentation: kineseg.Segmentation) -> list[dict[str, Any]]:
    return content(event.to_dict() for event in segmentation.events)


def test_chunking_and_flavour_change_no_event(server: str, connect: Any, motion: Frames) -> None:
    client = connect(server)
    take = motion[:900]
    reference = outcome(kineseg.Client(server).segment(take, rate=30, chunk_s=1))
    assert outcome(client.segment(take, rate=30, chunk_s=0.01)) == reference
    assert outcome(client.segment(take, rate=30, chunk_s=3.3)) == reference


def test_channels_may_come_in_any_order(server: str, connect: Any, motion: Frames) -> None:
    client = connect(server)
    turned = client.segment(motion[:600, ::-1], rate=30, channels=("c2", "c1", "c0"))
    assert outcome(turned) == outcome(client.segment(motion[:600], rate=30))


def test_the_result_is_the_same_whatever_decisions_are_wanted(server: str, connect: Any, motion: Frames) -> None:
    client = connect(server)
    everything, final, early = (
        client.segment(motion, rate=30, decisions=decisions) for decisions in ("all", "final", "provisional")
    )
    assert (final.segments, final.boundaries, final.decided_frames) == (
        everything.segments,
        everything.boundaries,
        everything.decided_frames,
    )
    np.testing.assert_array_equal(final.labels(), everything.labels())
    assert len(final.segments) > 4
    assert [event.kind for event in final.events if event.kind in ("segment_updated", "segment_retracted")] == []
    assert final.provisional == ()
    assert early.segments == ()
    assert early.provisional == everything.provisional
    assert everything.summary.totals == final.summary.totals == early.summary.totals
    assert everything.summary.provisional == len(everything.provisional)
    with client.stream(rate=30, decisions="final") as stream:
        stream.send(motion)
        stream.end_input()
        live = list(stream)
    assert content(live) == content(final.events)


def test_flush_returns_when_everything_is_processed(server: str, connect: Any, motion: Frames) -> None:
    client = connect(server)
    with client.stream(rate=30, session_id="flushed", chunk_s=1) as stream:
        for sent in (7, 400):
            stream.send(motion[stream.frames_sent : sent])
            stream.flush()
            detail = client.session("flushed")
            assert detail.info.frames_received == detail.info.frames_processed == sent
            assert detail.info.segments_closed == len(detail.segments)
            assert "flushed" in [info.session_id for info in client.sessions()]
    with pytest.raises(kineseg.NotFound):
        client.session("flushed")


def test_closing_a_session_ends_its_stream_with_a_summary(server: str, connect: Any, motion: Frames) -> None:
    client = connect(server)
    with client.stream(rate=30, session_id="closed-elsewhere") as stream:
        stream.send(motion[:300])
        stream.flush()
        totals = client.close_session("closed-elsewhere")
        assert (totals.frames, totals.reason) == (300, kineseg.EndReason.CLOSED)
        stream.end_input()  # which the server did not wait for
        events = list(stream)
    assert events[-1].totals == totals
    with pytest.raises(kineseg.StreamClosed, match="closed"):
        stream.send(motion[:1])
    with pytest.raises(kineseg.NotFound) as caught:
        client.close_session("closed-elsewhere")
    assert not caught.value.retryable


def test_frame_results_come_for_every_frame_of_the_model(server: str, connect: Any, motion: Frames) -> None:
    with connect(server).stream(rate=30, frame_results=True) as stream:
        stream.send(motion[:200])
        stream.end_input()
        results = [item for item in stream if isinstance(item, kineseg.FrameResult)]
    assert [result.frame for result in results] == list(range(200))
    assert {result.embedding.shape for result in results} == {(4,)}
    assert all(np.isfinite(result.embedding).all() for result in results)


@pytest.mark.parametrize("decisions", ["all", "provisional"])
def test_a_watcher_sees_what_the_stream_sees(
    decisions: str, server: str, connect: Any, motion: Frames, script: ModuleType
) -> None:
    client = connect(server)
    seen: list[kineseg.WatchedEvent] = []
    everything = client.watch("watched")
    ends_only = client.watch("watched", kinds=["summary"])
    ways = ("segment_started", "segment_updated", "segment_retracted", "labels_merged")
    ways_only = client.watch("watched", kinds=[*ways, "summary"])

    def collect() -> None:
        for watched in everything:
            seen.append(watched)
            if watched.event.kind == "summary":
                return

    watcher = threading.Thread(target=collect)
    watcher.start()
    client.health()  # answered after the server has heard of the watch, as that was asked for earlier
    with client.stream(rate=30, session_id="watched", decisions=decisions) as stream:
        stream.send(motion)
        stream.end_input()
        events = list(stream)
    watcher.join(script.PATIENCE_S)
    assert [watched.event for watched in seen] == events
    assert {(watched.session_id, watched.dropped) for watched in seen} == {("watched", 0)}
    assert next(ends_only).event == events[-1]
    for event in events:
        if event.kind in (*ways, "summary"):
            assert next(ways_only).event == event
    everything.close()
    ends_only.close()
    ways_only.close()


def test_a_gap_is_filled_and_reported(server: str, connect: Any, motion: Frames) -> None:
    with connect(server).stream(rate=30) as stream:
        stream.send(motion[:100])
        stream.send(motion[110:200], first_frame=110)
        stream.end_input()
        events = list(stream)
    (gap,) = (event for event in events if isinstance(event, kineseg.Gap))
    assert (gap.frame, gap.missing_frames) == (100, 10)
    assert events[-1].filled_frames == 10


def test_capture_times_come_back_with_events(server: str, connect: Any, motion: Frames) -> None:
    start = 1_700_000_000_000_000_000
    times = start + np.arange(300) * 33_333_333
    with connect(server).stream(rate=30) as stream:
        stream.send(motion[:300], timestamps_ns=times)
        stream.end_input()
        events = list(stream)
    closed = next(event for event in events if isinstance(event, kineseg.SegmentClosed))
    assert closed.capture_time_ns == start + closed.start_frame * 33_333_333


@pytest.mark.parametrize(
    ("error", "choices"),
    [
        (kineseg.NotFound, {"model": "no-such-model"}),
        (kineseg.WrongChannels, {"channels": ("c0", "c1", "other")}),
        (kineseg.WrongChannels, {"channels": ("c0", "c1")}),
    ],
)
def test_what_the_server_refuses_is_typed(error: Any, choices: Any, server: str, connect: Any) -> None:
    with pytest.raises(error) as caught:
        connect(server).stream(rate=30, **choices).open()
    assert not caught.value.retryable
    assert caught.value.field


def test_a_name_that_is_taken_is_refused(server: str, connect: Any) -> None:
    client = connect(server)
    with client.stream(rate=30, session_id="taken"), pytest.raises(kineseg.AlreadyExists):
        client.stream(rate=30, session_id="taken").open()


def test_a_gap_too_long_to_be_filled_is_an_event_and_the_stream_goes_on(
    server: str, connect: Any, motion: Frames
) -> None:
    with connect(server).stream(rate=30, decisions="final") as stream:
        stream.send(motion[:900])
        stream.send(motion[:900], first_frame=3000)
        stream.end_input()
        events = list(stream)
    gap = next(event for event in events if isinstance(event, kineseg.Gap))
    assert (gap.frame, gap.decided_frame, gap.missing_frames, gap.cuts) == (900, 3000, 2100, True)
    closed = [event for event in events if isinstance(event, kineseg.SegmentClosed)]
    before = [event for event in closed if event.end_frame <= 900]
    after = [event for event in closed if event.start_frame >= 3000]
    assert len(before) + len(after) == len(closed)
    assert before[-1].end_frame == 900
    assert (after[0].start_frame, after[-1].end_frame) == (3000, 3900)
    # The movements are the same ones, and so are their labels.
    assert {event.label for event in before} >= {event.label for event in after if event.end_frame < 3900}
    summary = events[-1]
    assert isinstance(summary, kineseg.Summary)
    assert (summary.reason, summary.frames, summary.filled_frames) == (kineseg.EndReason.COMPLETED, 1800, 0)


def test_the_servers_status_survives_a_write_that_meets_it(server: str, script: ModuleType) -> None:
    async def one(client: kineseg.AsyncClient, pause_s: float) -> None:
        async with asyncio.timeout(script.PATIENCE_S), client.stream(rate=30) as stream:
            await stream.send(np.zeros((30, 3)))
            await stream.flush()
            await stream.send(np.zeros((5, 3)), first_frame=2**60)  # refused
            await asyncio.sleep(pause_s)
            await stream.end_input()  # sends what is left, about when the refusal arrives
            with pytest.raises(kineseg.InvalidRequest, match="no stream can reach"):
                [event async for event in stream]
            assert stream.summary is not None
            assert stream.summary.frames == 30

    async def run() -> None:
        async with kineseg.AsyncClient(server, retries=0) as client:
            for attempt in range(80):
                await one(client, attempt % 40 * 0.0001)

    asyncio.run(run())


def test_a_full_server_is_worth_another_try(tiny_bundle: Path, connect: Any) -> None:
    from kineseg_service.config import Settings
    from kineseg_service.server import BackgroundServer

    small = Settings(
        bundles=(tiny_bundle,), packaged_bundle=False, port=0, metrics_port=None, max_sessions=1, log_level="error"
    )
    with BackgroundServer(small) as running:
        client = connect(running.address)
        with client.stream(rate=30):
            with pytest.raises(kineseg.ServerFull) as caught:
                client.stream(rate=30).open()
            assert caught.value.retryable
        with client.stream(rate=30):
            pass


def test_a_long_recording_streams_without_being_read(server: str, connect: Any, motion: Frames) -> None:
    long = np.tile(motion, (5, 1))[:8_000]  # many times what may be under way
    with connect(server).stream(rate=120, chunk_s=0.5) as stream:
        stream.send(long)
        stream.end_input()
        events = list(stream)
    assert events[-1].frames == 8_000


def test_a_recording_is_segmented(server: str, connect: Any, motion: Frames, script: ModuleType) -> None:
    recording = Recording(frames=motion, rate=30, channels=script.CHANNELS)
    found = connect(server).segment(recording)
    assert found.labels().shape == (1800,)
    assert (found.labels() >= 0).all()
    assert all(0 <= d - b <= 5 * 30 for b, d in zip(found.boundaries, found.decided_frames, strict=True))


@pytest.fixture
def server_process(tiny_bundle: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A real server in a process of its own, and its address."""
    code = (
        "import sys, threading\n"
        "from pathlib import Path\n"
        "from kineseg_service.config import Settings\n"
        "from kineseg_service.server import BackgroundServer\n"
        "settings = Settings(bundles=(Path(sys.argv[1]),), packaged_bundle=False, port=0, metrics_port=None)\n"
        "with BackgroundServer(settings) as running:\n"
        "    print('listening', running.address, flush=True)\n"
        "    threading.Event().wait()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(tiny_bundle)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout is not None
    address = next(line.split()[1] for line in process.stdout if line.startswith("listening"))
    yield process, address
    process.kill()
    process.wait()
    process.stdout.close()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot hold a process still")
def test_a_server_that_vanishes_is_unavailable(
    server_process: tuple[subprocess.Popen[str], str], connect: Any, motion: Frames
) -> None:
    """For whoever sends, reads, waits for what is under way or watches."""
    process, address = server_process
    client = connect(address, limits=kineseg.Limits(reconnect_s=0.5))
    held = threading.Event()

    def go_on(stream: Any, doing: str) -> None:
        while doing == "sending":
            stream.send(motion[:30])
        while doing == "reading":
            stream.poll(timeout=1)
        if doing == "flushing":
            held.wait()
            stream.send(motion[:30])
            stream.flush()

    doings = ("sending", "reading", "flushing")
    with ThreadPoolExecutor(len(doings) + 1) as pool:
        watch = client.watch()
        outcomes = {"watching": pool.submit(list, watch)}
        for doing in doings:
            stream = client.stream(rate=30).open()
            stream.send(motion[:300])
            stream.flush()
            outcomes[doing] = pool.submit(go_on, stream, doing)
        os.kill(process.pid, signal.SIGSTOP)
        held.set()
        time.sleep(0.05)
        process.kill()
        for doing, outcome in outcomes.items():
            error = outcome.exception()
            assert isinstance(error, kineseg.Unavailable), doing
            assert error.retryable
            assert address in str(error)
