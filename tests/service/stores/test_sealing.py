"""What lies in a store can be read by who has the key alone, as the stream's that it is of; the rest is refused."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kineseg_core.errors import BadSnapshot
from kineseg_core.kept.sealing import MOST_BYTES
from kineseg_service.stores.sealing import Seal
from kineseg_service.stores.store import Key

KEY, ONE, PROOF = bytes(range(32)), Key("lab", "a"), b"\0proof"
PIECES = st.lists(st.binary(max_size=300), max_size=5)


@given(PIECES, st.sampled_from([KEY, b"", b"longer" * 20]))
def test_what_was_sealed_is_opened_again(pieces: list[bytes], key: bytes) -> None:
    sealed = bytes(Seal(key).sealed(ONE, PROOF, pieces))
    assert Seal(key).unsealed(ONE, PROOF, sealed) == b"".join(pieces)


@given(st.binary(min_size=24, max_size=200))
def test_nothing_of_it_can_be_read(state: bytes) -> None:
    one, again = (bytes(Seal(KEY).sealed(ONE, PROOF, [state])) for _ in range(2))
    assert state not in one
    assert one[16:] != again[16:]


@given(st.data())
def test_any_damage_is_noticed(data: st.DataObject) -> None:
    whole = bytearray(Seal(KEY).sealed(ONE, PROOF, [b"a state"]))
    place, flips = data.draw(st.integers(0, len(whole) - 1)), data.draw(st.integers(1, 255))
    with pytest.raises(BadSnapshot):
        Seal(KEY).unsealed(ONE, PROOF, bytes(whole[:place]))
    whole[place] ^= flips
    with pytest.raises(BadSnapshot):
        Seal(KEY).unsealed(ONE, PROOF, bytes(whole))


@given(st.binary(max_size=200))
def test_anything_else_is_refused(data: bytes) -> None:
    with pytest.raises(BadSnapshot):
        Seal(KEY).unsealed(ONE, PROOF, data)


@pytest.mark.parametrize(
    ("key", "stream", "proof"),
    [
        (b"theirs" * 8, ONE, PROOF),
        (b"", ONE, PROOF),
        (KEY, Key("lab", "b"), PROOF),
        (KEY, Key("la", "ba"), PROOF),
        (KEY, Key("", "a"), PROOF),
        (KEY, ONE, b"another"),
    ],
)
def test_it_is_of_its_key_its_stream_and_who_may_take_that_over(key: bytes, stream: Key, proof: bytes) -> None:
    sealed = bytes(Seal(KEY).sealed(ONE, PROOF, [b"a state"]))
    with pytest.raises(BadSnapshot, match="another stream's, or was sealed with another key"):
        Seal(key).unsealed(stream, proof, sealed)


def test_what_an_earlier_version_has_sealed_is_refused_and_says_so() -> None:
    state = b"a state"
    before = b"kineseg stream 1" + hmac.digest(KEY, state, hashlib.sha256) + state
    with pytest.raises(BadSnapshot, match="sealed in another way, by another version"):
        Seal(KEY).unsealed(ONE, PROOF, before)


def test_what_is_too_large_is_not_looked_at() -> None:
    with pytest.raises(BadSnapshot, match="larger than 16 MiB"):
        Seal(KEY).unsealed(ONE, PROOF, bytes(MOST_BYTES + 1))
