"""The file of tokens: whose each is and what it allows. It holds no token, only the hash of each.

    {"schema_version": 1,
     "tokens": [{"id": "5b0c1f6a2e7d", "sha256": "...", "tenant": "lab", "roles": ["stream"],
                 "expires": "2027-06-30T00:00:00+00:00", "note": "the rig in room 2"}]}

A token is "kineseg_ID_SECRET"; the secret has 256 random bits, so that a fast hash is as good as a slow one.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kineseg_core.errors import BadFile
from kineseg_core.whole_file import write_whole

from kineseg_service.access.caller import Role

SCHEMA_VERSION = 1
TENANT = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
"""What a tenant can be called."""
TENANT_FORM = "a tenant is 1 to 32 small letters, digits, '-' or '_', the first a letter or a digit"
"""The same in words."""
LONGEST_NOTE = 200
_PREFIX = "kineseg"
_ID = re.compile(r"[0-9a-f]{12}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_MOST_BYTES, _MOST_TOKENS, _LONGEST_TOKEN = 8 << 20, 10_000, 200
# What an unknown token is compared with, so that it takes as long as a known one.
_NO_HASH = "0" * 64


class BadTokens(BadFile):
    """A file of tokens was refused."""

    what = "token file"


@dataclass(frozen=True, slots=True)
class Token:
    """What a token is good for.

    Attributes:
        token_id: Its name, which is no secret.
        sha256: Of the whole token, as hexadecimal digits.
        tenant: On whose behalf it acts.
        roles: What it allows, at least one.
        expires: When it ends; none: never.
        note: For people.
    """

    token_id: str
    sha256: str
    tenant: str
    roles: frozenset[Role]
    expires: datetime | None = None
    note: str = ""

    def is_over(self, now: datetime) -> bool:
        """Whether its time is over."""
        return self.expires is not None and now >= self.expires


class Tokens:
    """The tokens of a file.

    Args:
        tokens: Each with an id of its own.
    """

    def __init__(self, tokens: Iterable[Token] = ()) -> None:
        self._by_id = {token.token_id: token for token in tokens}

    def __iter__(self) -> Any:
        return iter(self._by_id.values())

    def get(self, token_id: str) -> Token | None:
        """The one with this id."""
        return self._by_id.get(token_id)

    def find(self, text: str) -> Token | None:
        """The one that this text is, whether or not its time is over; none: it is not among them."""
        parts = text.split("_", 2)
        known = self._by_id.get(parts[1]) if len(parts) == 3 and len(text) <= _LONGEST_TOKEN else None
        is_same = hmac.compare_digest(_hash(text[:_LONGEST_TOKEN]), _NO_HASH if known is None else known.sha256)
        return known if is_same else None

    @classmethod
    def load(cls, path: Path) -> Tokens:
        """Reads a file.

        Raises:
            BadTokens: It cannot be read or is no file of tokens; says where and why.
        """
        try:
            with path.open("rb") as file:
                raw = file.read(_MOST_BYTES + 1)
            if len(raw) > _MOST_BYTES:
                raise BadTokens(path, f"it is larger than {_MOST_BYTES >> 20} MiB")
            return cls(_tokens(json.loads(raw)))
        except FileNotFoundError as error:
            raise BadTokens(path, "there is no such file; `kineseg token new --file ...` makes one") from error
        except OSError as error:
            raise BadTokens(path, f"it cannot be read ({error.strerror or error})") from error
        except _WrongFormError as error:
            raise BadTokens(path, str(error)) from error
        except (ValueError, RecursionError, OverflowError) as error:
            raise BadTokens(path, "it is not JSON") from error

    def save(self, path: Path) -> None:
        """Writes the file; it is the old one or the new one at every moment.

        Raises:
            OSError: It cannot be written.
        """
        content = {"schema_version": SCHEMA_VERSION, "tokens": [_entry(token) for token in self._by_id.values()]}
        write_whole(path, json.dumps(content, indent=1, ensure_ascii=False) + "\n")

    def with_token(self, token: Token) -> Tokens:
        """These and one more."""
        return Tokens((*self._by_id.values(), token))

    def without(self, token_id: str) -> Tokens:
        """These without one.

        Raises:
            KeyError: It is not among them.
        """
        if token_id not in self._by_id:
            raise KeyError(token_id)
        return Tokens(token for token in self._by_id.values() if token.token_id != token_id)


def new_token(tenant: str, roles: Iterable[Role], expires: datetime | None = None, note: str = "") -> tuple[str, Token]:
    """Makes a token: its text, which is to be shown once and kept by whoever uses it, and what a file has of it."""
    token_id = secrets.token_hex(6)
    text = f"{_PREFIX}_{token_id}_{secrets.token_urlsafe(32)}"
    return text, Token(token_id, _hash(text), tenant, frozenset(roles), expires, note)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


class _WrongFormError(Exception):
    """The file is JSON, and not one of tokens."""


def _entry(token: Token) -> dict[str, object]:
    return {
        "id": token.token_id,
        "sha256": token.sha256,
        "tenant": token.tenant,
        "roles": sorted(token.roles),
        "expires": None if token.expires is None else token.expires.isoformat(),
        "note": token.note,
    }


def _tokens(content: object) -> list[Token]:
    if not isinstance(content, dict) or content.get("schema_version") != SCHEMA_VERSION:
        raise _WrongFormError(f"it must be an object with schema_version {SCHEMA_VERSION}")
    entries = content.get("tokens")
    if not isinstance(entries, list) or len(entries) > _MOST_TOKENS:
        raise _WrongFormError(f"tokens must be a list of at most {_MOST_TOKENS}")
    tokens = [_token(entry, f"tokens[{number}]") for number, entry in enumerate(entries)]
    if len({token.token_id for token in tokens}) < len(tokens):
        raise _WrongFormError("an id is there twice")
    return tokens


def _token(entry: object, where: str) -> Token:
    if not isinstance(entry, dict):
        raise _WrongFormError(f"{where} must be an object")
    strange = set(entry) - {"id", "sha256", "tenant", "roles", "expires", "note"}
    if strange:  # a misspelt "expires" would be a token that never ends
        raise _WrongFormError(f"{where}: there is no {', '.join(sorted(map(repr, strange)))}")
    for key, form in (("id", _ID), ("sha256", _SHA256), ("tenant", TENANT)):
        if not (isinstance(entry.get(key), str) and form.fullmatch(entry[key])):
            raise _WrongFormError(f"{where}.{key} must be like {form.pattern}")
    roles = entry.get("roles")
    known = ", ".join(Role)
    if not isinstance(roles, list) or not roles or not all(role in list(Role) for role in roles):
        raise _WrongFormError(f"{where}.roles must be some of {known}")
    note = entry.get("note", "")
    if not isinstance(note, str) or len(note) > LONGEST_NOTE:
        raise _WrongFormError(f"{where}.note must be a text of at most {LONGEST_NOTE} characters")
    roles_of = frozenset(map(Role, roles))
    return Token(entry["id"], entry["sha256"], entry["tenant"], roles_of, _time(entry.get("expires"), where), note)


def _time(value: object, where: str) -> datetime | None:
    if value is None:
        return None
    try:
        if isinstance(value, str):
            time = datetime.fromisoformat(value)
            return time if time.tzinfo is not None else time.replace(tzinfo=UTC)
    except ValueError:
        pass
    raise _WrongFormError(f"{where}.expires must be a time such as 2027-06-30T00:00:00Z, or null")
