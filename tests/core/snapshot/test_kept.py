"""All that a session is made of says what it keeps of itself, and nothing has been forgotten."""

from __future__ import annotations

from collections import deque
from pathlib import Path

import numpy as np
import pytest
from kineseg_core.events import Output
from kineseg_core.generic.pattern_segments import PatternSegments
from kineseg_core.in_process import InProcessStream
from kineseg_core.kept import CannotKeepError, MisfitError, Reader, Writer, keeps, kept_of, record
from kineseg_core.kept.declared import _DECLARED
from kineseg_core.kept.kinds import kinds_of
from kineseg_core.kept.sealing import packed, sealed, unpacked
from kineseg_core.segmenter.network_segments import NetworkSegments
from kineseg_core.segmenter.segments import Segments
from kineseg_core.segmenter.table.in_row import InRow
from kineseg_core.snapshot import Snapshot

from tests.core.snapshot.alike import attributes, differences
from tests.core.snapshot.row_stream import RowStream
from tests.core.snapshot.scenes import KINDS, open_stream, opener, scene, taught

_ABSTRACT = {Segments, NetworkSegments, PatternSegments, InRow}
_SEEN: set[type] = set()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bundles")


def written(*roots: object) -> list[object]:
    """All objects and records that are kept of these."""
    writer = Writer()
    for root in roots:
        writer.tree(root)
    return writer._written


def holds_plain_values(held: object) -> bool:
    """Whether it is a container that is filled as a stream goes on, so that it does not show of what kind that is."""
    if not isinstance(held, dict | list | tuple | deque | set):
        return False
    inner = held.values() if isinstance(held, dict) else held
    return not any(isinstance(each, np.ndarray) or kept_of(type(each)) is not None for each in inner)


@pytest.mark.parametrize("kind", [*KINDS, "motion in a row", "few in a row"])
def test_a_restored_session_is_the_same_through_and_through(kind: str, folder: Path) -> None:
    made = scene(kind.removesuffix(" in a row"), 60.0, 40.0, (60, 7, 200), seed=4, timed=True)
    stream: InProcessStream | RowStream = open_stream(opener(folder), made.request)
    if isinstance(stream, InProcessStream) and kind.endswith(" in a row"):
        stream = RowStream(opener(folder), opener(folder).session(made.request, taught), stream.bundle, 1)
    out: list[Output] = []
    for chunk in made.chunks:
        stream.take(chunk.first, chunk.data, chunk.times_ns, out)
    if isinstance(stream, RowStream):
        snapshot = Snapshot.read(sealed(stream.snapshot()))
        again: InProcessStream | RowStream = RowStream.resumed(snapshot, opener(folder), 2)
    else:
        snapshot = Snapshot.read(sealed(stream.snapshot(opener(folder))))
        again = InProcessStream.resumed(snapshot, opener(folder), taught)
    assert differences(stream.session, again.session) == []
    assert (snapshot.frames, snapshot.last_seq) == (stream.session.intake.received, stream.session.progress.last_seq)
    for value in written(stream.session, stream.session.intake):
        kept = kept_of(type(value))
        if kept is not None:
            _SEEN.add(type(value))
            assert set(attributes(value)) == kept.names, f"{type(value).__name__}: say in `keeps` what each one is"
            vague = [name for name in kept.changes if holds_plain_values(getattr(value, name))]
            assert set(vague) <= kinds_of(type(value)).keys(), f"{type(value).__name__}: annotate in the class {vague}"


def test_no_class_says_so_in_vain() -> None:
    if not _SEEN:
        pytest.skip("looks at what the tests before it have seen")
    assert {cls for cls in _DECLARED if cls.__module__.startswith("kineseg")} - _SEEN == _ABSTRACT


class Unsaid:
    """Says nothing."""


@keeps("value", fixed="other")
class Said:
    def __init__(self) -> None:
        self.value: object = 1
        self.other = 2


@record
class Pair(tuple):
    """Not of this stream."""


def test_what_does_not_say_what_it_keeps_is_refused_when_it_is_written() -> None:
    said = Said()
    said.value = Unsaid()
    with pytest.raises(CannotKeepError, match="Unsaid"):
        Writer().tree(said)


@pytest.mark.parametrize(
    ("tree", "why"),
    [
        (3, "is no Said"),
        ([12, "Other", 3], "should be Said"),
        ([], "nothing where a value should be"),
        ([12, "Said", 3, 4], "2 values"),
        ([12, "Said", "text"], "value: is a str, and should be a int"),
        ([12, "Said", [11, "os.system", "true"]], "value: cannot be read"),
        ([12, "Said", [13, 7]], "not there"),
        ([12, "Said", [7, "<f8", [1 << 40], 0]], "shape"),
        ([12, "Said", [7, "|O", [0], 0]], "cannot be read"),
        ([12, "Said", [99]], "kind 99"),
        ([12, "Said", [[[[]]]]], "value"),
    ],
)
def test_a_tree_that_does_not_fit_is_refused_with_the_place(tree: object, why: str) -> None:
    with pytest.raises(MisfitError, match=why):
        Reader(b"").into(Said(), unpacked(packed(tree)))


def test_a_tree_that_is_nested_without_end_is_refused() -> None:
    tree: object = 1
    for _ in range(200):
        tree = [0, tree]
    with pytest.raises(MisfitError, match="deep"):
        Reader(b"").into(Said(), [12, "Said", tree])
