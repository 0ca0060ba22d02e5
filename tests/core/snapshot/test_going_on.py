"""A stream that goes on from a snapshot, wherever it is cut and wherever it goes on, emits what it would have."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kineseg_core.boundary_network.layout import REACH
from kineseg_core.events import Event, Output
from kineseg_core.generic import SCRATCH
from kineseg_core.generic.plan import FEW
from kineseg_core.in_process import InProcessStream
from kineseg_core.kept.sealing import sealed
from kineseg_core.snapshot import Snapshot

from tests.core.snapshot.row_stream import ROWS, RowStream
from tests.core.snapshot.scenes import KINDS, VALUES, Chunk, Scene, open_stream, opener, scene, taught
from tests.same_events import content


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bundles")


Scenes = st.builds(
    scene,
    kind=st.sampled_from(KINDS),
    rate_hz=st.sampled_from([1.0, 7.3, 24.0, 30.0, 60.0, 120.0]),
    seconds=st.floats(1.0, 30.0),
    sizes=st.lists(st.integers(1, 70), min_size=1, max_size=4).map(tuple),
    seed=st.integers(0, 1000),
    timed=st.booleans(),
    values=st.sampled_from(["usual", *VALUES]),
)


def undisturbed(folder: Path, made: Scene) -> list[Output]:
    stream = open_stream(opener(folder), made.request)
    out: list[Output] = []
    for chunk in made.chunks:
        stream.take(chunk.first, chunk.data, chunk.times_ns, out)
    stream.finish(out)
    return content(out)


CUTS = st.floats(0.0, 1.0)


@given(made=Scenes, cuts=st.lists(CUTS, min_size=1, max_size=4))
@settings(max_examples=8)
def test_in_process(folder: Path, made: Scene, cuts: list[float]) -> None:
    stream = open_stream(opener(folder), made.request)
    places = {round(cut * len(made.chunks)) for cut in cuts}
    out: list[Output] = []
    for number, chunk in enumerate(made.chunks):
        if number in places:
            data = sealed(stream.snapshot(opener(folder)))
            stream = InProcessStream.resumed(Snapshot.read(data), opener(folder), taught)
        stream.take(chunk.first, chunk.data, chunk.times_ns, out)
    stream.finish(out)
    assert content(out) == undisturbed(folder, made)


@given(made=Scenes, cuts=st.lists(CUTS, max_size=3))
@settings(max_examples=6)
def test_in_another_row_of_another_table(folder: Path, made: Scene, cuts: list[float]) -> None:
    bundle = open_stream(opener(folder), made.request).bundle
    stream = RowStream(opener(folder), opener(folder).session(made.request, taught), bundle, 0)
    places = {round(cut * len(made.chunks)) for cut in cuts}
    out: list[Output] = []
    for number, chunk in enumerate(made.chunks):
        if number in places:
            snapshot = Snapshot.read(sealed(stream.snapshot()))
            stream = RowStream.resumed(snapshot, opener(folder), (number + 1) % ROWS)
        stream.take(chunk.first, chunk.data, chunk.times_ns, out)
    stream.finish(out)
    assert content(out) == undisturbed(folder, made)


_GO_ON = """
import json, sys
from pathlib import Path
from kineseg_core.in_process import InProcessStream
from kineseg_core.snapshot import Snapshot
from tests.core.snapshot.scenes import opener, taught
folder = Path(sys.argv[1])
snapshot = Snapshot.read((folder / "state").read_bytes())
stream = InProcessStream.resumed(snapshot, opener(folder), taught)
out = []
for first, data, times in json.loads((folder / "chunks").read_text()):
    stream.take(first, bytes.fromhex(data), times, out)
stream.finish(out)
from tests.same_events import content
print(content(out))
"""


def test_in_another_process(folder: Path) -> None:
    made = scene("recogniser", 60.0, 40.0, (40, 9), seed=3, timed=True)
    half = len(made.chunks) // 2
    stream = open_stream(opener(folder), made.request)
    before: list[Output] = []
    for chunk in made.chunks[:half]:
        stream.take(chunk.first, chunk.data, chunk.times_ns, before)
    (folder / "state").write_bytes(sealed(stream.snapshot(opener(folder))))
    (folder / "chunks").write_text(json.dumps([_plain(chunk) for chunk in made.chunks[half:]]))
    ran = subprocess.run([sys.executable, "-c", _GO_ON, str(folder)], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    whole = undisturbed(folder, made)
    assert ran.stdout.strip() == str(whole[len(before) :])
    assert any(isinstance(output, Event) for output in whole[len(before) :])


def _plain(chunk: Chunk) -> tuple[int, str, tuple[int, ...]]:
    return chunk.first, chunk.data.hex(), chunk.times_ns


@given(made=Scenes.filter(lambda made: made.request.model != SCRATCH or len(made.request.channels) > FEW), cut=CUTS)
@settings(max_examples=4)
def test_distances_that_are_not_kept_are_the_same_again(folder: Path, made: Scene, cut: float) -> None:
    bundle = open_stream(opener(folder), made.request).bundle
    stream = RowStream(opener(folder), opener(folder).session(made.request, taught), bundle, 0)
    for chunk in made.chunks[: round(cut * len(made.chunks))]:
        stream.take(chunk.first, chunk.data, chunk.times_ns, [])
    other = RowStream.resumed(Snapshot.read(sealed(stream.snapshot())), opener(folder), 1)
    come = min(int(stream.table.columns.counters["count"][0]), REACH)
    before, now = (
        of.table.columns.logs[row].reshape(REACH, REACH, -1)[:come, :come] for of, row in ((stream, 0), (other, 1))
    )
    assert before.tobytes() == now.tobytes()
