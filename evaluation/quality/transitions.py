"""Kinds of true transitions, and of places where boundaries are invented.

Kinds of transitions overlap. By the shorter of the two segments that meet: under 1 s, 1 to 2 s, 2 to 3 s, or both 3 s
and more. Where both last 2 s and more, by what up to `SIDE_S` on either side are like: the *tempo changes* if the
faster side is `OTHER_TEMPO` times as fast or more; it is *alike* below `LIKE_TEMPO`, and then the shift of the mean
posture, in deviations within the sides, says how much of a cue there is; *quiet* if most of either side is. A *slow
postural transition* begins or ends here if one of the segments lasts 1.5 to 6 s and has quiet beyond both its ends, in
postures that differ.

Places, of every moment that someone labelled: *quiet posture*; inside a *one-off movement*, a segment under 4 s that
moves and does not repeat; in a *slow cycle*, a movement that repeats after 3 s or more, or not at all; or in a quick
one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from evaluation.quality.metrics import metrics_module
from evaluation.quality.movement import RATE, Movement
from evaluation.quality.peers import MMD
from evaluation.quality.results import FINAL, PROVISIONAL, SetResult
from evaluation.quality.scores import Prediction
from evaluation.quality.stream import AnnotatedStream

SKELETONS, SENSORS = ("takes", "mocap6", "utkinect"), ("gesturephase", "hapt", "actrectut")
METHODS = (FINAL, PROVISIONAL, MMD)

HIT_S, INVENTED_S = 0.5, 1.0
LONG_S, SIDE_S = 2.0, 4.0
OTHER_TEMPO, LIKE_TEMPO = 1.6, 1.4
MOVED, HARDLY_MOVED = 1.5, 1.0  # deviations within the sides
POSTURAL_S = (1.5, 6.0)
ONE_OFF_S, SLOW_S = 4.0, 3.0

ALL = "all"
BY_LENGTH = ("a neighbouring segment < 1 s", "1-2 s", "2-3 s", "both >= 3 s")
TEMPO_CHANGES = "(>= 2 s) tempo changes"
BY_SHIFT = tuple(f"(>= 2 s) like tempo, posture shift {shift}" for shift in (">= 1.5", "1-1.5", "< 1"))
QUIET_SIDES = "(>= 2 s) quiet on both sides"
POSTURAL = "end of a slow postural transition"
KINDS = (ALL, *BY_LENGTH, TEMPO_CHANGES, *BY_SHIFT, QUIET_SIDES, POSTURAL)
PLACES = ("one-off movement < 4 s", "slow cycle", "quick cycle", "quiet posture")
_ONE_OFF, _SLOW, _QUICK, _QUIET = range(len(PLACES))


@dataclass(frozen=True)
class KindRow:
    """How a kind of transition fares.

    Attributes:
        kind: One of `KINDS`.
        count: How many there are.
        found: Share of them that each of the methods found within `HIT_S`, by name of the method.
    """

    kind: str
    count: int
    found: dict[str, float]


@dataclass(frozen=True)
class PlaceRow:
    """How often boundaries are invented in a kind of place.

    Attributes:
        place: One of `PLACES`.
        minutes: Of such places.
        invented: Final boundaries more than `INVENTED_S` from any true one, a minute of such places, by method.
    """

    place: str
    minutes: float
    invented: dict[str, float]


def kind_rows(results: Sequence[SetResult]) -> list[KindRow]:
    """All kinds over the streams of `results`, without those that do not occur."""
    kinds: dict[str, int] = dict.fromkeys(KINDS, 0)
    hits = {kind: dict.fromkeys(_methods(results), 0) for kind in KINDS}
    for stream, said in _streams(results):
        found = {method: _found(stream, prediction) for method, prediction in said.items()}
        for number, of_it in enumerate(kinds_of(stream)):
            for kind in of_it:
                kinds[kind] += 1
                for method in found:
                    hits[kind][method] += number in found[method]
    return [
        KindRow(kind, count, {method: number / count for method, number in hits[kind].items()})
        for kind, count in kinds.items()
        if count
    ]


def place_rows(results: Sequence[SetResult]) -> list[PlaceRow]:
    """All kinds of places over the streams of `results`, without those that do not occur."""
    minutes = np.zeros(len(PLACES))
    counts = {method: np.zeros(len(PLACES)) for method in _methods(results)}
    for stream, said in _streams(results):
        places = places_of(stream)
        minutes += np.bincount(places[places >= 0], minlength=len(PLACES)) / stream.rate / 60.0
        for method, prediction in said.items():
            at = places[_invented(stream, prediction)]
            counts[method] += np.bincount(at[at >= 0], minlength=len(PLACES))
    return [
        PlaceRow(place, float(minutes[i]), {method: float(counts[method][i] / minutes[i]) for method in counts})
        for i, place in enumerate(PLACES)
        if minutes[i] > 0
    ]


def kinds_of(stream: AnnotatedStream) -> list[tuple[str, ...]]:
    """The kinds of every true transition, in order."""
    movement = Movement.of(stream)
    edges = [0, *stream.truth[:, 1].astype(int).tolist(), stream.n_frames]
    return [tuple(_kinds(movement, edges, number)) for number in range(1, len(edges) - 1)]


def places_of(stream: AnnotatedStream) -> NDArray[np.int64]:
    """``(T,)`` the place of every frame, a number in `PLACES`; -1 where no one labelled."""
    movement = Movement.of(stream)
    samples = np.minimum(np.arange(stream.n_frames) * RATE / stream.rate, len(movement.values) - 1).astype(np.int64)
    places = np.empty(stream.n_frames, dtype=np.int64)
    for start, end in pairwise([0, *stream.truth[:, 1].astype(int).tolist(), stream.n_frames]):
        part = movement.part(start, end)
        period = movement.period_s(part)
        if (end - start) / stream.rate < ONE_OFF_S and period is None and not movement.mostly_quiet(part):
            places[start:end] = _ONE_OFF
        else:
            moving = _QUICK if period is not None and period < SLOW_S else _SLOW
            places[start:end] = np.where(movement.quiet[samples[start:end]], _QUIET, moving)
    for start, end in stream.ignore:
        places[start:end] = -1
    return places


def _kinds(movement: Movement, edges: Sequence[int], number: int) -> Iterator[str]:
    start, cut, end = edges[number - 1 : number + 2]
    shorter = min(cut - start, end - cut) / movement.rate
    yield ALL
    yield BY_LENGTH[sum(shorter >= bound for bound in (1.0, 2.0, 3.0))]
    if any(_is_postural(movement, edges, segment) for segment in (number - 1, number)):
        yield POSTURAL
    if shorter < LONG_S:
        return
    reach = SIDE_S * movement.rate
    before, after = movement.part(max(start, cut - reach), cut), movement.part(cut, min(end, cut + reach))
    speeds = sorted(max(float(movement.speed[part].mean()), 1e-12) for part in (before, after))
    if speeds[1] >= OTHER_TEMPO * speeds[0]:
        yield TEMPO_CHANGES
    elif speeds[1] < LIKE_TEMPO * speeds[0]:
        shift = _posture_shift(movement.values[before], movement.values[after])
        yield BY_SHIFT[sum(shift < bound for bound in (MOVED, HARDLY_MOVED))]
    if movement.mostly_quiet(before) and movement.mostly_quiet(after):
        yield QUIET_SIDES


def _is_postural(movement: Movement, edges: Sequence[int], segment: int) -> bool:
    """Whether segment number `segment` is a slow change from one quiet posture to another."""
    if not 0 < segment < len(edges) - 2:
        return False  # nothing is known of what was before it, or comes after it
    start, end = edges[segment], edges[segment + 1]
    if not POSTURAL_S[0] <= (end - start) / movement.rate <= POSTURAL_S[1]:
        return False
    reach = SIDE_S * movement.rate
    before = movement.part(max(edges[segment - 1], start - reach), start)
    after = movement.part(end, min(edges[segment + 2], end + reach))
    if not (movement.mostly_quiet(before) and movement.mostly_quiet(after)):
        return False
    return _posture_shift(movement.values[before], movement.values[after]) >= MOVED


def _posture_shift(before: NDArray[np.float64], after: NDArray[np.float64]) -> float:
    apart = np.square(before.mean(axis=0) - after.mean(axis=0)).mean()
    within = (before.var(axis=0).mean() + after.var(axis=0).mean()) / 2.0
    return float(np.sqrt(apart / max(within, 1e-12)))


def _found(stream: AnnotatedStream, prediction: Prediction) -> set[int]:
    """Numbers of the true transitions that were found."""
    pairs = metrics_module().match_boundaries(stream.truth, prediction.boundaries, HIT_S * stream.rate)
    return {number for number, _ in pairs}


def _invented(stream: AnnotatedStream, prediction: Prediction) -> NDArray[np.int64]:
    """Frames of the boundaries that are near no true one."""
    far, frames = INVENTED_S * stream.rate, prediction.boundaries[:, None]
    near = (frames >= stream.truth[:, 0] - far) & (frames <= stream.truth[:, 2] + far)
    return prediction.boundaries[~near.any(axis=1)]


def _methods(results: Sequence[SetResult]) -> list[str]:
    return [name for name in METHODS if results and all(result.row(name) is not None for result in results)]


def _streams(results: Sequence[SetResult]) -> Iterator[tuple[AnnotatedStream, dict[str, Prediction]]]:
    for result in results:
        rows = [row for name in _methods(results) if (row := result.row(name)) is not None]
        for number, each in enumerate(result.streams):
            yield each.stream, {row.method: row.predictions[number] for row in rows}
