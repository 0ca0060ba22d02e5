"""Motion to play."""

from __future__ import annotations

import pytest
from kineseg.motion import Recording, generate
from kineseg.sources.file import recorded_of
from kineseg.sources.recorded import Recorded

from evaluation import ports


@pytest.fixture(scope="session")
def motion() -> Recording:
    """Fifteen seconds of three actions, by names and positions of joints alone."""
    made = generate(3, rate=60.0, actions=("walk", "squat", "wave"), n_segments=3, min_segment_s=4.5)
    return Recording(
        made.frames, made.rate, made.channels, positions=made.positions, joints=made.joints, up=made.up, name="take"
    )


@pytest.fixture(scope="session")
def recorded(motion: Recording) -> Recorded:
    """The same as frames of a source."""
    return recorded_of(motion)


@pytest.fixture
def free_port() -> int:
    return ports.free_port()
