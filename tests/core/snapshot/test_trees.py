"""Whatever tree stands for an attribute, it is read as a value of that attribute's kind, or refused with its name."""

from __future__ import annotations

import re
from array import array
from collections import Counter, OrderedDict, deque
from dataclasses import dataclass

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st
from kineseg_core.kept import MisfitError, Reader, Writer, keeps, kept_of, record
from kineseg_core.kept.bounds import within
from kineseg_core.kept.kinds import check_kind, kinds_of
from kineseg_core.kept.sealing import packed, unpacked
from kineseg_core.kept.tree import Tag, Tree
from numpy.typing import NDArray


@record
@dataclass(frozen=True)
class Place:
    """A record."""

    at: int
    name: str
    next: Place | None


@within("at < len(ring)")
@keeps("at ring")
class Inner:
    """Of another object."""

    at: int
    ring: NDArray[np.float64]

    def __init__(self) -> None:
        self.at, self.ring = 0, np.zeros(3)


@keeps(
    "whole share flag text numbers grown last places shares ordered counts row seen plain parts pair inner inners "
    "again",
    grows="grown last",
)
class Outer:
    """Has an attribute of every kind that there is."""

    whole: int
    share: float
    flag: bool
    text: str
    numbers: NDArray[np.float64]
    grown: NDArray[np.int64]
    last: NDArray[np.float64] | None
    places: list[Place]
    shares: dict[str, float]
    ordered: OrderedDict[int, Place]
    counts: Counter[str]
    row: deque[int]
    seen: set[int]
    plain: array[float]
    parts: tuple[NDArray[np.float64], NDArray[np.float64]]
    pair: tuple[int, str]
    inner: Inner
    inners: list[Inner]
    again: Inner | None

    def __init__(self) -> None:
        self.whole, self.share, self.flag, self.text = 1, 0.5, True, "text"
        self.numbers, self.grown, self.last = np.zeros((2, 2)), np.zeros(0, np.int64), None
        self.places, self.shares, self.ordered, self.counts = [], {}, OrderedDict(), Counter()
        self.row, self.seen, self.plain = deque(), set(), array("d", (1.0, 2.0))
        self.parts, self.pair = (np.zeros(2), np.zeros(1)), (1, "one")
        self.inner, self.inners = Inner(), [Inner()]
        self.again = self.inner


NAMES = kept_of(Outer).changes  # type: ignore[union-attr]
PLACE = f"{Place.__module__}.{Place.__qualname__}"

WHOLE = st.integers(-3, 16) | st.sampled_from([1 << 40, (1 << 62) + 1, (1 << 64) - 1, -(1 << 63)])
LEAVES = st.none() | st.booleans() | WHOLE | st.floats() | st.text(max_size=2) | st.binary(max_size=9)
SHAPES = st.lists(WHOLE, max_size=7) | LEAVES
KINDS = st.sampled_from(["<f8", "<i8", "|b1", "|O", "d", "q", "u", PLACE, "os.system", "Inner", ""]) | LEAVES
ARRAYS = st.tuples(st.sampled_from(Tag), KINDS, SHAPES, WHOLE).map(list)
TREES = st.recursive(
    LEAVES | ARRAYS | st.tuples(st.sampled_from(Tag), KINDS, LEAVES).map(list),
    lambda inner: st.tuples(WHOLE | st.sampled_from(Tag), st.lists(inner | KINDS, max_size=4)).map(
        lambda both: [both[0], *both[1]]
    ),
    max_leaves=12,
)


def nested(levels: int) -> Tree:
    tree: Tree = 1
    for _ in range(levels):
        tree = [Tag.TUPLE, tree]
    return tree


def read(whole: Tree, blob: bytes) -> Outer | list[str]:
    """What has been read; or where it is that has been refused, or what is said of it."""
    fresh = Outer()
    try:
        assert Reader(blob).into(fresh, unpacked(packed(whole))) is fresh
    except MisfitError as error:
        return error.path or re.findall(r"\w+", str(error))
    return fresh


@given(name=st.sampled_from(NAMES), tree=TREES)
@example(name="places", tree=nested(63))
@example(name="last", tree=nested(200))
@example(name="again", tree=[Tag.AGAIN, 0])
@example(name="places", tree=[Tag.LIST, [Tag.RECORD, PLACE, 1, "a", [Tag.AGAIN, 4]]])  # itself
@example(name="numbers", tree=[])
@example(name="share", tree=2e24)
def test_what_stands_for_an_attribute_fits_it_or_is_refused_with_its_name(name: str, tree: Tree) -> None:
    writer = Writer()
    whole = writer.tree(Outer())
    whole[2 + NAMES.index(name)] = tree
    found = read(whole, writer.blob)
    if isinstance(found, Outer):
        for each in NAMES:
            check_kind(getattr(found, each), kinds_of(Outer)[each])
    else:
        assert not set(found).isdisjoint(NAMES)  # those after it may refer to it


@given(name=st.sampled_from(NAMES), at=st.integers(0, 5), blob=st.integers(0, 400))
def test_what_is_cut_off_is_refused_with_the_name(name: str, at: int, blob: int) -> None:
    writer, place = Writer(), 2 + NAMES.index(name)
    whole = writer.tree(Outer())
    if isinstance(whole[place], list):
        whole[place] = whole[place][:at]
    found = read(whole, writer.blob[:blob])
    assert isinstance(found, Outer) or not set(found).isdisjoint(NAMES)
