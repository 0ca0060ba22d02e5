"""`kineseg demo`: lines off a terminal, and what it leaves behind."""

from __future__ import annotations

import contextlib
import html
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from kineseg import EventKind, SegmentClosed, event_from_dict
from kineseg.motion import Annotation
from kineseg_cli.source import embedded

from tests.cli.command import Command, start
from tests.event_schema import check_events


def page_data(page: str) -> dict[str, Any]:
    """What the page's script reads."""
    match = re.search(r'<script id="data" type="application/json">(.*?)</script>', page, re.DOTALL)
    assert match is not None
    data: dict[str, Any] = json.loads(match[1])
    events = [event for message in data["messages"] for event in message.get("events", [])]
    return {"truth": data["about"]["truth"], "events": events}


def test_the_embedded_source_has_what_a_demo_needs() -> None:
    for seed in (0, 1, 2):
        recording = embedded(seed)
        truth = recording.truth
        assert isinstance(truth, Annotation)
        assert len(set(truth.names)) >= 8
        assert len(truth.names) > len(set(truth.names))
        assert 55 <= recording.duration_s <= 75
        assert {fault.kind for fault in recording.faults} == {"swapped", "gap", "frozen"}
        assert recording.synthetic


def test_off_a_terminal_it_prints_events_and_leaves_three_files(kineseg: Command, tmp_path: Path) -> None:
    out = tmp_path / "new" / "demo"
    outcome = kineseg("demo", "--speed", 60, "--out", out)
    assert outcome.status == 0, outcome.err
    assert "\x1b" not in outcome.out
    assert "synthetic" in outcome.out
    kinds = {line.split()[1] for line in outcome.out.splitlines() if re.match(r" *\d:\d\d\.\d  [a-z]", line)}
    assert kinds >= {"segment_started", "segment_closed", "anomaly", "anomaly_cleared", "gap", "summary"}
    assert kinds <= {kind.value for kind in EventKind} - {"unknown"}
    assert "precision / recall / F1" in outcome.out
    assert {path.name for path in out.iterdir()} == {"timeline.png", "events.jsonl", "index.html"}

    events = [event_from_dict(json.loads(line)) for line in (out / "events.jsonl").read_text().splitlines()]
    assert events[-1].kind == "summary"
    lines = [json.loads(line) for line in (out / "events.jsonl").read_text().splitlines()]
    assert check_events(lines) == check_events(page_data((out / "index.html").read_text())["events"])
    assert (out / "timeline.png").stat().st_size > 50_000
    page = (out / "index.html").read_text()
    closed = [event for event in events if isinstance(event, SegmentClosed)]
    shown = [event for event in page_data(page)["events"] if event["kind"] == "segment_closed"]
    assert [(one["segment_id"], one["label"]) for one in shown] == [(e.segment_id, e.label) for e in closed]
    truth = embedded(0).truth
    assert truth is not None
    assert [bar["name"] for bar in page_data(page)["truth"]] == [name.replace("_", " ") for name in truth.names]
    assert "synthetic motion" in page
    assert "prefers-color-scheme: dark" in page


def test_the_page_needs_nothing_else(kineseg: Command, motion_file: Path, tmp_path: Path) -> None:
    assert kineseg("demo", motion_file, "--speed", 50, "--out", tmp_path).status == 0
    page = (tmp_path / "index.html").read_text()
    assert re.findall(r"""(?:src|href)\s*=\s*["'](?!data:|#)""", page) == []
    assert "http://" not in page
    assert "https://" not in page
    assert "@import" not in page
    assert re.findall(r"url\((?!#)", page) == []  # only what is within it


def test_a_hostile_file_name_stays_text(kineseg: Command, motion_file: Path, tmp_path: Path) -> None:
    name = "<img src=x onerror=alert(1)> [bold]"
    path = tmp_path / f"{name}.npz"
    path.write_bytes(motion_file.read_bytes())
    outcome = kineseg("demo", path, "--speed", 50, "--out", tmp_path / "out")
    assert outcome.status == 0, outcome.err
    page = (tmp_path / "out" / "index.html").read_text()
    assert name not in page
    assert html.escape(name) in page


def test_known_truth_beside_a_recording_is_shown(kineseg: Command, cmu_folder: Path, tmp_path: Path) -> None:
    outcome = kineseg("demo", cmu_folder / "subject_86" / "01.mat", "--speed", 100, "--out", tmp_path)
    assert outcome.status == 0, outcome.err
    names = [bar["name"] for bar in page_data((tmp_path / "index.html").read_text())["truth"]]
    assert names[:2] == ["walking", "jump forward"]
    assert "of 6 known" in outcome.out
    assert "synthetic" not in outcome.out


def test_ctrl_c_ends_it_with_what_there_is(tmp_path: Path) -> None:
    process = start(["demo", "--speed", "3", "--out", tmp_path])
    assert process.stdout is not None
    for line in process.stdout:
        if "segment_closed" in line:
            break
    process.send_signal(signal.SIGINT)
    rest, errors = process.communicate(timeout=300)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    assert "Interrupted" in rest
    events = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    assert events[-1]["kind"] == "summary"
    assert events[-1]["duration_s"] < 60
    assert (tmp_path / "timeline.png").exists()
    assert (tmp_path / "index.html").exists()


BROWSER = """
import http.cookiejar, pathlib, sys, urllib.error, urllib.request as web
cookies = web.build_opener(web.HTTPCookieProcessor(http.cookiejar.CookieJar()))
said = [cookies.open(sys.argv[1]).status, cookies.open(sys.argv[1].partition("?")[0]).status]
try:
    web.urlopen(sys.argv[1])
except urllib.error.HTTPError as again:
    said.append(again.code)
pathlib.Path(sys.argv[2]).write_text(str(said))
"""


def test_the_page_opens_in_a_browser_by_an_address_that_opens_once(motion_file: Path, tmp_path: Path) -> None:
    script, seen = tmp_path / "browser.py", tmp_path / "seen"
    script.write_text(BROWSER)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("BROWSER", f"{sys.executable} {script} %s {seen}")
        process = start(["demo", motion_file, "--page", "--speed", "4", "--out", tmp_path / "out"])
    out, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    assert "The page: http://127.0.0.1:" in out
    assert seen.read_text() == "[200, 200, 401]"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no pseudo-terminals")
def test_on_a_terminal_it_draws(motion_file: Path, tmp_path: Path) -> None:
    import pty

    ours, theirs = pty.openpty()
    environment = os.environ | {"TERM": "xterm-256color", "COLUMNS": "110", "LINES": "40", "CI": "1"}
    process = subprocess.Popen(
        [sys.executable, "-m", "kineseg_cli", "demo", motion_file, "--speed", "20", "--out", tmp_path],
        stdout=theirs,
        stderr=subprocess.PIPE,
        env=environment,
    )
    os.close(theirs)
    shown = b""
    # Reading ends with an error where the other end of a pseudo-terminal is closed.
    with contextlib.suppress(OSError):
        while piece := os.read(ours, 65536):
            shown += piece
    os.close(ours)
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors.decode()
    text = shown.decode()
    assert text.count("segments found") > 1  # drawn again and again, how often is up to the machine
    assert "Ctrl-C ends the stream" in text
    assert "end of stream (completed)" in text
