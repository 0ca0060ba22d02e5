"""Where the time of a chunk goes: stacks are put down to the part that they belong to, and all time to some part."""

from __future__ import annotations

import pytest

from evaluation.bench import profile
from evaluation.bench.profile import TRANSPORT, CannotProfileError, by_part

LOOP = "thread (11): MainThread;run (asyncio/runners.py:190)"
ENGINE = "thread (12): kineseg-engine;Engine._run (kineseg_service/scheduler/engine.py:210)"
STACKS = f"""\
{LOOP} 2
{LOOP};EpollSelector.select (selectors.py:468) 7
{ENGINE};Inbox.wait (kineseg_service/scheduler/inbox.py:9);Condition.wait (threading.py:327) 7
{LOOP};ManyCall._take (kineseg_service/api/many_call.py:1);take (kineseg_core/intake/plain.py:9) 1
{LOOP};ManyCall._take (kineseg_service/api/many_call.py:1) 1
{ENGINE};run (kineseg_core/boundary_network/network.py:5);run (onnxruntime/capi/inference.py:7) 6
{ENGINE};look (kineseg_core/boundary_network/patch.py:5);sparse_zeros (kineseg_core/memory/sparse.py:7) 2
"""


def test_time_is_that_of_the_innermost_part_and_of_its_thread() -> None:
    found = by_part(STACKS, {11: 4.0, 12: 16.0, 13: 3.0})
    assert found == {
        TRANSPORT: 2.0 + 3.0,
        "intake": 1.0,
        "calls and streams": 1.0,
        "boundary network": 12.0,
        "segmenter around it": 4.0,
    }


def test_a_server_under_load_is_looked_at() -> None:
    try:
        shares = profile.measure(6.0, (16,))
    except CannotProfileError as reason:
        pytest.skip(str(reason))
    assert {"boundary network", "decoder", TRANSPORT} <= {share.part for share in shares}
    assert sum(share.share for share in shares) == pytest.approx(1.0)
    assert all(share.us_per_chunk >= 0.0 for share in shares)
