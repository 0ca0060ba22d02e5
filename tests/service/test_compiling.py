"""How far kernels are compiled is said in the log, and not at every one of them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from kineseg_service.compiling import compilation_shown


def test_every_ten_seconds(set_logs: Callable[..., None], capsys: pytest.CaptureFixture[str]) -> None:
    set_logs("warning")
    times = iter([0.0, 0.0, 0.0, 5.0, 11.0, 11.0])
    with compilation_shown(lambda: next(times)) as said:
        for done in (0, 1, 2):
            said(done, 10)
    lines = [line for line in capsys.readouterr().err.splitlines() if "compiling kernels" in line]
    assert len(lines) == 2
    assert "percent=0" in lines[0]
    assert "percent=20" in lines[1]
