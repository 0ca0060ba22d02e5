"""Bytes without blocks of zeros are the same again afterwards, and small; whatever else is read is refused."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kineseg_core.errors import BadSnapshot
from kineseg_core.kept.sealing import MOST_BYTES
from kineseg_core.kept.sparse import dense
from kineseg_core.kept.sparse import sparse as sparse_pieces


def sparse(blob: bytes) -> bytes:
    return b"".join(sparse_pieces(blob))


PIECES = st.lists(st.binary(max_size=70) | st.integers(0, 200).map(bytes)).map(b"".join)


@given(PIECES)
def test_all_bytes_come_back(blob: bytes) -> None:
    assert dense(sparse(blob)) == blob


def test_zeros_take_next_to_nothing() -> None:
    assert len(sparse(bytes(1 << 20))) < 1 << 13


@given(st.binary(max_size=200))
def test_what_is_no_such_thing_is_refused(data: bytes) -> None:
    try:
        found = dense(data)
    except BadSnapshot:
        return
    assert dense(sparse(found)) == found


@given(PIECES, st.data())
def test_what_is_cut_off_or_has_more_is_refused(blob: bytes, data: st.DataObject) -> None:
    written = sparse(blob)
    with pytest.raises(BadSnapshot):
        dense(written[: data.draw(st.integers(0, len(written) - 1))])
    with pytest.raises(BadSnapshot):
        dense(written + b"0")


def test_few_bytes_do_not_become_too_many() -> None:
    with pytest.raises(BadSnapshot, match="its numbers take more than 16 MiB"):
        dense(struct.pack("<I", MOST_BYTES + 1) + bytes(MOST_BYTES // 256 + 64))
