"""A mapping of joints given to the client, where the names of a recording do not say which joint is which."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from types import ModuleType
from typing import Any

import kineseg
import numpy as np
import pytest
from kineseg.motion import CANONICAL_CHANNELS, JointMappingError, Recording, generate
from kineseg.v1 import segmentation_pb2 as pb

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


@pytest.fixture
def hearing(scripted: Any, script: ModuleType) -> Any:
    """Wants canonical poses, and keeps how streams were opened."""
    scripted.model = script.model(CANONICAL_CHANNELS)
    scripted.configs = []

    def hear(requests: Any, context: Any) -> Iterator[pb.SegmentResponse]:
        scripted.configs.append(next(requests).config)
        yield script.opened(CANONICAL_CHANNELS)
        for request in requests:
            yield script.ack(request.chunk, 3 * len(NAMES))
        yield script.summary(1)

    scripted.segment = hear
    return scripted


def test_a_mapping_goes_with_the_joints(hearing: Any, connect: Any) -> None:
    client = connect(hearing.address)
    with pytest.raises(JointMappingError, match="mapping="):
        client.segment(UNNAMED)
    assert hearing.configs == []
    client.segment(UNNAMED, mapping=MAPPING)
    client.segment(replace(UNNAMED, mapping=MAPPING))
    for config in hearing.configs:
        assert dict(config.joints.mapping) == MAPPING
        assert tuple(config.joints.names) == NAMES
    assert len(hearing.configs) == 2


@pytest.mark.parametrize(
    ("recording", "mapping", "message"),
    [
        (np.zeros((5, 3)), MAPPING, "leave it out"),
        (UNNAMED, {"hips": "banana"}, "no joint 'banana'"),
        (UNNAMED, {"belly button": "m1"}, "not a canonical joint"),
    ],
)
def test_a_mapping_that_cannot_be_used(
    hearing: Any, connect: Any, recording: Any, mapping: dict[str, str], message: str
) -> None:
    client = connect(hearing.address)
    for call in (
        lambda: client.segment(recording, mapping=mapping),
        lambda: client.teach_name("walking", recording=recording, mapping=mapping),
    ):
        with pytest.raises(kineseg.InvalidRequest, match=message) as caught:
            call()
        assert caught.value.field == "mapping"
