"""What has been freed goes back to the system."""

from __future__ import annotations

import psutil
import pytest
from kineseg_service.heap import heap_trimmer

BLOCK, BLOCKS = 16 << 10, 4096


def test_free_memory_between_what_is_in_use_is_given_back() -> None:
    trim = heap_trimmer()
    if trim is None:
        pytest.skip("the C library has no malloc_trim")
    resident = psutil.Process().memory_info
    blocks = [bytearray(b"x" * BLOCK) for _ in range(BLOCKS)]
    full = resident().rss
    last = blocks[-1]  # in its way
    del blocks
    trim()
    assert resident().rss < full - BLOCK * BLOCKS // 2
    assert len(last) == BLOCK
