"""A take on its way through a protocol, measured as the table of docs/sources measures it."""

from __future__ import annotations

import numpy as np
import pytest
from kineseg.motion import generate
from kineseg.sources import Frames
from kineseg.sources.file import recorded_of
from kineseg.sources.recorded import Recorded
from kineseg.sources.twins import Faults

from evaluation.capture.feeds import Feed
from evaluation.capture.loopback import heard
from evaluation.capture.planned import planned
from evaluation.capture.segments import OfTheFile, begins_at, segmented
from evaluation.capture.table import header, row
from evaluation.ports import free_port


@pytest.fixture(scope="module")
def take() -> Recorded:
    return recorded_of(generate(3, rate=60.0, n_segments=3, min_segment_s=3.0))


async def test_what_a_protocol_loses_is_in_its_row(take: Recorded) -> None:
    url = f"ndjson+tcp://127.0.0.1:{free_port()}"
    lossy = await heard(Feed("JSON lines, TCP", url, url), take, Faults(loss=0.2, seed=1), speed=16.0)
    whole = [Frames(0, take.values, take.times_ns, 0, take.info)]
    cells = [
        cell.strip() for cell in row("JSON lines, TCP", take, OfTheFile(take), whole, lossy).strip("| ").split("|")
    ]
    assert len(cells) == header().splitlines()[0].count("|") - 1
    assert cells[:4] == ["JSON lines, TCP", "100", "0", "100.0"]
    assert 15.0 < float(cells[4]) < 25.0  # what did not come


def test_frames_are_found_in_the_take_whatever_their_axes_and_unit(take: Recorded) -> None:
    pieces = planned("Vicon objects", take, Faults())
    assert begins_at(pieces[0], take) == 1  # the first says which objects there are
    result = segmented(pieces, take)
    np.testing.assert_allclose(result.starts, OfTheFile(take).begun_at(1).starts, atol=1 / 60)
