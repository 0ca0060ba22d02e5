"""`kineseg tune`: which threshold it picks, when it keeps the default, and what it says of files that cannot be."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from kineseg.motion import Recording, generate
from kineseg_cli.tuning.annotation_file import read_segments
from kineseg_cli.tuning.choice import choose
from kineseg_cli.tuning.counts import Counts
from kineseg_cli.tuning.known import known_boundaries
from kineseg_service.config import Settings
from kineseg_service.server import BackgroundServer

from tests.cli.command import Command
from tests.service.test_scratch import regimes

RATE = 30.0


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with BackgroundServer() as running:
        yield running.address


@pytest.fixture(scope="module")
def take() -> Recording:
    """A minute and a half of short actions."""
    return generate(11, 90.0, RATE, min_segment_s=2.5, max_segment_s=4.5)


@pytest.fixture(scope="module")
def take_file(take: Recording, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved(take, tmp_path_factory.mktemp("take") / "take.npz")


@pytest.fixture(scope="module")
def slow_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """At half its pace: actions have phases that a low threshold finds."""
    slow = replace(generate(14, 120.0, RATE), rate=RATE / 2.0)
    return saved(slow, tmp_path_factory.mktemp("slow") / "slow.npz")


def saved(take: Recording, path: Path) -> Path:
    assert take.positions is not None
    assert take.skeleton is not None
    joints, parents = np.array(take.joints), np.array(take.skeleton.parents)
    np.savez(path, positions=take.positions, rate=take.rate, joints=joints, parents=parents)
    return path


def truth(take: Recording) -> str:
    """What is known of a take, as a table."""
    assert take.truth is not None
    starts = [frame / take.rate for frame in take.truth.boundaries]
    rows = zip(starts, [*starts[1:], take.duration_s], take.truth.names, strict=True)
    return "start,end,name\n" + "".join(f"{start:.3f},{end:.3f},{name}\n" for start, end, name in rows)


def picked(out: str) -> float | None:
    """The threshold that was printed as an option; None: the default is kept."""
    options = [line for line in out.splitlines() if line.startswith("--threshold ")]
    return float(options[0].split()[1]) if options else None


def boundaries(out: str) -> list[float]:
    """The starts of the segments that were printed."""
    return [event["start_time_s"] for event in map(json.loads, out.splitlines()) if event["kind"] == "segment_closed"]


@pytest.mark.parametrize(("recording", "threshold"), [("slow_file", 0.05), ("take_file", 0.8)])
def test_it_picks_more_or_fewer_as_the_annotation_has_them(
    kineseg: Command, server: str, recording: str, threshold: float, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    file = request.getfixturevalue(recording)
    events, settings = tmp_path / "events.jsonl", tmp_path / "tuned.toml"
    common = ["--server", server, "--model", "scratch"]
    made = kineseg("segment", file, "--out", events, "--threshold", threshold, *common)
    assert made.status == 0, made.err
    outcome = kineseg("tune", file, "--labels", events, "--out", settings, *common)
    assert outcome.status == 0, outcome.err
    found = picked(outcome.out)
    assert found is not None, outcome.out
    default = float(next(line for line in outcome.out.splitlines() if "default" in line).split()[0])
    assert found != default
    assert (found < default) == (threshold < default)
    assert tomllib.loads(settings.read_text()) == {"default_model": "scratch", "default_boundary_threshold": found}
    # The option does what it says, and so does the file.
    by_option = kineseg("segment", file, "--out", "-", "--threshold", found, *common)
    with BackgroundServer(Settings(port=0, metrics_port=None, config_file=settings)) as tuned:
        by_file = kineseg("segment", file, "--out", "-", "--server", tuned.address)
    assert boundaries(by_option.out) == boundaries(by_file.out)
    assert len(boundaries(by_option.out)) > 1


def test_it_keeps_the_default_where_that_is_right(
    kineseg: Command, server: str, take_file: Path, tmp_path: Path
) -> None:
    labels, settings = tmp_path / "labels.csv", tmp_path / "tuned.toml"
    made = kineseg("segment", take_file, "--out", "-", "--labels", labels, "--server", server)
    assert made.status == 0, made.err
    outcome = kineseg("tune", take_file, "--labels", labels, "--server", server, "--out", settings)
    assert outcome.status == 0, outcome.err
    assert picked(outcome.out) is None
    assert "keep the default threshold" in outcome.out
    (row,) = (line for line in outcome.out.splitlines() if "picked" in line)
    assert "default" in row
    assert tomllib.loads(settings.read_text()) == {"default_model": "motion"}


def test_several_recordings_and_what_is_printed_of_them(
    kineseg: Command, server: str, take: Recording, take_file: Path, tmp_path: Path
) -> None:
    table = tmp_path / "take.csv"
    table.write_text(truth(take))
    part = tmp_path / "part.csv"
    rows = truth(take).splitlines()
    part.write_text("\n".join(rows[:1] + rows[3:9]))
    files = [take_file, take_file, "--labels", table, "--labels", part]
    outcome = kineseg("tune", *files, "--server", server, "--prefer", "cuts")
    assert outcome.status == 0, outcome.err
    assert take.truth is not None
    known = len(take.truth.changes) + 5  # the ends of a part are no boundaries
    first, *lines = outcome.out.splitlines()
    assert "recordings: 2, annotated:" in first
    assert f"{known} boundaries" in first
    assert any("F2" in line for line in lines)
    hits = [int(line.split()[1].partition("/")[0]) for line in lines if f"/{known} " in line]
    assert len(hits) > 9
    assert max(hits) >= 0.8 * known
    assert hits[-1] < max(hits)


def test_what_has_no_probability_cannot_be_tuned(kineseg: Command, server: str, tmp_path: Path) -> None:
    recording, labels = tmp_path / "sensor.csv", tmp_path / "labels.csv"
    wave = regimes(20)
    recording.write_text("pressure\n" + "\n".join(f"{value:.5f}" for value in wave))
    labels.write_text("boundary\n" + "\n".join(str(second) for second in range(5, 50, 5)))
    outcome = kineseg("tune", recording, "--labels", labels, "--rate", 20, "--model", "scratch", "--server", server)
    assert outcome.status == 2
    assert "too few channels" in outcome.err


# -- files


TAKE = Recording(np.zeros((600, 2)), 20.0, ("a", "b"), name="take.csv")


@pytest.mark.parametrize(
    ("text", "times", "stretch"),
    [
        ("start,end,name\n0,10,walk\n10,20.5,sit\n20.5,30,walk\n", (10, 20.5), (0, 30)),
        ("Start_s;End_s\n\n# by hand\n5;10\n12;20\n", (10, 12), (5, 20)),
        ("5.0\t10.0\twalk\n10.0\t20.0\tsit\n", (10,), (5, 20)),
        ("boundary\n0\n10\n20\n", (10, 20), (0, 30)),
        ("3\n10\n", (3, 10), (0, 30)),
        ("frame,segment_id,label\n0,0,0\n100,0,0\n200,1,0\n300,2,1\n", (10, 15), (0, 30)),
        ('{"segments": [[0, 10, "walk"], [10, 30, "sit"]]}', (10,), (0, 30)),
        ('{"fps": 20, "segments": [[0, 100, "walk"], [100, 600, "sit"]]}', (5,), (0, 30)),
        ('{"streams": {"take": {"fps": 20, "segments": [[0, 100, "walk"], [100, 600, "sit"]]}}}', (5,), (0, 30)),
        ('[[0, 10], [10, 20]]', (10,), (0, 20)),
        ('{"kind": "gap"}\n{"start_time_s": 0, "end_time_s": 7}\n{"start_time_s": 7}\n', (7,), (0, 30)),
    ],
)  # fmt: skip
def test_annotations_are_read_in_any_of_these_forms(
    tmp_path: Path, text: str, times: tuple[float, ...], stretch: tuple[float, float]
) -> None:
    path = tmp_path / "annotation"
    path.write_text(text)
    known = known_boundaries(path, read_segments(path, TAKE), TAKE.duration_s)
    assert known.times_s == pytest.approx(times)
    assert (known.start_s, known.end_s) == pytest.approx(stretch, abs=0.1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "has no segments; expected a table"),
        ("a,b\n1,2\n", "line 1: no column of starts among a, b"),
        ("start,end\n0,10\n10,ten\n", "line 3: 'ten' is not a number"),
        ("start,end\n0,10\n,20\n", "line 3: '' is not a number"),
        ("start,end\n0,10\nnan,20\n", "line 3: 'nan' is not a number"),
        ("start,end\n0,10\n\n9,20\n", "line 4: starts at 9 s, before 10 s"),
        ("start,end\n0,10\n12,12\n", "line 3: ends at 12 s, which is not after its start"),
        ("start,end\n-1,10\n", "line 2: starts at -1 s"),
        ("start,end\n0,10\n10,4000\n", "line 3: 4000 s lies beyond the recording, which lasts"),
        ("frame,segment_id\n0,0\n2.5,1\n", "line 3: frame 2.5 is none of the recording's"),
        ("frame,segment_id\n0,0\n999999,1\n", "line 3: frame 999999 is none of the recording's"),
        ('{"kind": "segment_closed"}\n', "line 1: a segment without start_time_s"),
        ('{"kind": "summary"}\n{"kind": \n', "line 2: not JSON"),
        ('{"kind": "summary"}\n7\n', "line 2: not an event"),
        ('{"segments": [[0, 10], [10]]}', "segment 2: expected [start, end, name], got [10]"),
        ('{"segments": 5}', "its segments are no list"),
        ('{"fps": 0, "segments": []}', "fps must be positive"),
        ('{"streams": {}}', "have none called 'take'"),
        ("start,end\n0,10\n10,20\n", "1 boundaries are annotated, at least 8 are needed"),
    ],
)
def test_a_bad_annotation_names_the_line(
    kineseg: Command, take_file: Path, tmp_path: Path, text: str, expected: str
) -> None:
    labels = tmp_path / "labels.txt"
    labels.write_text(text)
    outcome = kineseg("tune", take_file, "--labels", labels)
    assert outcome.status == 2
    assert outcome.out == ""
    assert expected in " ".join(outcome.err.split())


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--labels", "nowhere.csv"], "nowhere.csv: cannot be read"),
        (["--labels", "a.csv", "--labels", "b.csv"], "2 given for 1 recordings"),
        (["--labels", "a.csv", "--out", "."], "that is a folder"),
    ],
)
def test_options_that_cannot_be(kineseg: Command, take_file: Path, options: list[str], expected: str) -> None:
    outcome = kineseg("tune", take_file, *options)
    assert outcome.status == 2
    assert expected in outcome.err


# -- the choice


THRESHOLDS = (0.4, 0.1, 0.2, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9)


def counts(hit: list[float], invented: list[float], pieces: int, seed: int) -> Counts:
    """Hits and inventions of each threshold, drawn with these probabilities."""
    random = np.random.default_rng(seed)
    hits = (random.random((len(hit), pieces)) < np.array(hit)[:, None]).astype(np.int64)
    found = hits + (random.random((len(hit), pieces)) < np.array(invented)[:, None])
    return Counts(np.ones(pieces, np.int64), found, hits, np.arange(pieces) * 8 // pieces, ((),) * len(hit), 1.0)


def test_chance_does_not_move_the_threshold() -> None:
    same = [0.7] * len(THRESHOLDS), [0.3] * len(THRESHOLDS)
    moved = [choose(THRESHOLDS, counts(*same, 20, seed), 0, 1.0).picked != 0 for seed in range(60)]
    # The best of nine equals would nearly always be another than the default.
    assert sum(moved) <= 9


def test_a_real_gain_does() -> None:
    hit, invented = [0.5] * len(THRESHOLDS), [0.5] * len(THRESHOLDS)
    hit[2], invented[2] = 0.95, 0.05
    moved = [choose(THRESHOLDS, counts(hit, invented, 20, seed), 0, 1.0).picked == 2 for seed in range(30)]
    assert sum(moved) >= 28


def test_which_errors_are_worse_decides() -> None:
    hit, invented = [0.7] * len(THRESHOLDS), [0.3] * len(THRESHOLDS)
    hit[1], invented[1] = 0.99, 0.8  # finds all and invents much
    hit[8], invented[8] = 0.5, 0.0  # misses half and invents nothing
    drawn = counts(hit, invented, 200, 1)
    assert choose(THRESHOLDS, drawn, 0, 2.0).picked == 1
    assert choose(THRESHOLDS, drawn, 0, 0.5).picked == 8
