"""Every kind of fault alone in a stream is raised by its own name, where it is; the page about them shows just that."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from kineseg_core.anomalies import AnomalyClass, AnomalyKind, Raised

from evaluation.alerts.joints import with_neighbours
from evaluation.alerts.kinds import picture
from evaluation.alerts.kinds.__main__ import SEED, main
from evaluation.alerts.kinds.counts import count
from evaluation.alerts.kinds.descriptions import DESCRIPTIONS
from evaluation.alerts.kinds.examples import EXAMPLES, Example
from evaluation.alerts.kinds.faulty import Faulty, body_fault
from evaluation.alerts.kinds.lines import lines_of
from evaluation.alerts.kinds.page import PAGE, PICTURES, page
from evaluation.alerts.kinds.show import Shown, show
from evaluation.alerts.kinds.streams import BODY_FAULT_S

K = AnomalyKind
FAULTS = [kind for kind in K if kind.anomaly_class is AnomalyClass.FAULT]
DOCS = Path(__file__).resolve().parents[3] / "docs"
CORE = DOCS.parent / "service" / "kineseg_core" / "anomalies"


@cache
def shown(kind: AnomalyKind) -> Shown:
    return show(kind, SEED)


def nothing_wrong(seed: int) -> Faulty:
    faulty = body_fault("frozen")(seed)
    unchanged = type(faulty.stream)("kinds", "nothing wrong", faulty.clean, faulty.stream.parents)
    return Faulty(faulty.clean, unchanged, faulty.start_s, faulty.stop_s, faulty.units)


def test_every_kind_of_fault_has_an_example_and_a_description():
    assert set(EXAMPLES) == set(DESCRIPTIONS) == set(FAULTS)


@pytest.mark.parametrize("kind", FAULTS, ids=lambda kind: kind.value)
def test_a_kind_is_raised_by_its_own_name_once_and_where_it_is(kind):
    one = shown(kind)
    assert [each.event.kind for each in one.history[-1:]] == [kind]
    assert sum(isinstance(each.event, Raised) for each in one.emitted) == 1, "exactly that goes wrong"
    stream, units = one.faulty.stream, set(one.history[-1].event.units)
    if set(one.faulty.units) == set(stream.units) or kind is K.UNUSUAL:
        assert units == set(stream.units)
    else:
        assert units & with_neighbours(stream, one.faulty.units)
    assert one.delay_s is not None
    assert 0.0 <= one.delay_s <= one.faulty.stop_s - one.faulty.start_s


@pytest.mark.parametrize("kind", FAULTS, ids=lambda kind: kind.value)
def test_only_the_fault_is_wrong_in_its_stream(kind):
    faulty = shown(kind).faulty
    sent, clean = faulty.stream.recording, faulty.clean
    now = sent.frames if clean.positions is None else sent.positions
    then = clean.frames if clean.positions is None else clean.positions
    outside = ~((sent.times() >= faulty.start_s - 1e-6) & (sent.times() < faulty.stop_s - 1e-6))
    rows = np.round(sent.times()[outside] * clean.rate).astype(int)
    np.testing.assert_array_equal(now[outside], then[rows])


@pytest.mark.parametrize("kind", FAULTS, ids=lambda kind: kind.value)
def test_equal_examples_give_equal_small_pictures(kind, tmp_path):
    for name in ("one.png", "other.png"):
        picture.save(shown(kind), tmp_path / name)
    drawn = (tmp_path / "one.png").read_bytes()
    assert drawn == (tmp_path / "other.png").read_bytes()
    assert len(drawn) < 40 * 1024


def test_a_line_shows_what_is_lost_as_lost_and_what_is_affected():
    faulty = shown(K.OCCLUDED).faulty
    (line,) = lines_of(faulty, 1, (BODY_FAULT_S - 1.0, BODY_FAULT_S + 2.0))
    lost = np.isnan(line.values)
    np.testing.assert_allclose(line.times_s[lost][[0, -1]], (faulty.start_s, faulty.stop_s - 1.0 / 30.0), atol=1e-6)
    assert np.isfinite(line.clean).all()
    assert line.name.split(",")[0].replace(" ", "_") in faulty.units


@pytest.mark.parametrize("kind", FAULTS, ids=lambda kind: kind.value)
def test_the_page_in_docs_shows_what_is_emitted_today(kind):
    sections = (DOCS / PAGE).read_text(encoding="utf-8").split("\n## ")
    (section,) = (each for each in sections if each.startswith(f"{kind.value}\n"))
    assert f"({PICTURES}/{kind.value}.png)" in section
    assert (DOCS / PICTURES / f"{kind.value}.png").is_file()
    assert f"python -m evaluation.alerts.kinds {kind.value}\n" in section
    for each in shown(kind).emitted:
        assert f"  {each.event.text}\n" in section
    for path in DESCRIPTIONS[kind].files:
        assert (CORE / path).is_file()


def test_the_command_prints_what_is_emitted_and_draws_it(tmp_path, capsys):
    assert main(["frozen", "--into", str(tmp_path)]) == 0
    said = capsys.readouterr()
    assert shown(K.FROZEN).history[-1].event.text in said.out
    assert said.err == ""
    assert [path.name for path in tmp_path.rglob("*.*")] == ["frozen.png"]


def test_the_command_fails_if_a_kind_is_not_raised_by_its_name(monkeypatch, tmp_path, capsys):
    monkeypatch.setitem(EXAMPLES, K.FROZEN, Example(nothing_wrong, "nothing"))
    assert main(["gap", "frozen", "--into", str(tmp_path)]) == 1
    assert "not raised by its name: frozen" in capsys.readouterr().err
    assert [path.name for path in tmp_path.rglob("*.*")] == ["gap.png"]


@pytest.mark.parametrize(
    ("arguments", "said"), [(["frosen"], "no example of 'frosen'; there are gap,"), (["--seed", "-1"], "--seed: is -1")]
)
def test_the_command_refuses_what_there_is_not(arguments, said, capsys):
    with pytest.raises(SystemExit):
        main(arguments)
    assert said in capsys.readouterr().err


def test_streams_are_counted_by_what_the_fault_is_called_in_the_end(monkeypatch):
    right = count(K.FROZEN, (3, 4))
    assert (right.found, right.right, right.otherwise) == (2, 2, ())
    monkeypatch.setitem(EXAMPLES, K.GAIN, EXAMPLES[K.STALLED])  # of another kind than its name says
    wrong = count(K.GAIN, (3,))
    assert (wrong.streams, wrong.found, wrong.right, wrong.otherwise) == (1, 1, 0, ("stalled",))
    monkeypatch.setitem(EXAMPLES, K.FROZEN, Example(nothing_wrong, "nothing"))
    none = count(K.FROZEN, (3,))
    assert (none.found, none.right, none.delay_s) == (0, 0, None)
    rows = page([shown(K.GAP)], [right, wrong, none]).split("\n")
    assert "| `frozen` | 2 | 2 | 0.2 s |  |" in rows or "| `frozen` | 2 | 2 | 0.3 s |  |" in rows
    assert "| `gain` | 1 | 0 | 0.2 s | `stalled` |" in rows
    assert "| `frozen` | 0 | 0 |  |  |" in rows
