"""Kinds of transitions and places, on signals that are made to be of one kind."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from kineseg.motion import Recording

from evaluation.quality import transition_tables
from evaluation.quality.movement import Movement
from evaluation.quality.results import FINAL, PROVISIONAL, MethodResult, ScoredStream, SetResult
from evaluation.quality.scores import Prediction, StreamScore
from evaluation.quality.stream import AnnotatedStream
from evaluation.quality.transitions import PLACES, kind_rows, kinds_of, place_rows, places_of

RATE = 20.0
CHANNELS = 4


def swing(hertz: float, level: float = 0.0) -> tuple[float, float]:
    """A part that swings about a level."""
    return hertz, level


def made(*parts: tuple[float, tuple[float, float]], ignore: Sequence[tuple[int, int]] = ()) -> AnnotatedStream:
    """Parts (seconds, `swing`) one after the other; nought hertz is stillness, less is a way to the next level."""
    pieces = []
    for number, (seconds, (hertz, level)) in enumerate(parts):
        time = np.arange(round(seconds * RATE)) / RATE
        if hertz < 0:
            onto = parts[number + 1][1][1]
            pieces.append(np.linspace(level, onto, len(time)))
        else:
            pieces.append(level + np.sin(2 * np.pi * hertz * time) if hertz else np.full(len(time), level))
    phase = np.linspace(1.0, 2.0, CHANNELS)
    values = np.concatenate(pieces)[:, None] * phase
    values = values + 0.005 * np.random.default_rng(0).standard_normal(values.shape)
    cuts = np.cumsum([len(piece) for piece in pieces])[:-1]
    recording = Recording(values, RATE, tuple("abcd"), name="made")
    labels = np.repeat(np.arange(len(pieces)), [len(piece) for piece in pieces])
    truth = np.repeat(cuts[:, None], 3, axis=1).astype(float)
    return AnnotatedStream("hapt", "made", recording, truth, labels, (), ignore=tuple(ignore))


@pytest.mark.parametrize(
    ("seconds", "kind"),
    [(0.8, "a neighbouring segment < 1 s"), (1.5, "1-2 s"), (2.5, "2-3 s"), (6.0, "both >= 3 s")],
)
def test_by_the_shorter_neighbour(seconds: float, kind: str) -> None:
    (kinds,) = kinds_of(made((8.0, swing(1.0)), (seconds, swing(0.5))))
    assert kinds[:2] == ("all", kind)
    assert any(each.startswith("(>= 2 s)") for each in kinds) == (seconds >= 2.0)


def test_tempo_changes_or_posture_does() -> None:
    (faster,) = kinds_of(made((8.0, swing(0.5)), (8.0, swing(1.5))))
    assert "(>= 2 s) tempo changes" in faster
    for level, shift in ((4.0, ">= 1.5"), (0.9, "1-1.5"), (0.3, "< 1")):
        (moved,) = kinds_of(made((8.0, swing(1.0)), (8.0, swing(1.0, level))))
        assert f"(>= 2 s) like tempo, posture shift {shift}" in moved


def test_a_slow_postural_transition_between_quiet_postures() -> None:
    moves, rests, rises = swing(1.0), swing(0.0), swing(-1.0)
    stream = made((8.0, moves), (6.0, rests), (3.0, rises), (6.0, swing(0.0, 3.0)), (8.0, swing(1.0, 3.0)))
    into_quiet, start, end, out = kinds_of(stream)
    assert "end of a slow postural transition" in start
    assert "end of a slow postural transition" in end
    assert "end of a slow postural transition" not in (*into_quiet, *out)


def test_quiet_on_both_sides() -> None:
    stream = made((6.0, swing(0.0)), (6.0, swing(0.0, 1.0)), (9.0, swing(1.5)), (9.0, swing(2.0)))
    between_postures, into_motion, _ = kinds_of(stream)
    assert "(>= 2 s) quiet on both sides" in between_postures
    assert "(>= 2 s) quiet on both sides" not in into_motion


def test_every_frame_has_a_place_but_those_that_no_one_labelled() -> None:
    stream = made(
        (8.0, swing(1.0)), (8.0, swing(0, 0.0)), (2.0, swing(-1, 0.0)), (10.0, swing(0.2, 3.0)), ignore=[(0, 40)]
    )  # fmt: skip
    places = places_of(stream)
    assert set(places[:40]) == {-1}
    at = {place: PLACES.index(place) for place in PLACES}
    assert (places[50:150] == at["quick cycle"]).mean() > 0.9
    assert (places[180:300] == at["quiet posture"]).mean() > 0.9
    assert (places[320:360] == at["one-off movement < 4 s"]).all()
    assert (places[360:] == at["slow cycle"]).mean() > 0.5


@pytest.mark.data
def test_what_was_found_and_invented_is_counted(scoring_scripts: Path) -> None:
    stream = made((8.0, swing(1.0)), (8.0, swing(0, 0.0)), (8.0, swing(1.0)), ignore=[(440, 480)])
    first = Prediction.of([(165, 200), (250, 300), (330, 340), (460, 470)], 480)
    nothing = Prediction.of([], 480)
    score = StreamScore({"bf1": 0.0}, ())

    def row(method: str, said: Prediction) -> MethodResult:
        return MethodResult(method, "ours", score, (score,), (said,), 0.4, ())

    result = SetResult("hapt", rows=[row(FINAL, first), row(PROVISIONAL, nothing)])
    result.streams.append(ScoredStream(stream, None, score, score))  # type: ignore[arg-type]  # its picture is not drawn
    kinds = {each.kind: each for each in kind_rows([result])}
    # 165 and 330 lie within half a second of 160 and 320; 250 is far from both, and 460 in what no one labelled.
    assert kinds["all"].count == 2
    assert kinds["all"].found == {FINAL: 1.0, PROVISIONAL: 0.0}
    places = {each.place: each for each in place_rows([result])}
    quiet = places["quiet posture"]
    assert quiet.minutes == pytest.approx(8 / 60, rel=0.1)
    assert quiet.invented[FINAL] == pytest.approx(1 / quiet.minutes)
    assert sum(each.invented[FINAL] * each.minutes for each in places.values()) == pytest.approx(1.0)
    lines = "\n".join(transition_tables.markdown([result]))
    assert "### Sensors: hapt" in lines
    assert "Skeletons" not in lines
    assert transition_tables.plain([result])["sensors"]["transitions"][0]["count"] == 2
    assert transition_tables.markdown([SetResult("hapt")]) == []


def test_a_movement_repeats_or_rests() -> None:
    movement = Movement.of(made((9.0, swing(0.5)), (3.0, swing(-1.0)), (8.0, swing(0.0, 3.0))))
    assert movement.period_s(movement.part(0, 180)) == pytest.approx(2.0, abs=0.2)
    assert movement.period_s(movement.part(180, 240)) is None
    assert movement.mostly_quiet(movement.part(240, 400))
    assert not movement.mostly_quiet(movement.part(0, 240))
