"""Segmenting in this process: the same events as a server gives, and what only a process of one's own can do."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import replace
from itertools import cycle
from pathlib import Path
from typing import Any

import kineseg
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kineseg import Event, FrameResult, Segmenter
from kineseg.motion import CANONICAL_CHANNELS, Recording, canonical_pose
from kineseg.motion.synthetic import generate
from kineseg_core.naming.bank import Example, NameBank

from tests.same_events import content

Frames = np.ndarray[Any, np.dtype[np.float32]]
RATE = 120.0


def kept(items: Iterable[Event | FrameResult]) -> list[dict[str, Any]]:
    """What was decided."""
    return content(item.to_dict() for item in items if isinstance(item, Event))


@pytest.fixture(scope="module")
def pose() -> Recording:
    """Of positions in single precision, as they travel."""
    person = generate(seed=5, duration_s=18)
    assert person.positions is not None
    return canonical_pose(replace(person, positions=person.positions.astype(np.float32)))


@pytest.fixture(scope="module")
def whole(pose: Recording) -> list[dict[str, Any]]:
    return kept(kineseg.segment(pose).events)


def fed(segmenter: Segmenter, frames: Frames, size: int = 50, **times: Any) -> list[Event | FrameResult]:
    items: list[Event | FrameResult] = []
    for first in range(0, len(frames), size):
        items += segmenter.update(frames[first : first + size])
    return items + segmenter.finish()


# -- the same as a server


def test_the_same_events_as_from_a_server(server: str, tiny_bundle: Path, motion: Frames) -> None:
    with kineseg.Client(server) as client:
        for decisions in ("all", "final", "provisional"):
            theirs = client.segment(motion[:900], rate=30, frame_results=True, decisions=decisions)
            ours = kineseg.segment(motion[:900], rate=30, model=tiny_bundle, frame_results=True, decisions=decisions)
            assert kept(ours.events) == kept(theirs.events)
            assert ours.segments == theirs.segments
            for mine, other in zip(ours.frame_results, theirs.frame_results, strict=True):
                assert (mine.frame, mine.label, mine.surprise) == (other.frame, other.label, other.surprise)
                np.testing.assert_array_equal(mine.embedding, other.embedding)


def test_any_signal_without_a_model_of_its_own(server: str) -> None:
    t = np.arange(0, 60, 0.02)
    signal = np.stack([np.sin(t * np.where(t < 30, 3, 11)), np.cos(t), t % 1], axis=1)
    with kineseg.Client(server) as client:
        theirs = client.segment(signal, rate=50, model="scratch")
    assert kept(kineseg.segment(signal, rate=50, model="scratch").events) == kept(theirs.events)
    segmenter = Segmenter.load("scratch", rate=50)
    assert kept(fed(segmenter, signal)) == kept(theirs.events)
    assert segmenter.model.takes_any_channels


def test_gaps_and_missing_values_come_out_as_from_a_server(server: str, tiny_bundle: Path, motion: Frames) -> None:
    times = np.arange(len(motion)) / 30.0
    times[700:] += 0.5
    times[1200:] += 20.0
    holed = motion.copy()
    holed[300:340, 1] = np.nan
    with kineseg.Client(server) as client, client.stream(rate=30) as stream:
        stream.send(holed, times)
        stream.end_input()
        theirs = kept(stream)
    segmenter = Segmenter.load(tiny_bundle, rate=30)
    assert kept([*segmenter.update(holed, times), *segmenter.finish()]) == theirs
    assert {"gap", "missing_values"} <= {event["kind"] for event in theirs}


def test_a_refusal_says_the_same_as_a_servers(server: str, tiny_bundle: Path) -> None:
    def refusal(act: Any) -> kineseg.KinesegError:
        with pytest.raises(kineseg.KinesegError) as caught:
            act()
        return caught.value

    def send(frames: list[list[float]], times: list[float] | None = None, **choices: Any) -> None:
        with client.stream(rate=30, **choices) as stream:
            stream.send(frames, times)
            stream.flush()

    def update(frames: list[list[float]], times: list[float] | None = None, **choices: Any) -> None:
        Segmenter.load(tiny_bundle, rate=30, **choices).update(frames, times)

    still = [[0.0, 0.0, 0.0]] * 200
    cases: list[tuple[tuple[Any, ...], dict[str, Any], str]] = [
        ((still,), {"channels": ("a", "b", "c")}, "CHANNELS_MISMATCH"),
        ((still, [at / 90 for at in range(200)]), {}, "CLOCK_CONTRADICTS_RATE"),
    ]
    with kineseg.Client(server) as client:
        for frames, choices, reason in cases:
            theirs = refusal(lambda: send(*frames, **choices))  # noqa: B023
            ours = refusal(lambda: update(*frames, **choices))  # noqa: B023
            assert theirs.reason == ours.reason == reason
            assert (type(theirs), theirs.message, theirs.retryable) == (type(ours), ours.message, ours.retryable)
            assert theirs.field.removeprefix("config.") == ours.field != ""
            assert (theirs.minimum, theirs.maximum) == (ours.minimum, ours.maximum)


# -- a stream in pieces


def test_joints_go_through_a_pickle_and_a_reset() -> None:
    person = generate(seed=5, duration_s=15)
    assert person.positions is not None
    whole = kept(kineseg.segment(person).events)
    segmenter = Segmenter.load("motion", rate=RATE, joints=kineseg.Joints.of(person))
    for _ in range(2):
        items = segmenter.update(person.positions[:700])
        segmenter = pickle.loads(pickle.dumps(segmenter))
        items += segmenter.update(person.positions[700:])
        assert kept([*items, *segmenter.finish()]) == whole
        segmenter.reset()


@settings(max_examples=8)
@given(
    sizes=st.lists(st.integers(1, 900), min_size=1, max_size=9).filter(lambda sizes: sum(sizes) >= 40 * len(sizes)),
    pickled=st.lists(st.booleans(), min_size=1, max_size=5),
)
def test_neither_chunks_nor_pickling_change_an_event(
    sizes: list[int], pickled: list[bool], pose: Recording, whole: list[dict[str, Any]]
) -> None:
    segmenter = Segmenter.load("motion", rate=RATE)
    items: list[Event | FrameResult] = []
    first = 0
    for size, through_pickle in zip(cycle(sizes), cycle(pickled), strict=False):
        items += segmenter.update(pose.frames[first : first + size])
        first += size
        if first >= pose.n_frames:
            break
        if through_pickle and first % 7 == 0:
            segmenter = pickle.loads(pickle.dumps(segmenter))
    items += segmenter.finish()
    assert kept(items) == whole
    assert segmenter.frames_processed == pose.n_frames


def test_events_come_while_the_motion_goes_on(pose: Recording) -> None:
    segmenter = Segmenter.load(rate=RATE)
    for first in range(0, pose.n_frames, 10):
        for event in segmenter.update(pose.frames[first : first + 10]):
            assert isinstance(event, Event)
            assert first <= event.decided_frame < first + 10
    assert isinstance(segmenter.finish()[-1], kineseg.Summary)


def test_one_frame_at_a_time(tiny_bundle: Path, motion: Frames) -> None:
    one, many = Segmenter.load(tiny_bundle), Segmenter.load(tiny_bundle)
    items = [item for row in motion[:300] for item in one.update(row)]
    assert kept(items) == kept(many.update(motion[:300]))


def test_reset_begins_another_stream(pose: Recording, whole: list[dict[str, Any]]) -> None:
    segmenter = Segmenter.load("motion", rate=RATE)
    segmenter.update(pose.frames[:2000])
    segmenter.reset()
    assert (segmenter.frames_processed, segmenter.summary) == (0, None)
    assert kept(fed(segmenter, pose.frames)) == whole
    assert segmenter.summary is not None
    with pytest.raises(kineseg.StreamClosed, match="reset"):
        segmenter.update(pose.frames)
    with pytest.raises(kineseg.StreamClosed):
        segmenter.finish()
    segmenter.reset()
    assert kept(fed(segmenter, pose.frames)) == whole


def test_segmenters_do_not_disturb_each_other(pose: Recording, whole: list[dict[str, Any]]) -> None:
    first, second = Segmenter.load(rate=RATE), Segmenter.load(rate=RATE)
    items: list[Event | FrameResult] = []
    for start in range(0, pose.n_frames, 200):
        items += first.update(pose.frames[start : start + 200])
        second.update(pose.frames[::-1][start : start + 200])
    assert kept([*items, *first.finish()]) == whole


# -- a recording in one line


def test_a_body_is_segmented_as_its_canonical_pose(pose: Recording, whole: list[dict[str, Any]]) -> None:
    found = kineseg.segment(generate(seed=5, duration_s=18))
    assert kept(found.events) == whole
    assert found.boundaries
    assert found.n_frames == pose.n_frames


def test_an_array_of_canonical_channels(pose: Recording, whole: list[dict[str, Any]]) -> None:
    turned = kineseg.segment(pose.frames[:, ::-1], rate=RATE, channels=CANONICAL_CHANNELS[::-1])
    assert kept(turned.events) == whole


def test_names_from_a_bank(tmp_path: Path, tiny_bundle: Path, motion: Frames) -> None:
    found = kineseg.segment(motion, rate=30, model=tiny_bundle)
    assert not any(segment.name for segment in found.segments)
    bank = NameBank().teach("reaching", "tiny", found.summary.model_sha256, Example.of(found.segments[0].embedding))
    bank.save(tmp_path / "names.json")
    named = kineseg.segment(motion, rate=30, model=tiny_bundle, name_bank=tmp_path / "names.json")
    assert named.segments[0].name == "reaching"


# -- what cannot be used


@pytest.mark.parametrize(
    ("arguments", "error", "field"),
    [
        ({"model": "walking"}, kineseg.NotFound, "model"),
        ({"model": ""}, kineseg.NotFound, "model"),
        ({"model": None}, kineseg.InvalidRequest, "model"),
        ({"rate": 0.0}, kineseg.InvalidRequest, "rate"),
        ({"model": "scratch"}, kineseg.InvalidRequest, "rate"),
        ({"channels": ("a", "b")}, kineseg.WrongChannels, "channels"),
        ({"latency_s": 99.0}, kineseg.InvalidRequest, "latency_s"),
        ({"boundary_threshold": 1.0}, kineseg.InvalidRequest, "boundary_threshold"),
        ({"alarms_per_hour": 0.0}, kineseg.InvalidRequest, "alarms_per_hour"),
        ({"reports_per_hour": 0.0}, kineseg.InvalidRequest, "reports_per_hour"),
        (
            {"model": "scratch", "rate": 20, "channels": ("c0",), "boundary_threshold": 0.5},
            kineseg.InvalidRequest,
            "boundary_threshold",
        ),
        ({"decisions": "early"}, kineseg.InvalidRequest, "decisions"),
        ({"name_bank": "nowhere.json"}, kineseg.InvalidRequest, "name_bank"),
    ],
)
def test_a_choice_that_cannot_be_used_is_refused(
    arguments: dict[str, Any], error: type[kineseg.KinesegError], field: str
) -> None:
    with pytest.raises(error) as refused:
        Segmenter.load(**arguments)
    assert refused.value.field == field


def test_a_folder_that_is_no_bundle_is_refused_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(kineseg.InvalidRequest, match=r"manifest\.json") as refused:
        Segmenter.load(tmp_path)
    assert refused.value.field == "model"


def test_a_refused_update_changes_nothing(pose: Recording, whole: list[dict[str, Any]]) -> None:
    segmenter = Segmenter.load(rate=RATE)
    items = segmenter.update(pose.frames[:1000])
    infinite = pose.frames[1000:1010].copy()
    infinite[3, 7] = np.inf
    for frames, error in ((pose.frames[:5, :9], kineseg.WrongChannels), (infinite, kineseg.InvalidRequest)):
        with pytest.raises(error):
            segmenter.update(frames)
    with pytest.raises(kineseg.InvalidRequest):
        segmenter.update(pose.frames[1000:], timestamps=np.arange(pose.n_frames - 1000) / RATE)
    with pytest.raises(kineseg.InvalidRequest):
        segmenter.update(pose.frames[1000:], first_frame=3)
    assert segmenter.frames_processed == 1000
    items += segmenter.update(pose.frames[1000:])
    assert kept([*items, *segmenter.finish()]) == whole


def test_refused_first_frames_do_not_settle_how_many_channels_there_are() -> None:
    segmenter = Segmenter.load("scratch", rate=50)
    with pytest.raises(kineseg.InvalidRequest):
        segmenter.update(np.full((5, 3), np.inf))
    segmenter.update(np.zeros((5, 2)))
    assert segmenter.frames_processed == 5


def test_a_clock_that_contradicts_the_rate_takes_nothing_and_the_stream_goes_on(
    pose: Recording, whole: list[dict[str, Any]]
) -> None:
    segmenter = Segmenter.load(rate=RATE)
    wrong = np.arange(pose.n_frames) / (3 * RATE)

    def play() -> None:
        for first in range(0, pose.n_frames, 500):
            segmenter.update(pose.frames[first : first + 500], wrong[first : first + 500])

    with pytest.raises(kineseg.InvalidRequest) as refused:
        play()
    assert refused.value.field == "capture_times_ns"
    assert segmenter.frames_processed % 500 == 0
    segmenter.reset()
    assert kept(fed(segmenter, pose.frames)) == whole


def test_a_model_that_fails_ends_its_stream_and_keeps_what_was_decided(fragile: Path) -> None:
    segmenter = Segmenter.load(fragile)
    frames = np.zeros((200, 3), np.float32)
    frames[150, 0] = 5000.0
    with pytest.raises(kineseg.Internal):
        segmenter.update(frames)
    assert "segment_started" in [event["kind"] for event in kept(segmenter.finish())]
    with pytest.raises(kineseg.StreamClosed):
        segmenter.update(frames[:10])


@given(
    sizes=st.lists(st.integers(1, 300), min_size=1, max_size=4).filter(lambda sizes: sum(sizes) >= 60 * len(sizes)),
    timed=st.booleans(),
    seed=st.integers(0, 9),
)
@settings(max_examples=4)
def test_from_its_state_a_segmenter_goes_on_as_if_nothing_had_happened(
    tiny_bundle: Path, sizes: list[int], timed: bool, seed: int
) -> None:
    frames = np.random.default_rng(seed).standard_normal((600, 3)).astype(np.float32)
    times = np.arange(600) / 30.0 + 5.0 if timed else None
    choices: dict[str, Any] = {"latency_s": 2.0, "channels": ("c", "a", "b"), "frame_results": True}
    streams = [Segmenter.load("scratch", rate=30.0, **choices) for _ in range(2)]
    expected, got = ([] for _ in streams)
    first = 0
    for size in cycle(sizes):
        piece = slice(first, first + size)
        at = None if times is None else times[piece]
        expected += streams[0].update(frames[piece], at)
        streams[1] = Segmenter.from_state(streams[1].state())
        got += streams[1].update(frames[piece], at)
        first += size
        if first >= len(frames):
            break
    assert (streams[1].config, streams[1].frames_processed) == (streams[0].config, 600)
    assert kept([*got, *streams[1].finish()]) == kept([*expected, *streams[0].finish()])


def test_a_state_is_of_a_model_of_ones_own_a_body_or_a_stream_without_channels(tiny_bundle: Path) -> None:
    own = Segmenter.load(tiny_bundle)
    own.update(np.zeros((50, 3)))
    assert Segmenter.from_state(own.state(), model=tiny_bundle).frames_processed == 50
    with pytest.raises(kineseg.NotFound, match="no model 'tiny'"):
        Segmenter.from_state(own.state())
    with pytest.raises(kineseg.FailedPrecondition, match="its model is 'tiny', not 'scratch'"):
        Segmenter.from_state(own.state(), model="scratch")
    person = generate(seed=5, duration_s=4)
    assert person.positions is not None
    body = Segmenter.load("motion", rate=RATE, joints=kineseg.Joints.of(person), rules='[[name]]\nname = "a"')
    body.update(person.positions[:100])
    again = Segmenter.from_state(body.state())
    assert kept(again.update(person.positions[100:])) == kept(body.update(person.positions[100:]))
    assert kept(again.finish()) == kept(body.finish())
    unknown = Segmenter.from_state(Segmenter.load("scratch", rate=30.0).state())
    assert unknown.update(np.zeros((3, 2)))
    with pytest.raises(kineseg.StreamClosed):
        body.state()


@pytest.mark.parametrize(
    "damage", [lambda state: state[:-1], lambda state: b"x" + state, lambda state: b"", bytes.upper]
)
def test_a_state_that_is_damaged_is_refused(damage: Any) -> None:
    state = Segmenter.load("scratch", rate=30.0, channels=("a",)).state()
    with pytest.raises(kineseg.FailedPrecondition, match="no stream can go on from this state") as refusal:
        Segmenter.from_state(damage(state))
    assert refusal.value.field == "state"


def test_a_pickle_of_another_model_is_refused(tmp_path: Path, motion: Frames) -> None:
    from tests.core.tiny_bundle import TinyModel, write_tiny_bundle

    segmenter = Segmenter.load(write_tiny_bundle(tmp_path / "model"))
    segmenter.update(motion[:100])
    saved = pickle.dumps(segmenter)
    write_tiny_bundle(tmp_path / "model", TinyModel(seed=8))
    with pytest.raises(kineseg.FailedPrecondition, match="another one now"):
        pickle.loads(saved)


# -- what it needs


def run(code: str) -> str:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True
    ).stdout


def test_it_needs_no_grpc_and_starts_no_thread() -> None:
    run(
        "import sys, threading\n"
        "sys.modules['grpc'] = None\n"
        "import kineseg, numpy as np\n"
        "segmenter = kineseg.Segmenter.load('motion')\n"
        "segmenter.update(np.zeros((60, 59)))\n"
        "assert segmenter.finish()[-1].frames == 60\n"
        "assert threading.active_count() == 1\n"
    )


@pytest.mark.parametrize("missing", ["kineseg_core", "onnxruntime", "river"])
def test_without_what_it_needs_it_says_what_to_install(missing: str) -> None:
    said = run(
        f"import sys\nsys.modules[{missing!r}] = None\nimport kineseg\n"
        "try:\n    kineseg.Segmenter.load('motion')\n"
        "except kineseg.UsageError as error:\n    print(error)\n"
    )
    assert missing in said
    assert "kineseg[local]" in said
