"""Files that are written while a server runs: none of what they hold is passed over."""

from __future__ import annotations

import os
from pathlib import Path

from kineseg_service.access.changes import signature

NOW_NS = 1_800_000_000_000_000_000


def write(path: Path, content: str, at_ns: int) -> None:
    path.write_text(content)
    os.utime(path, ns=(at_ns, at_ns))


def test_what_is_written_twice_within_a_tick_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "server.pem"
    write(path, "one", NOW_NS)
    before = signature([path], lambda: NOW_NS + 1_000_000)
    write(path, "two", NOW_NS)
    for later_ns in (2_000_000, 10**9):
        assert signature([path], lambda later_ns=later_ns: NOW_NS + later_ns) != before


def test_what_was_written_a_while_ago_or_by_a_clock_that_is_ahead_has_not_changed(tmp_path: Path) -> None:
    path = tmp_path / "server.pem"
    for ago_ns in (10**9, -(10**9)):
        write(path, "one", NOW_NS - ago_ns)
        assert signature([path], lambda: NOW_NS) == signature([path], lambda: NOW_NS + 1)
    path.unlink()
    assert signature([path]) == (None,)
