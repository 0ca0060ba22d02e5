"""A mapping of joints given to the client, where the names of a recording do not say which joint is which."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType
from typing import Any

import kineseg
import numpy as np
import pytest
from kineseg.motion import CANONICAL_CHANNELS, Recording, canonical_pose, generate

PERSON = generate(seed=1, duration_s=4, rate=60)
assert PERSON.positions is not None
NAMES = tuple(f"m{i}" for i in range(len(PERSON.joints)))
UNNAMED = Recording(
    frames=PERSON.positions.reshape(PERSON.n_frames, -1),
    rate=60,
    channels=tuple(f"{name}.{axis}" for name in NAMES for axis in "xyz"),
    positions=PERSON.positions,
    joints=NAMES,
)
MAPPING = dict(zip(PERSON.joints, NAMES, strict=True))


def test_a_mapping_makes_the_canonical_pose(two_segments: Any, connect: Any, script: ModuleType) -> None:
    two_segments.model = script.model(CANONICAL_CHANNELS)
    client = connect(two_segments.address)
    with pytest.raises(kineseg.motion.JointMappingError, match="mapping="):
        client.segment(UNNAMED)
    client.segment(UNNAMED, mapping=MAPPING)
    expected = canonical_pose(UNNAMED, mapping=MAPPING).frames.astype(np.float32)
    np.testing.assert_array_equal(np.concatenate(two_segments.received), expected)
    two_segments.received.clear()
    client.segment(replace(UNNAMED, mapping=MAPPING))
    np.testing.assert_array_equal(np.concatenate(two_segments.received), expected)


@pytest.mark.parametrize(
    ("recording", "mapping", "message"),
    [
        (np.zeros((5, 3)), MAPPING, "leave it out"),
        (UNNAMED, {"hips": "banana"}, "no joint 'banana'"),
        (UNNAMED, {"belly button": "m1"}, "not a canonical joint"),
    ],
)
def test_a_mapping_that_cannot_be_used(
    two_segments: Any, connect: Any, recording: Any, mapping: dict[str, str], message: str
) -> None:
    client = connect(two_segments.address)
    for call in (
        lambda: client.segment(recording, mapping=mapping),
        lambda: client.teach_name("walking", recording=recording, mapping=mapping),
    ):
        with pytest.raises(kineseg.InvalidRequest, match=message) as caught:
            call()
        assert caught.value.field == "mapping"
