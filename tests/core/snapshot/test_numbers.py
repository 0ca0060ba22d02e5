"""Nothing in a snapshot that is none of the numbers of a stream, or of another kind, comes into one; the rest does no
harm there."""

from __future__ import annotations

import contextlib
import math
import re
from collections import deque
from dataclasses import dataclass, field
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kineseg.motion.canonical_state import RECENT
from kineseg_core.errors import BadSnapshot, CoreError
from kineseg_core.events import Output
from kineseg_core.in_process import InProcessStream
from kineseg_core.kept.sealing import MOST_BYTES, packed, unpacked
from kineseg_core.kept.sparse import sparse
from kineseg_core.snapshot import Snapshot

from tests.core.snapshot.forged import Forger, Numbers
from tests.core.snapshot.numbers_of import strange_outputs
from tests.core.snapshot.row_stream import RowStream
from tests.core.snapshot.scenes import Chunk, open_stream, opener, scene, taught

STREAMS = ("body", "recogniser", "many", "motion in a row", "few in a row", "few")
STRANGE = (math.nan, math.inf, -math.inf, 1e300, -1e300)
KINDS = (None, True, 3, 0.5, "x", b"x", [], [3], (3, 4), {3: "x"}, {3}, np.zeros((2, 3)), np.zeros(0, np.int64))
OTHERS = (*STRANGE, 9e23, -9e23, 1e12, -1e12, 1e-320, 0.0, -1.0)
MAY_BE_NAN = 14
"""Fields of a body's stream; of nearly two hundred."""
Stream = InProcessStream | RowStream


@dataclass
class Kept:
    """A stream as it was kept, and what comes next.

    Attributes:
        fields: How many numbers that are no whole ones are in each of its fields.
        values: How many things it holds, of whatever kind.
    """

    stream: Stream
    folder: Path
    rest: tuple[Chunk, ...]
    fields: dict[str, int] = field(default_factory=dict)
    values: int = 0

    def forged(self, **forgery: Any) -> bytes:
        """As it is kept where a `Forger` has been at work."""
        stream, session = self.stream, self.stream.session
        payload = stream.snapshot() if isinstance(stream, RowStream) else stream.snapshot(opener(self.folder))
        parts = unpacked(payload, MOST_BYTES)
        blob = b""
        for place, half in ((2, session.intake), (3, session)):
            forger = Forger(**forgery)
            forger.place(blob, len(blob))
            parts[place], blob = packed(forger.tree(half)), forger.blob
        parts[4] = b"".join(sparse(blob))
        return packed(parts)

    def changed(self, name: str, value: float, at: int | None) -> bytes:
        """As it is kept with another number in a field, in one place of it or all over."""

        def change(where: str, numbers: Numbers) -> None:
            if where == name:
                most = float(np.finfo(numbers.dtype).max)
                with np.errstate(under="ignore"):
                    places = slice(None) if at is None else at % numbers.size
                    numbers.flat[places] = value if not math.isfinite(value) else min(max(value, -most), most)

        return self.forged(show=change)

    def swapped(self, place: int, other: object) -> bytes:
        """As it is kept with something of another kind in a place."""
        places = count()

        def swap(value: object) -> object:
            return other if next(places) == place and type(value) is not type(other) else value

        return self.forged(swap=swap)

    def resumed(self, payload: bytes) -> Stream:
        """The stream that goes on from it."""
        snapshot, here = Snapshot.of(payload), opener(self.folder)
        if isinstance(self.stream, RowStream):
            return RowStream.resumed(snapshot, here, 2)
        return InProcessStream.resumed(snapshot, here, taught)

    def go_on(self, stream: Stream) -> list[Output]:
        """What it emits of the rest."""
        out: list[Output] = []
        for chunk in self.rest:
            stream.take(chunk.first, chunk.data, chunk.times_ns, out)
        stream.session.intake.profile()
        stream.finish(out)
        return out


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bundles")


