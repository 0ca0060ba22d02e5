"""Rules files: what they say, and that everything else is refused with the entry, the reason and the remedy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kineseg_core.errors import BadRules, InvalidRequest
from kineseg_core.rules import AbsenceRule, NameRule, joined, load_rules, rules_from_toml

GOOD = """
# What the shift leader is called for.
[[name]]
name = "fall"
after_s = 2
text = "somebody fell"

[[name]]
name = "person in the cell"

[[absence]]
name = "pick"
for_s = 60
id = "line stands"
"""


def test_a_file_says_names_and_absences(tmp_path: Path) -> None:
    path = tmp_path / "rules.toml"
    path.write_text(GOOD)
    assert load_rules(path) == (
        NameRule("name:fall", "fall", 2.0, "somebody fell"),
        NameRule("name:person in the cell", "person in the cell"),
        AbsenceRule("line stands", "pick", 60.0),
    )
    assert rules_from_toml("") == rules_from_toml("# nothing yet") == ()


def test_of_two_rules_with_one_id_that_of_the_stream_holds() -> None:
    general = rules_from_toml(GOOD)
    own = rules_from_toml('[[name]]\nname = "fall"\nafter_s = 0.5\n[[name]]\nname = "run"')
    assert [(rule.id, getattr(rule, "after_s", None)) for rule in joined(general, own)] == [
        ("name:person in the cell", 0.0),
        ("line stands", None),
        ("name:fall", 0.5),
        ("name:run", 0.0),
    ]


NAME, ABSENCE = '[[name]]\nname = "fall"\n', '[[absence]]\nname = "pick"\nfor_s = 60\n'


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[[name]", r"it is not TOML .*line 1.*write entries such as \[\[name\]\]"),
        ('[[names]]\nname = "fall"', r"unknown entry 'names', did you mean name; there are \[\[name\]\] and"),
        ("x = 1", "unknown entry 'x'; there are"),
        ('[name]\nname = "fall"', r"name is no list of entries; write \[\[name\]\] and below it"),
        ('name = "fall"', "name is no list of entries"),
        ("absence = [1]", r"absence is no list of entries; write \[\[absence\]\] and below it"),
        (f"{NAME}for_s = 3", r"\[\[name\]\] 1 \('fall'\): unknown key 'for_s', did you mean after_s; there are name"),
        (f"{NAME}{ABSENCE}fors = 3", r"\[\[absence\]\] 1 \('pick'\): unknown key 'fors', did you mean for_s; there"),
        (f"{NAME}[[name]]\nname = 3", r"\[\[name\]\] 2: name cannot be that; give 1 to 64 printable"),
        ("[[name]]", r"\[\[name\]\] 1: name is missing; give"),
        ('[[name]]\nname = " fall"', "without spaces at the ends"),
        ('[[name]]\nname = "fall\\n"', "printable"),
        (f'[[name]]\nname = "{"x" * 65}"', "1 to 64"),
        ('[[absence]]\nname = "pick"', r"\[\[absence\]\] 1 \('pick'\): for_s is missing; give seconds, .* 1 to 86400"),
        ('[[absence]]\nname = "pick"\nfor_s = 0.5', "for_s is 0.5; give seconds"),
        ('[[absence]]\nname = "pick"\nfor_s = nan', "for_s is nan"),
        ('[[absence]]\nname = "pick"\nfor_s = true', "for_s is True"),
        ('[[absence]]\nname = "pick"\nfor_s = "60"', "for_s is '60'"),
        ('[[absence]]\nname = "pick"\nfor_s = 2026-11-27', "for_s is datetime"),
        (f"{NAME}after_s = -1", "after_s is -1; give seconds, a number from 0 to 86400"),
        (f"{NAME}after_s = inf", "after_s is inf"),
        (f"{NAME}text = 3", "text cannot be that; give at most 200 printable"),
        (f'{NAME}text = "{"x" * 201}"', "at most 200"),
        (f'{NAME}id = ""', r"\[\[name\]\] 1 \('fall'\): id cannot be that"),
        (NAME + NAME, "two rules have the id 'name:fall'; give one of them another"),
        ("".join(f'[[name]]\nname = "{n}"\n' for n in range(65)), "65 rules; write at most 64"),
        ("#" * 70_000, "more than 64 KiB"),
        ("a" + ".a" * 30_000 + " = 1", "'a.a.a.*is too many words with dots in between; keep"),
        ("name = [{" + "\".\" . 'x'." * 4_000 + "a = 1}]", "too many words with dots"),
    ],
)
def test_what_cannot_be_used_is_refused_with_a_remedy(text: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match=f"rules: .*{says}") as refused:
        rules_from_toml(text)
    assert refused.value.field == "rules"
    path = tmp_path / "rules.toml"
    path.write_text(text)
    with pytest.raises(BadRules, match=f"rules {path}: .*{says}"):
        load_rules(path)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadRules, match=f"{tmp_path}/no.toml: it cannot be read .*name another file"):
        load_rules(tmp_path / "no.toml")
    (tmp_path / "latin.toml").write_bytes(b'[[name]]\nname = "caf\xe9"')
    with pytest.raises(BadRules, match=r"latin.toml: it is not UTF-8"):
        load_rules(tmp_path / "latin.toml")


def refused(work: Callable[[], object]) -> bool:
    """Whether it is refused, as is due; anything else is raised."""
    try:
        work()
    except InvalidRequest as error:
        return error.field == "rules" and len(error.message) < 1000
    return False


WORDS = st.sampled_from(
    ["[[name]]", "[[absence]]", "[name]", "name", "for_s", "after_s", "text", "id", "=", '"fall"', "60", "nan", "\n"]
)
NESTED = ["a = " + "[" * 30_000, "name = " + "[{name = " * 500, "9" * 9_000, "\ud800"]


@given(st.text(max_size=200) | st.lists(WORDS, max_size=20).map(" ".join))
def test_any_text_is_rules_or_refused_by_name(text: str) -> None:
    is_rules_or_refused(text)


@pytest.mark.parametrize("text", NESTED, ids=["lists", "tables", "a number", "no character"])
def test_however_deep_or_long_it_is(text: str) -> None:
    is_rules_or_refused(text)


def is_rules_or_refused(text: str) -> None:
    assert refused(lambda: rules_from_toml(text)) or isinstance(rules_from_toml(text), tuple)


@pytest.mark.parametrize("text", ["a" * 60_000, '"' + '\\"' * 30_000, "'.'" * 20_000, "a." * 15 + "\n"], ids=range(4))
def test_looking_for_long_keys_takes_no_time_itself(text: str) -> None:
    is_rules_or_refused(text)
