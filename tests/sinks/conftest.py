"""Receivers for sinks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sinks.peers import PEERS, Peer


@pytest.fixture(params=PEERS)
def peer(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Peer]:
    """Each receiver there is; skipped with a reason where it is not installed."""
    made = PEERS[request.param](tmp_path)
    try:
        yield made
    finally:
        made.close()
