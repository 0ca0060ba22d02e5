"""Bytes that are written in pieces are read as if they had been written at once."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from kineseg_core.kept.sealing import packed_pieces, unpacked


@given(st.lists(st.lists(st.binary(max_size=400), max_size=4), max_size=15))
def test_they_are_a_list_of_bytes(parts: list[list[bytes]]) -> None:
    views = [[memoryview(piece) for piece in part] for part in parts]
    written = {b"".join(packed_pieces(parts)), b"".join(packed_pieces(views))}  # type: ignore[arg-type]
    assert [unpacked(data) for data in written] == [[b"".join(part) for part in parts]]
