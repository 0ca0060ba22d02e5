"""What a stream cannot go on from is refused, with the reason; nothing that is read can do anything else."""

from __future__ import annotations

import contextlib
import json
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kineseg_core import snapshot as snapshots
from kineseg_core.errors import BadSnapshot
from kineseg_core.events import Output
from kineseg_core.in_process import InProcessStream
from kineseg_core.inference.bundle import load_bundle
from kineseg_core.kept.sealing import MOST_BYTES, packed, sealed, unpacked
from kineseg_core.opening import Opener, StreamRequest
from kineseg_core.snapshot import Snapshot

from tests.core.snapshot.layout import FILE, found
from tests.core.snapshot.scenes import open_stream, opener, scene
from tests.core.tiny_bundle import TinyModel, write_tiny_bundle
from tests.service.talk import motion


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bundles")


@cache
def payload(folder: Path) -> bytes:
    made = scene("recogniser", 30.0, 30.0, (30,), seed=2, timed=False)
    stream = open_stream(opener(folder), made.request)
    out: list[Output] = []
    for chunk in made.chunks:
        stream.take(chunk.first, chunk.data, chunk.times_ns, out)
    return stream.snapshot(opener(folder))


def refused(data: bytes, opener: Opener) -> str:
    with pytest.raises(BadSnapshot) as refusal:
        InProcessStream.resumed(Snapshot.read(data), opener)
    return str(refusal.value)


@given(data=st.data())
@settings(max_examples=40)
def test_any_damage_is_noticed(folder: Path, data: st.DataObject) -> None:
    whole = bytearray(sealed(payload(folder)))
    place, flips = data.draw(st.integers(0, len(whole) - 1)), data.draw(st.integers(1, 255))
    whole[place] ^= flips
    assert refused(bytes(whole), opener(folder))
    assert refused(bytes(whole[:place]), opener(folder))


@given(data=st.binary(max_size=300))
def test_anything_else_is_no_snapshot(data: bytes) -> None:
    with pytest.raises(BadSnapshot):
        Snapshot.read(data)
    with pytest.raises(BadSnapshot):
        Snapshot.read(sealed(data))


def test_what_is_too_large_is_not_looked_at() -> None:
    with pytest.raises(BadSnapshot, match="larger than 16 MiB"):
        Snapshot.read(bytes(MOST_BYTES + 1))


@given(data=st.data())
@settings(max_examples=40)
def test_a_snapshot_of_other_values_is_refused_or_read_and_nothing_else(folder: Path, data: st.DataObject) -> None:
    parts = unpacked(payload(folder), MOST_BYTES)
    which = data.draw(st.sampled_from([0, 1, 2, 3]))
    tree = unpacked(parts[which])
    at = tree
    while True:  # down to anything
        place = data.draw(st.integers(0, len(at) - 1))
        if not isinstance(at[place], list) or not at[place] or data.draw(st.booleans()):
            break
        at = at[place]
    values = (
        st.none() | st.booleans() | st.integers(-5, 1 << 62) | st.floats() | st.text(max_size=3) | st.binary(max_size=3)
    )
    at[place] = data.draw(values | st.lists(values, max_size=4))
    parts[which] = packed(tree)
    with contextlib.suppress(BadSnapshot):
        InProcessStream.resumed(Snapshot.read(sealed(packed(parts))), opener(folder))


def test_another_model_of_the_same_name_is_refused(folder: Path, tmp_path: Path) -> None:
    models = [
        Opener({"tiny": load_bundle(write_tiny_bundle(tmp_path / str(seed), TinyModel(seed=seed)))}) for seed in (1, 2)
    ]
    stream = open_stream(models[0], StreamRequest(30.0))
    assert "model 'tiny', or what finds its boundaries, is another one" in refused(
        sealed(stream.snapshot(models[0])), models[1]
    )
    assert "is another one" in refused(sealed(payload(folder)), models[1])


@pytest.mark.parametrize("version", ["LAYOUT", "ARITHMETIC"])
def test_other_versions_are_refused(folder: Path, version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    data, written = sealed(payload(folder)), getattr(snapshots, version)
    monkeypatch.setattr(snapshots, version, 77)
    assert f"its {version.lower()} is version {written}, and this version of kineseg has 77" in refused(
        data, opener(folder)
    )


def test_what_is_the_default_elsewhere_changes_nothing(folder: Path) -> None:
    here = Opener({"motion": opener(folder).bundle("motion")}, default_latency_s=2.0, default_reports_per_hour=5.0)  # type: ignore[dict-item]
    there = Opener({"motion": opener(folder).bundle("motion")}, default_boundary_threshold=0.3)  # type: ignore[dict-item]
    stream = open_stream(here, StreamRequest(30.0, channels=opener(folder).bundle("motion").channels))  # type: ignore[union-attr]
    again = InProcessStream.resumed(Snapshot.read(sealed(stream.snapshot(here))), there)
    assert again.session.config == stream.session.config


def test_versions_are_raised_when_what_they_stand_for_changes(folder: Path) -> None:
    written, now = json.loads(FILE.read_text()), found(folder)
    assert written == now, (
        "snapshots of before would be misread, or events would go on otherwise: raise LAYOUT (if 'kept' differs) or "
        "ARITHMETIC (if 'events' does) in kineseg_core/snapshot.py and run python -m tests.core.snapshot.layout"
    )


def test_a_snapshot_says_how_far_the_stream_has_come(folder: Path) -> None:
    stream = open_stream(opener(folder), StreamRequest(30.0, model="recogniser"))
    stream.take(0, motion(90, 3).tobytes(), (), [])
    read = Snapshot.read(sealed(stream.snapshot(opener(folder))))
    assert (read.frames, read.stream_id) == (90, stream.session.config.stream_id)
    assert read.request == stream.session.request
