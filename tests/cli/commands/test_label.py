"""`kineseg label`: names taught from recordings, results and sessions, and what the other commands then show."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from kineseg import Client, SegmentClosed, event_from_dict
from kineseg.motion import Recording, canonical_pose
from kineseg_service.config import Settings
from kineseg_service.server import BackgroundServer

from tests.cli.command import Command, Outcome


@pytest.fixture
def bank(tmp_path: Path) -> Path:
    return tmp_path / "names.json"


@pytest.fixture
def result(kineseg: Command, motion_file: Path, tmp_path: Path) -> Path:
    path = tmp_path / "events.jsonl"
    assert kineseg("segment", motion_file, "--out", path).status == 0
    return path


def closed(lines: Sequence[str]) -> list[SegmentClosed]:
    events = [event_from_dict(json.loads(line)) for line in lines]
    return [event for event in events if isinstance(event, SegmentClosed)]


def taught(bank: Path) -> dict[str, list[str]]:
    [entry] = json.loads(bank.read_text())["models"]
    return {name: [example["source"] for example in examples] for name, examples in entry["names"].items()}


def refused(outcome: Outcome) -> str:
    assert (outcome.status, outcome.out) == (2, "")
    (line,) = outcome.err.splitlines()
    return line


def test_a_finished_segment_is_taught_and_named_everywhere(
    kineseg: Command, motion_file: Path, result: Path, bank: Path, tmp_path: Path
) -> None:
    first = closed(result.read_text().splitlines())[0]
    outcome = kineseg("label", "teach", "walking", "--result", result, "--segment", first.segment_id, "--bank", bank)
    assert outcome.status == 0, outcome.err
    assert outcome.out.startswith("walking: 1 example for model")
    assert taught(bank) == {"walking": [f"events.jsonl, segment {first.segment_id}, 0:{first.end_frame}"]}

    out, labels, plot = (tmp_path / name for name in ("named.jsonl", "labels.csv", "timeline.svg"))
    options = ["--bank", bank, "--out", out, "--labels", labels, "--plot", plot]
    outcome = kineseg("segment", motion_file, *options)
    assert outcome.status == 0, outcome.err
    named = closed(out.read_text().splitlines())
    assert (named[0].name, named[0].name_confidence) == ("walking", pytest.approx(1.0))
    assert {one.name for one in named} == {"walking", ""}
    assert "name" not in [json.loads(line) for line in out.read_text().splitlines() if "closed" in line][1]
    with labels.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["frame", "segment_id", "label", "name"]
    for one in named:
        assert {row["name"] for row in rows[one.start_frame : one.end_frame]} == {one.name}
    assert "<!-- walking -->" in plot.read_text()  # drawn as outlines, with the words beside them

    table = kineseg("segment", motion_file, "--bank", bank).out
    assert table.count("walking") == sum(one.name == "walking" for one in named)
    assert table.count("unknown") == sum(not one.name for one in named)
    plain = kineseg("segment", motion_file).out
    assert "name" not in plain
    assert "unknown" not in plain


def test_a_range_of_a_recording_is_taught_without_a_server(
    kineseg: Command, motion: Recording, motion_file: Path, bank: Path
) -> None:
    assert motion.truth is not None
    start, end = motion.truth.boundaries[1], motion.truth.boundaries[2]
    name = motion.truth.names[1]
    outcome = kineseg("label", "teach", name, motion_file, "--frames", f"{start}:{end}", "--bank", bank)
    assert outcome.status == 0, outcome.err
    assert taught(bank) == {name: [f"{motion_file.name}, frames {start}:{end}"]}
    outcome = kineseg("segment", motion_file, "--bank", bank, "--out", "-")
    names = {one.name: one for one in closed(outcome.out.splitlines())}
    middle = (names[name].start_frame + names[name].end_frame) // 2
    assert start < middle < end
    assert names[name].name_confidence > 0.5


def test_names_are_listed_and_forgotten(kineseg: Command, result: Path, bank: Path) -> None:
    first, second = closed(result.read_text().splitlines())[:2]
    for name, one in (("walking", first), ("squatting", second)):
        kineseg("label", "teach", name, "--result", result, "--segment", one.segment_id, "--bank", bank)
    listed = kineseg("label", "list", "--bank", bank, "--json")
    assert [entry["name"] for entry in json.loads(listed.out)] == ["squatting", "walking"]
    table = kineseg("label", "list", "--bank", bank).out
    assert "walking" in table
    assert "squatting" in table
    outcome = kineseg("label", "forget", "walking", "--bank", bank)
    assert (outcome.status, outcome.out) == (0, "walking: forgotten, with 1 example\n")
    assert list(taught(bank)) == ["squatting"]
    assert "'walking' has been taught" in refused(kineseg("label", "forget", "walking", "--bank", bank))
    kineseg("label", "forget", "squatting", "--bank", bank)
    assert kineseg("label", "list", "--bank", bank).out == "no names have been taught\n"


def test_a_server_is_taught_while_it_runs(kineseg: Command, motion: Recording, motion_file: Path, bank: Path) -> None:
    pose = canonical_pose(motion)
    settings = Settings(port=0, metrics_port=None, label_bank=bank, log_level="error")
    with BackgroundServer(settings) as server, Client(server.address) as client:
        with client.stream(rate=pose.rate, channels=pose.channels, session_id="live") as stream:
            stream.send(pose.frames)
            stream.flush()
            segments = client.session("live").segments
            assert segments
            outcome = kineseg(
                *("label", "teach", "walking", "--session", "live", "--segment", segments[0].segment_id),
                *("--server", server.address),
            )
            assert outcome.status == 0, outcome.err
        outcome = kineseg("label", "teach", "all", motion_file, "--frames", ":60", "--server", server.address)
        assert outcome.status == 0, outcome.err
        listed = json.loads(kineseg("label", "list", "--server", server.address, "--json").out)
        assert [(entry["name"], entry["in_use"]) for entry in listed] == [("all", True), ("walking", True)]
        table = kineseg("segment", motion_file, "--server", server.address).out
        assert "walking" in table
        assert kineseg("label", "forget", "all", "--server", server.address).status == 0
    assert list(taught(bank)) == ["walking"]


def test_the_demo_shows_names(kineseg: Command, motion_file: Path, result: Path, bank: Path, tmp_path: Path) -> None:
    kineseg("label", "teach", "strolling", "--result", result, "--segment", 0, "--bank", bank)
    out = tmp_path / "demo"
    outcome = kineseg("demo", motion_file, "--speed", 100, "--out", out, "--bank", bank)
    assert outcome.status == 0, outcome.err
    assert "segment 0 is action 0 (strolling)" in outcome.out
    page = (out / "index.html").read_text()
    assert '"name":"strolling"' in page


def test_names_of_another_version_of_the_model_are_pointed_out(kineseg: Command, motion_file: Path, bank: Path) -> None:
    kineseg("label", "teach", "walking", motion_file, "--frames", "0:200", "--bank", bank)
    content = json.loads(bank.read_text())
    content["models"][0]["sha256"] = "0" * 64
    bank.write_text(json.dumps(content))
    outcome = kineseg("segment", motion_file, "--bank", bank)
    assert "name" not in outcome.out
    assert "another version of a model are not used" in outcome.err


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["teach", "walking", "FILE", "--frames", "0:9"], "either --server HOST:PORT or --bank FILE"),
        (["teach", "walking", "FILE", "--bank", "b.json", "--server", "x:1"], "either --server HOST:PORT or --bank"),
        (["teach", "walking", "--bank", "b.json"], "name one example"),
        (["teach", "walking", "FILE", "--result", "r.jsonl", "--segment", "1", "--bank", "b.json"], "name one example"),
        (["teach", "walking", "FILE", "--segment", "1", "--bank", "b.json"], "--segment is for"),
        (["teach", "walking", "--session", "s", "--segment", "1", "--bank", "b.json"], "give its --server"),
        (["teach", "walking", "--session", "s", "--server", "x:1"], "--segment N is missing"),
        (["teach", "walking", "FILE", "--frames", "9", "--bank", "b.json"], "such as 120:360"),
        (["teach", "walking", "FILE", "--frames", "a:b", "--bank", "b.json"], "such as 120:360"),
        (["teach", "walking", "FILE", "--frames", "9:3", "--bank", "b.json"], "frames 0:"),
        (["teach", "walking", "FILE", "--frames", "0:99999", "--bank", "b.json"], "frames 0:"),
        (["teach", "walk\ning", "FILE", "--frames", "0:99", "--bank", "b.json"], "printable"),
        (["teach", "walking", "FILE", "--model", "scratch", "--bank", "b.json"], "learns every stream anew"),
        (["list", "--bank", "nothing.json"], "no such file"),
        (["forget", "walking", "--bank", "nothing.json"], "no such file"),
    ],
)
def test_wrong_use(
    kineseg: Command, motion_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str],
    complaint: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    line = refused(kineseg("label", *(str(motion_file) if one == "FILE" else one for one in arguments)))
    assert complaint in line
    assert not (tmp_path / "b.json").exists()


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("hello\n", "line 1 is not an event"),
        ("[]\n", "line 1 is not an event"),
        ("", "does not say which model"),
    ],
)
def test_results_that_are_none(kineseg: Command, tmp_path: Path, bank: Path, content: str, complaint: str) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text(content)
    outcome = kineseg("label", "teach", "walking", "--result", path, "--segment", 0, "--bank", bank)
    assert complaint in refused(outcome)
    assert str(path) in outcome.err


def test_a_segment_that_is_not_in_the_result(kineseg: Command, result: Path, bank: Path) -> None:
    line = refused(kineseg("label", "teach", "walking", "--result", result, "--segment", 999, "--bank", bank))
    assert "no finished segment 999; it has 0, " in line


@pytest.mark.parametrize("example", [["absent.bvh"], ["--result", "absent.jsonl", "--segment", 0]])
def test_a_bank_that_cannot_be_written_is_refused_before_the_example_is_looked_at(
    kineseg: Command, unwritable: Path, tmp_path: Path, example: list[object]
) -> None:
    link = tmp_path / "names.json"
    link.symlink_to(unwritable / "names.json")
    line = refused(kineseg("label", "teach", "walking", *example, "--bank", link))
    assert f"{link}: no file can be written in {unwritable}" in line


def test_a_file_that_is_no_bank_is_refused_before_the_example_is_looked_at(kineseg: Command, bank: Path) -> None:
    bank.write_text("walking, running")
    assert f"{bank}: it is not JSON" in refused(kineseg("label", "teach", "walking", "absent.bvh", "--bank", bank))
    assert bank.read_text() == "walking, running"


@pytest.mark.parametrize("command", ["segment", "demo"])
def test_a_bank_that_is_not_there_is_no_bank(kineseg: Command, motion_file: Path, tmp_path: Path, command: str) -> None:
    outcome = kineseg(command, motion_file, "--bank", tmp_path / "nothing.json")
    assert outcome.status == 2
    assert "there is no such file" in outcome.err


def test_a_bank_is_not_for_a_server_elsewhere(kineseg: Command, motion_file: Path, bank: Path) -> None:
    bank.write_text('{"schema_version": 1, "models": []}')
    line = refused(kineseg("segment", motion_file, "--bank", bank, "--server", "localhost:1"))
    assert "serve --label-bank" in line
