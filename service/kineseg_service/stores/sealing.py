"""What lies in a store: states that only who has the key can read, and of which every change is noticed.

What people do is in them, and whoever can read a store need not see it. AES-256-GCM, with a key of its own for each
state: one key may be used with some 2^32 random nonces, which at hundreds of states a second is a few months.
"""

from __future__ import annotations

import hmac
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import GCM
from kineseg_core.errors import BadSnapshot
from kineseg_core.kept.sealing import MOST_BYTES, Pieces

from kineseg_service.stores.store import Key

_MAGIC = b"kineseg stream 2"
_FAMILY = _MAGIC[:-1]
_SALT, _NONCE, _TAG = 16, 12, 16
_HEAD = len(_MAGIC) + _SALT + _NONCE


class Seal:
    """Seals states, and opens them.

    Args:
        key: Of all servers that share the store; empty: anyone can read what lies in it, and damage alone is noticed.
    """

    def __init__(self, key: bytes) -> None:
        self._root = hmac.digest(_MAGIC, key, "sha256")  # HKDF, RFC 5869: extract

    def sealed(self, key: Key, proof: bytes, pieces: Pieces) -> memoryview:
        """A state, as it is to lie in the store.

        Args:
            key: Of what stream it is; as another's it cannot be opened.
            proof: What somebody must show to take it over, see `Write`; nor can it with another.
            pieces: One after the other.
        """
        salted = secrets.token_bytes(_SALT + _NONCE)
        encryptor = Cipher(AES(self._key(salted)), GCM(salted[_SALT:])).encryptor()
        encryptor.authenticate_additional_data(_what(key, proof))
        data = memoryview(bytearray(_HEAD + sum(map(len, pieces)) + _TAG))
        data[:_HEAD] = _MAGIC + salted
        at = _HEAD
        for piece in pieces:
            at += encryptor.update_into(piece, data[at:])
        encryptor.finalize()
        data[at:] = encryptor.tag
        return data.toreadonly()

    def unsealed(self, key: Key, proof: bytes, data: bytes) -> bytes:
        """What was sealed as this, with the same key.

        Raises:
            BadSnapshot: It was not, it is damaged, or too large.
        """
        if len(data) > MOST_BYTES:
            raise BadSnapshot(f"it is larger than {MOST_BYTES >> 20} MiB")
        if data[: len(_FAMILY)] != _FAMILY:
            raise BadSnapshot("it is no state of a stream")
        if data[: len(_MAGIC)] != _MAGIC:
            raise BadSnapshot("it was sealed in another way, by another version of kineseg")
        if len(data) < _HEAD + _TAG:
            raise BadSnapshot("it is cut off")
        salted = data[len(_MAGIC) : _HEAD]
        decryptor = Cipher(AES(self._key(salted)), GCM(salted[_SALT:], data[-_TAG:])).decryptor()
        decryptor.authenticate_additional_data(_what(key, proof))
        try:
            return decryptor.update(memoryview(data)[_HEAD:-_TAG]) + decryptor.finalize()
        except InvalidTag:
            raise BadSnapshot("it is damaged, another stream's, or was sealed with another key") from None

    def _key(self, salted: bytes) -> bytes:
        """Of one state. HKDF: expand."""
        return hmac.digest(self._root, salted[:_SALT] + b"\x01", "sha256")


def _what(key: Key, proof: bytes) -> bytes:
    """No two streams have the same."""
    parts = _MAGIC, key.tenant.encode(), key.stream_id.encode(), proof
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)
