"""A large chunk does not hold up the others, however much of it is missing."""

from __future__ import annotations

import numpy as np
import pytest
from kineseg_core.intake.intake import Intake, IntakeLimits
from kineseg_core.intake.resampling import ModelFrames

from tests.service.conftest import Serve
from tests.service.talk import Call, chunk, config, cut, events, motion, segment


@pytest.mark.parametrize("channels", [1, 59, 512])
@pytest.mark.parametrize("missing", [0.0, 0.01, 0.5])
@pytest.mark.parametrize("rate", [1.0, 30.0, 1000.0])
def test_a_chunk_goes_through_in_pieces(channels: int, missing: float, rate: float) -> None:
    """So much work lies between two pieces at most: of frames, of values, of frames of the model."""
    random = np.random.default_rng(0)
    n = 4096
    frames = random.standard_normal((n, channels)).astype("<f4")
    frames[random.random(frames.shape) < missing] = np.nan
    into = Intake([str(c) for c in range(channels)], None, rate, 30.0, IntakeLimits())
    piece = min(512, max(1, (1 << 12) // channels))
    before = 0
    for item in into.take(0, frames.tobytes(), ()):
        # Several pieces may pass until they make a frame of the model.
        assert into.received - before <= 2 * piece + rate / 30.0
        before = into.received
        assert not isinstance(item, ModelFrames) or len(item.decided) <= 512
    assert into.received == n


def test_others_are_answered_while_a_large_chunk_is_taken(serve: Serve) -> None:
    names = [f"c{i}" for i in range(200)]
    holes = np.where(np.random.default_rng(0).random((4096, 200)) < 0.2, np.nan, 1.0).astype("<f4")
    with serve() as (_, stub):
        heavy = Call(stub, config(model="scratch", channels=names, session_id="heavy"))
        heavy.opened()
        heavy.send(*(chunk(4096 * i, holes) for i in range(2)))
        expected = events(segment(stub, cut(motion(300)), session_id="light"))
        assert expected[-1].summary.frames == 300
        heavy.half_close()
        assert events(heavy.rest())[-1].summary.frames == 2 * 4096
