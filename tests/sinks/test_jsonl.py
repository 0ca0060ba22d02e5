"""Lines in files: nothing half, nothing endless, and no file of others touched."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from kineseg.sinks import SinkError, open_sink

from tests.sinks.made_events import events


async def test_a_line_that_was_half_written_when_a_process_was_killed_is_cut(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    first, second = events(2)
    path.write_text(first.json + "\n" + second.json[:40])
    sink = open_sink(f"jsonl:{path}")
    await sink.deliver([second])
    await sink.close()
    assert path.read_text() == first.json + "\n" + second.json + "\n"


async def test_full_files_are_exchanged_and_the_oldest_of_them_go(tmp_path: Path) -> None:
    mine = tmp_path / "events-of-mineZ.jsonl"
    mine.touch()
    sink = open_sink(f"jsonl:{tmp_path / 'events.jsonl'}?max_mb=0.001&keep=2")
    sent = events(60)
    for start in range(0, 60, 10):
        await sink.deliver(sent[start : start + 10])
    await sink.close()
    full = files(tmp_path)
    assert len(full) == 2
    assert [json.loads(line)["id"] for path in full for line in path.read_text().splitlines()] == [
        event.id for event in sent[40:]
    ]
    assert mine.exists()


def files(folder: Path) -> list[Path]:
    return sorted(folder.glob("events-2*.jsonl"))


async def test_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    sink = open_sink("jsonl:-")
    await sink.deliver(events(3))
    assert [json.loads(line)["seq"] for line in capsys.readouterr().out.splitlines()] == [1, 1, 2]


@pytest.mark.parametrize("place", ["", "/", "/no/such/folder/events.jsonl"])
def test_what_is_no_file(place: str) -> None:
    with pytest.raises(SinkError, match="name a file"):
        open_sink(f"jsonl:{place}")
