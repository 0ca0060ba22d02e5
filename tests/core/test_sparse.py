"""Large tables take memory for the rows that are used."""

from __future__ import annotations

import numpy as np
import psutil
from kineseg_core.memory.sparse import sparse_zeros


def _resident() -> int:
    return int(psutil.Process().memory_info().rss)


def test_a_table_takes_memory_row_by_row() -> None:
    before = _resident()
    tables = [sparse_zeros((1024, 20_000), np.int16) for _ in range(8)]
    for table in tables:
        assert not table[-1].any()
        table[:4] = 1
    assert _resident() - before < 4 << 20
    assert [int(table.sum()) for table in tables] == [4 * 20_000] * 8


def test_a_table_that_goes_gives_its_memory_back() -> None:
    """Whatever lies beside it."""
    before = _resident()
    for _ in range(3):
        tables = [sparse_zeros((1024, 256), np.int16) for _ in range(128)]  # of half a MiB
        for table in tables:
            table[:] = 1
        del table, tables[::2]
    assert _resident() - before < 48 << 20


def test_an_empty_table_is_no_matter() -> None:
    assert sparse_zeros((1024, 0), np.float64).shape == (1024, 0)
