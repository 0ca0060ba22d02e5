"""A rules file: TOML, of which every entry is checked.

    [[name]]
    name = "fall"           # raised when a segment gets that name, cleared when it ends
    after_s = 2             # only if it lasts so long
    text = "somebody fell"  # what is said

    [[absence]]
    name = "pick"
    for_s = 60              # raised when no segment had that name for so long, cleared when one has

Both may have an `id` by which programs tell rules apart; it is "name:fall" or "absence:pick" unless given.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path

from kineseg_core.errors import BadRules, InvalidRequest
from kineseg_core.naming.bank import LONGEST_NAME
from kineseg_core.rules.rule import AbsenceRule, NameRule, Rule

MOST_BYTES = 64 << 10
MOST_RULES = 64
LONGEST_TEXT = 200
LONGEST_S = 86_400.0
_LEAST_ABSENCE_S = 1.0
_KEYS = {"name": ("name", "after_s", "text", "id"), "absence": ("name", "for_s", "text", "id")}
_LONGEST_ID = LONGEST_NAME + 16
_LONG_KEY = re.compile(r"""(?<![\w\\-])(?:(?:[\w-]++|"(?:\\.|[^"\\\n])*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+){16}""")
"""For a key of n parts tomllib takes n squared steps, and no key of a rule has more than one."""
_SHOWN = 64


def load_rules(path: Path) -> tuple[Rule, ...]:
    """Reads a rules file.

    Raises:
        BadRules: It cannot be read, or an entry cannot be used; says which, why, and what helps.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
        return rules_from_toml(content.decode("utf-8"))
    except OSError as error:
        raise BadRules(path, f"it cannot be read ({error.strerror or error}); name another file") from error
    except UnicodeDecodeError as error:
        raise BadRules(path, f"it is not UTF-8 text ({error.reason}); save it as that") from error
    except InvalidRequest as error:
        raise BadRules(path, error.message.removeprefix("rules: ")) from error


def rules_from_toml(text: str) -> tuple[Rule, ...]:
    """The rules that a text says; none if it is empty.

    Raises:
        InvalidRequest: It is too long, no TOML, or an entry cannot be used; says which, why, and what helps.
    """
    if len(text.encode("utf-8", "surrogatepass")) > MOST_BYTES:
        raise _wrong(f"there are more than {MOST_BYTES >> 10} KiB; write fewer or shorter rules")
    if (long := _LONG_KEY.search(text)) is not None:
        raise _wrong(f"{_quoted(long[0])} is too many words with dots in between; keep keys and texts simpler")
    try:
        content = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise _wrong(f"it is not TOML ({_short(str(error), 200)}); write entries such as {_example('name')}") from error
    rules: list[Rule] = []
    for kind, entries in content.items():
        if kind not in _KINDS:
            raise _wrong(
                f"unknown entry {_quoted(kind)}{_nearest(kind, tuple(_KINDS))}; there are [[name]] and [[absence]]"
            )
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise _wrong(f"{kind} is no list of entries; write {_example(kind)}")
        rules += [_KINDS[kind](entry, f"[[{kind}]] {number}") for number, entry in enumerate(entries, 1)]
    if len(rules) > MOST_RULES:
        raise _wrong(f"there are {len(rules)} rules; write at most {MOST_RULES}")
    ids = [rule.id for rule in rules]
    for rule_id in ids:
        if ids.count(rule_id) > 1:
            raise _wrong(f'two rules have the id {_quoted(rule_id)}; give one of them another, such as id = "second"')
    return tuple(rules)


def _name_rule(entry: Mapping[str, object], where: str) -> NameRule:
    where = _checked(entry, "name", where)
    name = _word(entry, "name", where, LONGEST_NAME)
    after_s = _seconds(entry, "after_s", where, 0.0) if "after_s" in entry else 0.0
    return NameRule(_id(entry, f"name:{name}", where), name, after_s, _text(entry, where))


def _absence_rule(entry: Mapping[str, object], where: str) -> AbsenceRule:
    where = _checked(entry, "absence", where)
    name = _word(entry, "name", where, LONGEST_NAME)
    for_s = _seconds(entry, "for_s", where, _LEAST_ABSENCE_S)
    return AbsenceRule(_id(entry, f"absence:{name}", where), name, for_s, _text(entry, where))


_KINDS: dict[str, Callable[[Mapping[str, object], str], Rule]] = {"name": _name_rule, "absence": _absence_rule}


def _checked(entry: Mapping[str, object], kind: str, where: str) -> str:
    """Looks at the keys of an entry, and gives where it stands with the name that it is about."""
    name = entry.get("name")
    if isinstance(name, str):
        where = f"{where} ({_quoted(name)})"
    for key in entry:
        if key not in _KEYS[kind]:
            known = ", ".join(_KEYS[kind])
            raise _wrong(f"{where}: unknown key {_quoted(key)}{_nearest(key, _KEYS[kind])}; there are {known}")
    return where


def _word(entry: Mapping[str, object], key: str, where: str, longest: int) -> str:
    value = entry.get(key)
    if (
        not isinstance(value, str)
        or not 1 <= len(value) <= longest
        or not value.isprintable()
        or value != value.strip()
    ):
        said = f"{key} is missing" if value is None else f"{key} cannot be that"
        raise _wrong(f"{where}: {said}; give 1 to {longest} printable characters without spaces at the ends")
    return value


def _id(entry: Mapping[str, object], default: str, where: str) -> str:
    return _word(entry, "id", where, _LONGEST_ID) if "id" in entry else default


def _text(entry: Mapping[str, object], where: str) -> str:
    value = entry.get("text", "")
    if not isinstance(value, str) or len(value) > LONGEST_TEXT or not (value.isprintable() or not value):
        raise _wrong(f"{where}: text cannot be that; give at most {LONGEST_TEXT} printable characters")
    return value


def _seconds(entry: Mapping[str, object], key: str, where: str, least: float) -> float:
    value = entry.get(key)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not least <= value <= LONGEST_S:  # type: ignore[operator]
        said = f"{key} is missing" if value is None else f"{key} is {_short(repr(value), _SHOWN)}"
        raise _wrong(f"{where}: {said}; give seconds, a number from {least:g} to {LONGEST_S:g}")
    return float(value)  # type: ignore[arg-type]


def _example(kind: str) -> str:
    below = 'name = "fall"' if kind == "name" else 'name = "pick" and for_s = 60'
    return f"[[{kind}]] and below it {below}"


def _nearest(word: str, known: tuple[str, ...]) -> str:
    near = difflib.get_close_matches(word[:_SHOWN].lower(), known, 1)
    return f", did you mean {near[0]}" if near else ""


def _quoted(word: str) -> str:
    return repr(_short(word, _SHOWN))


def _short(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[:longest]}..."


def _wrong(what: str) -> InvalidRequest:
    return InvalidRequest(f"rules: {what}", field="rules")
