"""Names of segments over real calls: what a recogniser knows, what is taught; and what stays unknown."""

from __future__ import annotations

import itertools
import json
import math
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import numpy as np
import pytest
from kineseg.v1 import segmentation_pb2 as pb
from kineseg_core.errors import BadBank
from kineseg_core.inference.bundle import load_bundle

from tests.core.promises import keeps_promises
from tests.core.tiny_bundle import TinyModel, read_manifest, write_manifest, write_tiny_bundle
from tests.same_events import content
from tests.service.conftest import Serve
from tests.service.talk import F32, PATIENCE_S, Call, Stub, config, cut, events, kinds, results, segment, status_of

CLASSES = ("walking", "running", "jumping")
KNOWS = TinyModel(name="knows", classes=CLASSES)
RATE, ACTION_S = 30, 6
# One level of each channel for each of the classes, and two that are none of them.
LEVELS = {
    "walking": (3.0, -1.0, -1.0),
    "running": (-1.0, 3.0, -1.0),
    "jumping": (-1.0, -1.0, 3.0),
    "": (-3.0, -3.0, -3.0),
    "other": (4.0, 4.0, 4.0),
}
ACTS = ("walking", "jumping", "", "running", "walking", "other", "jumping", "")


def act(names: Sequence[str], seed: int = 0) -> F32:
    """Frames (n, 3): these actions, six seconds each."""
    levels = np.repeat([LEVELS[name] for name in names], RATE * ACTION_S, axis=0)
    return (levels + np.random.default_rng(seed).normal(0, 0.2, levels.shape)).astype("<f4")


def closed(responses: Sequence[pb.SegmentResponse]) -> list[pb.SegmentClosed]:
    return [event.segment_closed for event in events(responses) if event.HasField("segment_closed")]