@cache
def kept(kind: str, folder: Path) -> Kept:
    made = scene(kind.removesuffix(" in a row"), 30.0, 26.0, (30, 7), seed=5, timed=True)
    stream: Stream = open_stream(opener(folder), made.request)
    if isinstance(stream, InProcessStream) and kind.endswith(" in a row"):
        stream = RowStream(opener(folder), opener(folder).session(made.request, taught), stream.bundle, 1)
    here = len(made.chunks) * 2 // 3
    for chunk in made.chunks[:here]:
        stream.take(chunk.first, chunk.data, chunk.times_ns, [])
    found = Kept(stream, folder, made.chunks[here : here + 8])

    def note(where: str, numbers: Numbers) -> None:
        found.fields[where] = found.fields.get(where, 0) + numbers.size

    def note_value(value: object) -> object:
        found.values += 1
        return value

    found.forged(show=note, swap=note_value)
    return found


@given(data=st.data())
@settings(max_examples=60)
def test_another_number_or_kind_is_refused_or_does_no_harm(folder: Path, data: st.DataObject) -> None:
    of = kept(data.draw(st.sampled_from(STREAMS)), folder)
    if data.draw(st.booleans(), label="a number"):
        name = data.draw(st.sampled_from(sorted(of.fields)))
        at = data.draw(st.none() | st.integers(0, of.fields[name] - 1))
        payload = of.changed(name, data.draw(st.sampled_from(OTHERS)), at)
        said = "|".join(name.split(".")[1:])
    else:
        place = data.draw(st.integers(0, of.values - 1))
        payload = of.swapped(place, data.draw(st.sampled_from(KINDS)))
        said = r"fit: (\w+\.)*\w+: |(is no|should be) (Session|Intake)$"
    out: list[Output] = []
    refused = ""
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        try:
            out = of.go_on(of.resumed(payload))
        except BadSnapshot as error:
            refused = str(error)
        except CoreError:  # which ends this stream, and no other
            pass
    assert not refused or re.search(said, refused)
    assert strange_outputs(out) == ""


def test_a_container_that_is_none_is_named(folder: Path) -> None:
    of = kept("few in a row", folder)
    found: list[object] = []
    of.forged(swap=lambda value: found.append(value) or value)
    places = [place for place, value in enumerate(found) if isinstance(value, list | deque | dict | set)]
    assert {type(found[place]) for place in places} >= {list, deque, dict, set}
    for place in places:
        with pytest.raises(BadSnapshot, match=r"fit: (\w+\.)*\w+: "):
            of.resumed(of.swapped(place, 3))


@pytest.mark.parametrize("kind", ["body", "few in a row"])
def test_hardly_any_field_may_hold_what_is_no_number(folder: Path, kind: str) -> None:
    of = kept(kind, folder)
    taken = []
    for name in of.fields:
        with contextlib.suppress(BadSnapshot):
            of.resumed(of.changed(name, math.nan, None))
            taken.append(name)
    assert len(taken) <= MAY_BE_NAN, taken
    assert len(of.fields) > 5 * len(taken)


def test_a_body_has_no_more_recent_frames_than_there_is_room_for(folder: Path) -> None:
    of = kept("body", folder)
    [name] = [name for name in of.fields if name.endswith("state.numbers")]
    with pytest.raises(BadSnapshot, match="recent frames"):
        of.resumed(of.changed(name, 1e12, RECENT))


@pytest.mark.parametrize("longest_s", [math.nan, math.inf, -1.0, 61.0, 1e300])
def test_no_stream_has_longer_gaps_filled_than_a_server_fills(folder: Path, longest_s: float) -> None:
    parts = unpacked(kept("few", folder).forged(), MOST_BYTES)
    head = unpacked(parts[0])
    head[6] = longest_s
    with pytest.raises(BadSnapshot, match="max_gap_s"):
        Snapshot.of(packed([packed(head), *parts[1:]]))


def test_a_body_has_a_size(folder: Path) -> None:
    of = kept("body", folder)
    [name] = [name for name in of.fields if name.endswith("extent.value")]
    with pytest.raises(BadSnapshot, match=r"extent\.value"):
        of.resumed(of.changed(name, 0.0, None))
