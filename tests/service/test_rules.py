"""Rules over real calls: names, and absences of names, that are alerts by themselves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from kineseg.v1 import segmentation_pb2 as pb
from kineseg_core.errors import BadRules

from tests.core.promises import anomalies, keeps_promises
from tests.core.tiny_bundle import write_tiny_bundle
from tests.same_events import content
from tests.service.conftest import Serve
from tests.service.talk import Call, Stub, Watch, config, cut, events, motion, segment, status_of
from tests.service.test_naming import ACTION_S, ACTS, KNOWS, RATE, act, longest

RULES = """
[[name]]
name = "walking"

[[name]]
name = "jumping"
after_s = 3
text = "somebody jumps"

[[absence]]
name = "walking"
for_s = 10
"""
FRAMES = act(ACTS)


@pytest.fixture(scope="module")
def stub(serve: Serve, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stub]:
    with serve(write_tiny_bundle(tmp_path_factory.mktemp("bundles") / "knows", KNOWS)) as (_, stub):
        yield stub


def ruled(emitted: list[pb.Event], rule: str = "") -> list[pb.Event]:
    """The events of alerts by rules, or by this one."""
    kinds = ("anomaly", "anomaly_updated", "anomaly_cleared")
    of = [(event, getattr(event, kind)) for event in emitted if (kind := event.WhichOneof("detail")) in kinds]
    return [event for event, detail in of if detail.rule and rule in ("", detail.rule)]


def spans(emitted: list[pb.Event], rule: str) -> list[tuple[float, float, float, str]]:
    """Of each alert by a rule: when it was raised, from when to when it was, and what was said at its end."""
    found, raised = [], dict[int, float]()
    for event in ruled(emitted, rule):
        if event.HasField("anomaly"):
            raised[event.anomaly.anomaly_id] = event.decided_time_s
        else:
            over = event.anomaly_cleared
            found.append((raised.pop(over.anomaly_id), event.time_s, over.end_time_s, over.text))
    assert not raised
    return found


def test_a_name_is_raised_while_its_segment_runs_and_cleared_when_it_ends(stub: Stub) -> None:
    emitted = events(segment(stub, cut(FRAMES), rules=RULES))
    walks = [at * ACTION_S for at, name in enumerate(ACTS) if name == "walking"]
    found = spans(emitted, "name:walking")
    assert [round(start_s) for _, start_s, _, _ in found] == walks
    for raised_s, start_s, end_s, text in found:
        assert raised_s - start_s < 1.5, "also of the first segment, about which no event comes until it is closed"
        assert end_s - start_s == pytest.approx(ACTION_S, abs=0.2)
        assert text == f"walking for {end_s - start_s:.1f} s"
    for raised_s, start_s, _, text in spans(emitted, "name:jumping"):
        assert raised_s - start_s == pytest.approx(3, abs=0.2)
        assert text == "somebody jumps"
    first = ruled(emitted)[0].anomaly
    assert (first.anomaly_kind, first.severity > 1000) == (pb.ANOMALY_KIND_RULE, True)
    assert not first.channels
    assert not first.joints
    assert anomalies(emitted) == emitted[-1].summary.anomalies == len(ruled(emitted)) / 2
    keeps_promises(emitted, pb.DECISIONS_ALL)


def test_an_absence_is_raised_in_time_and_cleared_by_the_name_or_the_end(stub: Stub) -> None:
    emitted = events(segment(stub, cut(FRAMES), rules=RULES))
    first, last = spans(emitted, "absence:walking")
    assert first[:3] == pytest.approx((16, 6, 24), abs=0.3)
    assert last[:3] == pytest.approx((40, 30, 48), abs=0.3)
    assert last[3] == "no walking for 18.0 s"


def test_an_absence_does_not_wait_for_a_boundary(stub: Stub) -> None:
    """One long segment, and nothing is decided in it."""
    emitted = events(segment(stub, cut(act(["running"] * 6)), rules='[[absence]]\nname = "walking"\nfor_s = 20'))
    [(raised_s, start_s, end_s, _)] = spans(emitted, "absence:walking")
    assert (raised_s, start_s, end_s) == pytest.approx((20, 0, 36), abs=0.1)


@pytest.mark.parametrize("sizes", [[1] * 400, [7, 90, 2, 400]])
def test_neither_chunks_nor_decisions_change_an_alert(stub: Stub, sizes: list[int]) -> None:
    expected = ruled(content(events(segment(stub, cut(FRAMES), rules=RULES))))
    for decisions in (pb.DECISIONS_ALL, pb.DECISIONS_FINAL, pb.DECISIONS_PROVISIONAL):
        found = ruled(content(events(segment(stub, cut(FRAMES, sizes), rules=RULES, decisions=decisions))))
        for event in (*found, *expected):
            event.ClearField("seq")  # counts what is emitted
        assert found == expected


def test_rules_change_nothing_else(stub: Stub) -> None:
    def others(emitted: list[pb.Event]) -> list[pb.Event]:
        kept = [event for event in content(emitted) if event not in ruled(content(emitted))]
        for event in kept:
            event.ClearField("seq")
            event.summary.ClearField("anomalies") if event.HasField("summary") else None
        return kept

    assert others(events(segment(stub, cut(FRAMES), rules=RULES))) == others(events(segment(stub, cut(FRAMES))))


def test_a_gap_that_cuts_the_stream_is_time_too(stub: Stub) -> None:
    before, after = list(cut(act(["walking"]))), list(cut(act(["running"])))
    for request in after:
        request.chunk.first_frame += 30 * RATE
    emitted = events(segment(stub, [*before, *after], rules=RULES))
    [(_, _, end_s, _)] = spans(emitted, "name:walking")
    assert end_s == pytest.approx(6, abs=0.1)
    [(raised_s, start_s, _, _)] = spans(emitted, "absence:walking")
    assert (raised_s, start_s) == pytest.approx((30, 6), abs=0.2), "with the first frame that came after ten seconds"


def test_alerts_of_rules_and_of_faults_have_numbers_of_their_own(stub: Stub) -> None:
    frames = FRAMES.copy()
    frames[700:790] = frames[700]
    emitted = events(segment(stub, cut(frames), rules=RULES))
    kinds = {event.anomaly.anomaly_kind for event in emitted if event.HasField("anomaly")}
    assert kinds > {pb.ANOMALY_KIND_RULE}
    numbers = [event.anomaly.anomaly_id for event in emitted if event.HasField("anomaly")]
    assert numbers == list(range(1, len(numbers) + 1))
    assert anomalies(emitted) == len(numbers)


def test_what_is_taught_later_counts(serve: Serve, tmp_path: Path) -> None:
    with serve(label_bank=tmp_path / "names.json") as (_, stub):
        frames = act(["walking", "running", "walking", "jumping"])
        rules = '[[name]]\nname = "a walk"'
        first = events(segment(stub, cut(frames), rules=rules))
        assert ruled(first) == []
        closed = [event.segment_closed for event in first if event.HasField("segment_closed")]
        point = longest(closed, ["walking", "running", "walking", "jumping"], "walking").embedding
        stub.TeachName(pb.TeachNameRequest(name="a walk", point=pb.EmbeddingPoint(embedding=point)))
        assert ruled(events(segment(stub, cut(frames), rules=rules)), "name:a walk")


# All streams of a server.


def test_a_servers_rules_hold_for_all_streams_and_for_watchers_beside_a_streams_own(
    serve: Serve, tmp_path: Path
) -> None:
    path = tmp_path / "rules.toml"
    path.write_text(RULES)
    with serve(write_tiny_bundle(tmp_path / "knows", KNOWS), rules=path) as (server, stub):
        watch = Watch(stub)
        plain = events(segment(stub, cut(FRAMES)))
        assert {event.anomaly.rule for event in ruled(plain)} >= {"name:walking", "name:jumping", "absence:walking"}
        own = '[[name]]\nname = "running"\n[[absence]]\nname = "walking"\nfor_s = 1000'
        both = events(segment(stub, cut(FRAMES), rules=own))
        assert ruled(both, "name:running")
        assert ruled(both, "name:walking")
        assert not ruled(both, "absence:walking"), "of two rules with one id that of the stream holds"
        scratch = events(segment(stub, cut(motion(900)), model="scratch", channels=["a", "b", "c"]))
        assert not ruled(scratch), "whose segments have no names, so that every absence would be one"
        server.stop()
        watch.join()
    seen = [message.event for message in watch.seen]
    assert ruled(seen) == ruled(plain) + ruled(both)


def test_a_server_with_wrong_rules_does_not_start(serve: Serve, tmp_path: Path) -> None:
    path = tmp_path / "rules.toml"
    path.write_text('[[name]]\nnmae = "fall"')
    with (
        pytest.raises(BadRules, match=r"rules.toml: \[\[name\]\] 1: unknown key 'nmae', did you mean name"),
        serve(rules=path),
    ):
        pass


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"rules": "[[name]"}, "it is not TOML"),
        ({"rules": '[[absence]]\nname = "pick"'}, "for_s is missing; give seconds"),
        ({"rules": '[[name]]\nname = "fall"', "model": "scratch", "channels": ["x"]}, "name a trained model"),
        ({"rules": "a = " + "[" * 30_000}, "it is not TOML"),
        ({"rules": "#" * 100_000}, "more than 64 KiB"),
    ],
)
def test_rules_that_cannot_be_used_are_refused(stub: Stub, fields: dict[str, object], says: str) -> None:
    code, message, info = status_of(Call(stub, config(**fields)).failure())  # type: ignore[arg-type]
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert says in message
    assert (info["field"], info["reason"], info["retryable"]) == ("config.rules", "FIELD_INVALID", "false")
