"""Teaching names through both clients, against the real server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kineseg
import numpy as np
import pytest

LEVELS = np.array([(3.0, -1.0, -1.0), (-1.0, 3.0, -1.0), (3.0, -1.0, -1.0)])
FRAMES = np.repeat(LEVELS, 180, axis=0) + np.random.default_rng(0).normal(0, 0.2, (540, 3))


@pytest.fixture
def teachable(tiny_bundle: Path, tmp_path: Path) -> Iterator[str]:
    from kineseg_service.config import Settings
    from kineseg_service.server import BackgroundServer

    settings = Settings(
        bundles=(tiny_bundle,), packaged_bundle=False, port=0, metrics_port=None, log_level="error",
        label_bank=tmp_path / "bank.json",
    )  # fmt: skip
    with BackgroundServer(settings) as running:
        yield running.address


def test_a_range_of_a_recording_is_taught(teachable: str, connect: Any) -> None:
    client = connect(teachable)
    before = client.segment(FRAMES, rate=30)
    assert {segment.name for segment in before.segments} == {""}
    assert set(before.names().tolist()) == {""}
    taught = client.teach_name("walking", recording=FRAMES, rate=30, frames=(0, 180))
    assert taught == kineseg.TaughtName(
        name="walking",
        model="tiny",
        model_sha256=before.summary.model_sha256,
        sources=("an array, frames 0:180",),
        in_use=True,
    )
    assert client.names() == (taught,)
    found = client.segment(FRAMES, rate=30)
    names = found.names()
    assert names.shape == (540,)
    assert (names[60:150] == "walking").all()
    assert (names[420:510] == "walking").all()
    assert (names[240:330] == "").all()
    assert all((segment.name_confidence > 0) == bool(segment.name) for segment in found.segments)
    assert client.forget_name("walking", model="tiny") == 1
    assert client.names() == ()


def test_what_was_emitted_is_taught(teachable: str, connect: Any) -> None:
    client = connect(teachable)
    segmented = client.segment(FRAMES, rate=30)
    event = next(event for event in segmented.events if isinstance(event, kineseg.SegmentClosed))
    segment = event.segment
    assert len(segment.embedding) == 4
    ran = {"model": segmented.summary.model, "model_sha256": segmented.summary.model_sha256}
    for example in (event, segment, segment.embedding, np.array(segment.embedding)):
        taught = client.teach_name("walking", example=example, **ran)
        assert len(taught.sources) == 1, "the same point is one example"
    assert client.segment(FRAMES, rate=30).segments[0].name == "walking"
    with pytest.raises(kineseg.FailedPrecondition, match="another graph") as caught:
        client.teach_name("walking", example=event, model="tiny", model_sha256="0" * 64)
    assert not isinstance(caught.value, kineseg.WrongChannels)
    assert caught.value.field == "point.model_sha256"


def test_a_segment_of_an_open_session_is_taught(teachable: str, connect: Any) -> None:
    client = connect(teachable)
    with client.stream(rate=30, session_id="open") as stream:
        stream.send(FRAMES)
        stream.flush()
        first = client.session("open").segments[0]
        assert first.embedding == ()
        taught = client.teach_name("walking", session_id="open", segment_id=first.segment_id)
        assert taught.sources == (f"session open, segment 0, frames 0:{first.end_frame}",)
        with pytest.raises(kineseg.NotFound, match="no finished segment 99"):
            client.teach_name("walking", session_id="open", segment_id=99)
        with pytest.raises(kineseg.InvalidRequest, match="has no embedding"):
            client.teach_name("walking", example=first)
        stream.end_input()
        list(stream)
    with pytest.raises(kineseg.NotFound, match="'open'"):
        client.teach_name("walking", session_id="open", segment_id=0)


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({}, "example"),
        ({"session_id": "s"}, "segment_id"),
        ({"segment_id": 0}, "segment_id"),
        ({"example": [1.0], "session_id": "s", "segment_id": 0}, "example"),
        ({"example": [1.0], "frames": (0, 9)}, "frames"),
        ({"example": [[1.0]]}, "example"),
        ({"example": ["walk"]}, "example"),
        ({"recording": FRAMES, "rate": 30, "frames": (9, 9)}, "frames"),
        ({"recording": FRAMES, "rate": 30, "frames": (0, 541)}, "frames"),
        ({"recording": FRAMES}, "rate"),
        ({"example": [1.0, 2.0]}, "point.embedding"),
    ],
)
def test_what_is_no_example_is_refused(teachable: str, connect: Any, arguments: Any, field: str) -> None:
    with pytest.raises(kineseg.InvalidRequest) as caught:
        connect(teachable).teach_name("walking", **arguments)
    assert caught.value.field == field


def test_a_server_without_a_bank_refuses(server: str, connect: Any) -> None:
    with pytest.raises(kineseg.FailedPrecondition, match="--label-bank"):
        connect(server).teach_name("walking", example=[0.5, 0.25, 1.0, 2.0])
    assert connect(server).names() == ()