def names_of(segments: Sequence[pb.SegmentClosed], acts: Sequence[str]) -> dict[str, set[str]]:
    """What was said of each action, by the segments that lie mostly within it."""
    said: dict[str, set[str]] = {}
    for one in segments:
        action = acts[(one.start_frame + one.end_frame) // 2 // (RATE * ACTION_S)]
        said.setdefault(action, set()).add(one.name)
    return said


def longest(segments: Sequence[pb.SegmentClosed], acts: Sequence[str], action: str) -> pb.SegmentClosed:
    """The longest segment that lies mostly within the action."""
    mine = [one for one in segments if action in names_of([one], acts)]
    return max(mine, key=lambda one: one.end_frame - one.start_frame)


@pytest.fixture(scope="module")
def knows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_bundle(tmp_path_factory.mktemp("bundles") / "knows", KNOWS)


@pytest.fixture(scope="module")
def recogniser(serve: Serve, knows: Path) -> object:
    with serve(knows) as (_, stub):
        yield stub


# A recogniser's own classes.


def test_a_recogniser_names_what_it_knows_and_leaves_the_rest_unknown(recogniser: Stub) -> None:
    responses = segment(recogniser, cut(act(ACTS)), frame_results=True)
    found = closed(responses)
    said = names_of(found, ACTS)
    assert said == {"walking": {"walking"}, "jumping": {"jumping"}, "running": {"running"}, "": {""}, "other": {""}}
    assert all(one.name_confidence > 0.9 for one in found if one.name)
    assert all(len(one.embedding) == KNOWS.embedding for one in found)
    keeps_promises(events(responses), pb.DECISIONS_ALL)
    early = [
        getattr(event, kind)
        for event in events(responses)
        if (kind := event.WhichOneof("detail")) in ("segment_started", "segment_updated")
    ]
    assert {detail.name for detail in early} > {""}, "an open segment is named as soon as there is something to go by"
    # Its surprise is always 0, which is neither an anomaly nor a number that JSON cannot hold.
    assert "anomaly" not in kinds(responses)
    assert {result.surprise for result in results(responses)} == {0.0}
    assert all(math.isfinite(result.anomaly_score) for result in results(responses))


def test_final_decisions_are_named_the_same(recogniser: Stub) -> None:
    frames = act(ACTS)
    everything = closed(segment(recogniser, cut(frames)))
    assert closed(segment(recogniser, cut(frames), decisions=pb.DECISIONS_FINAL)) == everything


def test_the_models_classes_are_listed(recogniser: Stub) -> None:
    models = {model.name: model for model in recogniser.ListModels(pb.ListModelsRequest()).models}
    assert tuple(models["knows"].classes) == CLASSES
    assert not models["scratch"].classes


def test_names_do_not_depend_on_chunks_or_company(recogniser: Stub) -> None:
    streams = [act(np.roll(ACTS, shift).tolist(), seed=shift) for shift in range(3)]
    alone = [segment(recogniser, cut(frames, rest=1000)) for frames in streams]
    sizes = [(1, 7, 90, 2), (13,) * 20, (400,)]
    with ThreadPoolExecutor(3) as pool:
        jobs = [pool.submit(segment, recogniser, cut(f, s)) for f, s in zip(streams, sizes, strict=True)]
        together = [job.result() for job in jobs]
    assert [content(events(one)) for one in together] == [content(events(one)) for one in alone]
    assert all(any(one.name for one in closed(responses)) for responses in alone)


def test_the_threshold_is_the_bundles(serve: Serve, knows: Path, tmp_path: Path) -> None:
    strict = Path(shutil.copytree(knows, tmp_path / "strict"))
    manifest = read_manifest(strict)
    manifest.name = "strict"
    manifest.calibration.naming["least_probability"] = 1.0
    write_manifest(strict, manifest)
    with serve(strict) as (_, stub):
        assert {one.name for one in closed(segment(stub, cut(act(ACTS))))} == {""}


# What is taught.


@pytest.fixture
def bank(tmp_path: Path) -> Path:
    return tmp_path / "bank.json"


def point(name: str, embedding: Sequence[float], source: str = "", **fields: str) -> pb.TeachNameRequest:
    return pb.TeachNameRequest(name=name, point=pb.EmbeddingPoint(embedding=embedding, **fields), source=source)


def of_session(name: str, session_id: str, segment_id: int) -> pb.TeachNameRequest:
    return pb.TeachNameRequest(name=name, segment=pb.FinishedSegment(session_id=session_id, segment_id=segment_id))


def names(stub: Stub, **fields: str) -> list[pb.TaughtName]:
    return list(stub.ListNames(pb.ListNamesRequest(**fields)).names)


def read_to(call: Call, frames: int) -> list[pb.SegmentResponse]:
    responses = []
    while not responses or responses[-1].ack.frames < frames:
        responses.append(call.read())
    return responses


def test_what_is_taught_in_an_open_stream_names_what_comes_after_it(serve: Serve, tiny: Path, bank: Path) -> None:
    acts = ("walking", "jumping", "running", "walking", "jumping", "running", "walking")
    frames = act(acts)
    with serve(tiny, label_bank=bank) as (_, stub):
        call, other = (Call(stub, config(session_id=name)) for name in ("first", "second"))
        call.opened()
        other.opened()
        half = 3 * RATE * ACTION_S + RATE * 5  # long enough for the third segment to be closed
        call.send(*cut(frames[:half]))
        before = closed(read_to(call, half))
        assert names_of(before, acts) == {"walking": {""}, "jumping": {""}, "running": {""}}
        for name, one in [("walking", longest(before, acts, "walking")), ("jumping", longest(before, acts, "jumping"))]:
            answer = stub.TeachName(of_session(name, "first", one.segment_id)).name
            assert (answer.name, answer.model, answer.in_use) == (name, "tiny", True)
            assert list(answer.sources) == [
                f"session first, segment {one.segment_id}, frames {one.start_frame}:{one.end_frame}"
            ]
        call.send(*cut_from(frames, half))
        call.half_close()
        after = closed(call.rest())
        assert names_of(after, acts) == {"walking": {"walking"}, "jumping": {"jumping"}, "running": {""}}
        # A stream that was open already, and has sent nothing yet.
        other.send(*cut(frames))
        other.half_close()
        everywhere = closed(other.rest())
        assert names_of(everywhere, acts) == {"walking": {"walking"}, "jumping": {"jumping"}, "running": {""}}
        exact = longest(everywhere[: len(before)], acts, "walking")
        assert exact.name_confidence == pytest.approx(1.0), "the very segment that was taught"
    # And in another server, from the file.
    with serve(tiny, label_bank=bank) as (_, stub):
        assert [(one.name, len(one.sources)) for one in names(stub)] == [("jumping", 1), ("walking", 1)]
        assert closed(segment(stub, cut(frames))) == everywhere
        assert stub.ForgetName(pb.ForgetNameRequest(name="jumping")).examples == 1
        left = names_of(closed(segment(stub, cut(frames))), acts)
        assert left == {"walking": {"walking"}, "jumping": {""}, "running": {""}}
    with serve(tiny, label_bank=bank) as (_, stub):
        assert [one.name for one in names(stub)] == ["walking"]


def cut_from(frames: F32, first: int) -> list[pb.SegmentRequest]:
    later = list(cut(frames[first:]))
    for request in later:
        request.chunk.first_frame += first
    return later


def test_what_was_emitted_can_be_taught(serve: Serve, tiny: Path, bank: Path) -> None:
    acts = ("walking", "jumping", "walking")
    with serve(tiny, label_bank=bank) as (_, stub):
        told_events = events(segment(stub, cut(act(acts))))
        sha256 = told_events[-1].summary.model_sha256
        one = next(event.segment_closed for event in told_events if event.HasField("segment_closed"))
        stub.TeachName(point("walking", one.embedding, model="tiny", model_sha256=sha256, source="yesterday"))
        stub.TeachName(point("walking", one.embedding))  # once more: it is kept once
        [taught] = names(stub, model="tiny")
        assert list(taught.sources) == [""]
        assert names(stub, model="another") == []
        assert names_of(closed(segment(stub, cut(act(acts)))), acts) == {"walking": {"walking"}, "jumping": {""}}
        # The last word counts: a point has one name.
        stub.TeachName(point("marching", one.embedding))
        assert [taught.name for taught in names(stub)] == ["marching"]


def test_what_was_taught_comes_before_a_recognisers_classes(serve: Serve, knows: Path, bank: Path) -> None:
    acts = ("walking", "jumping", "other")
    frames = act(acts)
    with serve(knows, label_bank=bank) as (_, stub):
        first, *_, last = closed(segment(stub, cut(frames)))
        stub.TeachName(point("marching", first.embedding))
        stub.TeachName(point("stretching", last.embedding))
        said = names_of(closed(segment(stub, cut(frames))), acts)
    assert said == {"walking": {"marching"}, "jumping": {"jumping"}, "other": {"stretching"}}


def test_between_two_names_it_is_unknown(serve: Serve, tiny: Path, bank: Path) -> None:
    frames = act(("walking", "jumping"))
    with serve(tiny, label_bank=bank) as (_, stub):
        first = closed(segment(stub, cut(frames)))[0]
        aside = np.zeros(4, np.float32)
        aside[0] = 0.05
        stub.TeachName(point("walking", (np.array(first.embedding) + aside).tolist()))
        assert closed(segment(stub, cut(frames)))[0].name == "walking"
        stub.TeachName(point("strolling", (np.array(first.embedding) - aside).tolist()))
        assert closed(segment(stub, cut(frames)))[0].name == ""


# What is refused.


@pytest.fixture(scope="module")
def teaching(serve: Serve, tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> object:
    with serve(tiny, label_bank=tmp_path_factory.mktemp("bank") / "bank.json") as (_, stub):
        yield stub


def refused(call: Callable[[], object]) -> tuple[str, str, str]:
    """Status, field and message of a call that must be refused."""
    with pytest.raises(grpc.RpcError) as caught:
        call()
    assert isinstance(caught.value, grpc.Call)
    code, message, metadata = status_of(caught.value)
    assert metadata["retryable"] == "false"
    return code.name, metadata.get("field", ""), message


FOUR = [0.5, 0.25, -1.0, 2.0]


@pytest.mark.parametrize(
    ("request_", "code", "field"),
    [
        (point("", FOUR), "INVALID_ARGUMENT", "name"),
        (point("x" * 65, FOUR), "INVALID_ARGUMENT", "name"),
        (point(" walking", FOUR), "INVALID_ARGUMENT", "name"),
        (point("walk\ning", FOUR), "INVALID_ARGUMENT", "name"),
        (pb.TeachNameRequest(name="walking"), "INVALID_ARGUMENT", "example"),
        (point("walking", []), "INVALID_ARGUMENT", "point.embedding"),
        (point("walking", FOUR[:3]), "INVALID_ARGUMENT", "point.embedding"),
        (point("walking", [math.nan, *FOUR[:3]]), "INVALID_ARGUMENT", "point.embedding"),
        (point("walking", [math.inf, *FOUR[:3]]), "INVALID_ARGUMENT", "point.embedding"),
        (point("walking", FOUR, source="x" * 201), "INVALID_ARGUMENT", "source"),
        (point("walking", FOUR, source="\x1b[2J"), "INVALID_ARGUMENT", "source"),
        (point("walking", FOUR, model="nobody"), "NOT_FOUND", "point.model"),
        (point("walking", FOUR, model="scratch"), "FAILED_PRECONDITION", "point.model"),
        (point("walking", FOUR, model_sha256="0" * 64), "FAILED_PRECONDITION", "point.model_sha256"),
        (of_session("walking", "nobody", 0), "NOT_FOUND", "segment.session_id"),
    ],
)
def test_what_cannot_be_taught_is_refused(teaching: Stub, request_: pb.TeachNameRequest, code: str, field: str) -> None:
    assert refused(lambda: teaching.TeachName(request_, timeout=PATIENCE_S))[:2] == (code, field)
    assert names(teaching) == []


def test_a_segment_that_is_not_there_cannot_be_taught(teaching: Stub) -> None:
    call, scratch = (Call(teaching, first) for first in (config(session_id="s"), SCRATCH))
    call.opened()
    scratch.opened()
    call.send(*cut(act(("walking",))))
    read_to(call, RATE * ACTION_S)
    for number in (0, 7):  # one that is open still, one that never was
        code, field, message = refused(lambda number=number: teaching.TeachName(of_session("walking", "s", number)))
        assert (code, field) == ("NOT_FOUND", "segment.segment_id")
        assert "not closed yet" in message
    code, _, message = refused(lambda: teaching.TeachName(of_session("walking", "own", 0)))
    assert (code, "scratch" in message) == ("FAILED_PRECONDITION", True)
    call.cancel()
    scratch.cancel()


SCRATCH = config(session_id="own", model="scratch", channels=["a", "b", "c"])


def test_the_built_in_model_gives_no_points(teaching: Stub) -> None:
    frames = np.tile(act(("walking", "jumping")), (1, 2))
    fields = {"model": "scratch", "channels": list("abcdef")}
    found = closed(segment(teaching, cut(frames), **fields))
    assert found
    assert not any(len(one.embedding) or one.name for one in found)


def test_a_name_that_was_never_taught_cannot_be_forgotten(teaching: Stub) -> None:
    assert refused(lambda: teaching.ForgetName(pb.ForgetNameRequest(name="walking")))[:2] == ("NOT_FOUND", "name")
    teaching.TeachName(point("walking", FOUR))
    other = pb.ForgetNameRequest(name="walking", model="another")
    assert refused(lambda: teaching.ForgetName(other))[:2] == ("NOT_FOUND", "name")
    teaching.ForgetName(pb.ForgetNameRequest(name="walking", model="tiny"))
    assert names(teaching) == []


def test_a_server_without_a_bank_says_so(recogniser: Stub) -> None:
    for call in (
        lambda: recogniser.TeachName(point("walking", FOUR)),
        lambda: recogniser.ForgetName(pb.ForgetNameRequest(name="walking")),
    ):
        code, field, message = refused(call)
        assert (code, field) == ("FAILED_PRECONDITION", "label_bank")
        assert "--label-bank" in message
    assert names(recogniser) == []


def test_a_bank_that_cannot_be_written_changes_nothing(serve: Serve, tiny: Path, tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    with serve(tiny, label_bank=folder / "bank.json") as (_, stub):
        folder.rmdir()
        code, _, message = refused(lambda: stub.TeachName(point("walking", FOUR)))
        assert code == "INTERNAL"
        assert "error id" in message
        assert str(tmp_path) not in message
        assert names(stub) == []
        folder.mkdir()
        stub.TeachName(point("walking", FOUR))
        assert [path.name for path in folder.iterdir()] == ["bank.json"], "nothing half-written is left"


def test_there_are_only_so_many_examples_of_a_name(serve: Serve, tiny: Path, bank: Path) -> None:
    with serve(tiny, label_bank=bank) as (_, stub):
        for i in range(64):
            stub.TeachName(point("walking", [float(i), 0.0, 0.0, 0.0]))
        code, field, message = refused(lambda: stub.TeachName(point("walking", [64.0, 0.0, 0.0, 0.0])))
        assert (code, field, "64 examples" in message) == ("INVALID_ARGUMENT", "name", True)
        stub.TeachName(point("running", [64.0, 0.0, 0.0, 0.0]))


# The file.


def write_bank(path: Path, tiny: Path, *, sha256: str = "", dims: int = 4) -> None:
    entry = {"model": "tiny", "sha256": sha256 or load_bundle(tiny).sha256}
    entry["names"] = {"walking": [{"point": [0.5] * dims, "source": "made"}]}
    path.write_text(json.dumps({"schema_version": 1, "models": [entry]}), encoding="utf-8")


def test_examples_of_another_version_of_a_model_are_kept_and_not_used(serve: Serve, tiny: Path, bank: Path) -> None:
    write_bank(bank, tiny, sha256="0" * 64)
    with serve(tiny, label_bank=bank) as (_, stub):
        [taught] = names(stub)
        assert (taught.name, taught.in_use, taught.model_sha256) == ("walking", False, "0" * 64)
        first = closed(segment(stub, cut(act(("walking", "jumping")))))[0]
        assert first.name == ""
        # Points of the two have nothing to do with each other, and both are kept.
        stub.TeachName(point("walking", first.embedding))
        assert {taught.in_use for taught in names(stub)} == {False, True}
        assert closed(segment(stub, cut(act(("walking", "jumping")))))[0].name == "walking"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[1]", "must be an object"),
        (b'{"schema_version": 2}', "schema_version is 2"),
        (b'{"schema_version": 1, "models": {}}', "models must be a list"),
        (b'{"schema_version": 1, "models": [{"model": 1}]}', r"models\[0\].model must be a text"),
        (b"[" * 100_000, "not JSON"),
    ],
)
def test_a_file_that_is_no_bank_is_refused_at_the_start(
    serve: Serve, tiny: Path, bank: Path, content: bytes, reason: str
) -> None:
    bank.write_bytes(content)
    with pytest.raises(BadBank, match=reason) as caught, serve(tiny, label_bank=bank):
        pass
    assert str(bank) in str(caught.value)
    assert bank.read_bytes() == content


def test_points_of_other_dimensions_are_refused_at_the_start(serve: Serve, tiny: Path, bank: Path) -> None:
    write_bank(bank, tiny, dims=5)
    with pytest.raises(BadBank, match=r"'walking' has an example of 5 numbers.* has 4"), serve(tiny, label_bank=bank):
        pass


def test_a_bank_in_a_folder_that_is_not_there(serve: Serve, tiny: Path, tmp_path: Path) -> None:
    with pytest.raises(BadBank, match="there is no folder"), serve(tiny, label_bank=tmp_path / "no" / "bank.json"):
        pass


def test_teaching_from_many_sides_at_once_loses_nothing(serve: Serve, tiny: Path, bank: Path) -> None:
    with serve(tiny, label_bank=bank) as (_, stub), ThreadPoolExecutor(8) as pool:
        wanted = [(f"name {i}", [float(i), float(j), 0.0, 0.0]) for i, j in itertools.product(range(4), range(5))]
        list(pool.map(lambda one: stub.TeachName(point(*one)), wanted))
        assert [(taught.name, len(taught.sources)) for taught in names(stub)] == [(f"name {i}", 5) for i in range(4)]
    kept = json.loads(bank.read_text())["models"][0]["names"]
    assert {name: len(examples) for name, examples in kept.items()} == {f"name {i}": 5 for i in range(4)}
